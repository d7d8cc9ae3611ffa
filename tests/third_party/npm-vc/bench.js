// Issues and verifies a consent with @digitalbazaar/vc on one core and prints a line for each, in the form of
// criterion's "bencher" output. The credential and the contexts come from files, nothing is fetched.
//
//   node bench.js CREDENTIAL SECONDS, with NODE_PATH naming the folder of the packages
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [file, seconds] = process.argv.slice(2);
const modules = process.env.NODE_PATH;
// ES modules are not looked for in NODE_PATH.
const load = (name) => {
  const found = createRequire(path.join(modules, 'any.js')).resolve(name);
  return import(pathToFileURL(found));
};
const [vc, { DataIntegrityProof }, eddsa, Multikey, didKey] = await Promise.all([
  load('@digitalbazaar/vc'),
  load('@digitalbazaar/data-integrity'),
  load('@digitalbazaar/eddsa-rdfc-2022-cryptosuite'),
  load('@digitalbazaar/ed25519-multikey'),
  load('@digitalbazaar/did-method-key'),
]);

const contexts = path.join(import.meta.dirname, '../../../identity/contexts');
const context = (name) => JSON.parse(readFileSync(path.join(contexts, name)));
const known = new Map([
  ['https://www.w3.org/ns/credentials/v2', context('credentials-v2.jsonld')],
  ['https://w3id.org/consent-wallet/v1', context('consent-v1.jsonld')],
]);
const driver = didKey.driver();
driver.use({ multibaseMultikeyHeader: 'z6Mk', fromMultibase: Multikey.from });
// A key is resolved once, as ours is read once for each credential.
const documentLoader = async (url) => {
  if (!known.has(url)) {
    if (!url.startsWith('did:key:')) throw new Error(`not known: ${url}`);
    known.set(url, await driver.get({ url }));
  }
  return { contextUrl: null, documentUrl: url, document: known.get(url) };
};

const measure = async (name, work) => {
  for (let n = 0; n < 50; n++) await work();
  const from = process.hrtime.bigint();
  const end = from + BigInt(Math.round(Number(seconds) * 1e9));
  let count = 0;
  while (process.hrtime.bigint() < end) {
    await work();
    count++;
  }
  const each = Number(process.hrtime.bigint() - from) / count;
  console.log(`test ${name}@1 ... bench: ${Math.round(each)} ns/iter (+/- 0)`);
};

const credential = JSON.parse(readFileSync(file));
await measure('verify/digitalbazaar', async () => {
  const suite = new DataIntegrityProof({ cryptosuite: eddsa.cryptosuite });
  const result = await vc.verifyCredential({ credential, suite, documentLoader });
  if (!result.verified) throw result.error;
});

const pair = await Multikey.generate();
pair.controller = `did:key:${pair.publicKeyMultibase}`;
pair.id = `${pair.controller}#${pair.publicKeyMultibase}`;
const { proof, ...unsigned } = credential;
unsigned.issuer = pair.controller;
await measure('issue/digitalbazaar', async () => {
  const suite = new DataIntegrityProof({ signer: pair.signer(), cryptosuite: eddsa.cryptosuite });
  await vc.issue({ credential: { ...unsigned }, suite, documentLoader });
});
