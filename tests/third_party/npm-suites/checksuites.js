// The reference implementation of the suites. Reads one JSON object from standard input,
//   {"contexts": {url: document}, "sign": [{"suite", "curve", "credential", "mandatory"}],
//    "derive": [{"credential", "selective"}], "verify": [credential], "resolve": [did]},
// and writes {"signed": [credential], "derived": [credential], "verified": [bool, ...], "errors": [text, ...],
// "documents": [document]}. Each credential is signed with a fresh key, whose DID becomes the issuer. Nothing is fetched.
import * as Bls12381Multikey from '@digitalbazaar/bls12-381-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as bbs from '@digitalbazaar/bbs-2023-cryptosuite';
import * as ecdsaJcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as ecdsaSd from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite as ecdsaRdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {cryptosuite as eddsaRdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {driver} from '@digitalbazaar/did-method-key';
import {readFileSync} from 'node:fs';

const asked = JSON.parse(readFileSync(0, 'utf8'));

const dids = driver();
dids.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});
dids.use({multibaseMultikeyHeader: 'zDna', fromMultibase: EcdsaMultikey.from});
dids.use({multibaseMultikeyHeader: 'z82L', fromMultibase: EcdsaMultikey.from});
dids.use({multibaseMultikeyHeader: 'zUC7', fromMultibase: Bls12381Multikey.from});

const documentLoader = async url => {
  if(url in asked.contexts) {
    return {contextUrl: null, documentUrl: url, document: asked.contexts[url]};
  }
  if(url.startsWith('did:key:')) {
    return {contextUrl: null, documentUrl: url, document: await dids.get({url})};
  }
  throw new Error(`not known: ${url}`);
};

const toSign = {
  'eddsa-rdfc-2022': () => eddsaRdfc,
  'eddsa-jcs-2022': eddsaJcs.createSignCryptosuite,
  'ecdsa-rdfc-2019': () => ecdsaRdfc,
  'ecdsa-jcs-2019': ecdsaJcs.createSignCryptosuite,
  'ecdsa-sd-2023': ecdsaSd.createSignCryptosuite,
  'bbs-2023': bbs.createSignCryptosuite
};
const toDerive = {
  'ecdsa-sd-2023': ecdsaSd.createDiscloseCryptosuite,
  'bbs-2023': bbs.createDiscloseCryptosuite
};
const toVerify = {
  'eddsa-rdfc-2022': () => eddsaRdfc,
  'eddsa-jcs-2022': eddsaJcs.createVerifyCryptosuite,
  'ecdsa-rdfc-2019': () => ecdsaRdfc,
  'ecdsa-jcs-2019': ecdsaJcs.createVerifyCryptosuite,
  'ecdsa-sd-2023': ecdsaSd.createVerifyCryptosuite,
  'bbs-2023': bbs.createVerifyCryptosuite
};

const signed = [];
const freshKey = curve => {
  if(curve === 'BLS12-381') {
    return Bls12381Multikey.generateBbsKeyPair({algorithm: Bls12381Multikey.ALGORITHMS.BBS_BLS12381_SHA256});
  }
  return curve ? EcdsaMultikey.generate({curve}) : Ed25519Multikey.generate();
};
for(const {suite, curve, credential, mandatory} of asked.sign) {
  const key = await freshKey(curve);
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  const proof = new DataIntegrityProof({signer: key.signer(), cryptosuite: toSign[suite]({mandatoryPointers: mandatory})});
  signed.push(await vc.issue({credential: {...credential, issuer: key.controller}, suite: proof, documentLoader}));
}

const derived = [];
for(const {credential, selective} of asked.derive) {
  const cryptosuite = toDerive[credential.proof.cryptosuite]({selectivePointers: selective});
  const suite = new DataIntegrityProof({cryptosuite});
  derived.push(await vc.derive({verifiableCredential: credential, suite, documentLoader}));
}

const verified = [];
const errors = [];
for(const credential of asked.verify) {
  const suite = new DataIntegrityProof({cryptosuite: toVerify[credential.proof.cryptosuite]()});
  // Where a status is named its list is another check; here the signature is what is asked about.
  const checkStatus = async () => ({verified: true});
  const result = await vc.verifyCredential({credential, suite, documentLoader, checkStatus});
  verified.push(result.verified);
  const reasons = result.error?.errors ?? (result.error ? [result.error] : []);
  errors.push(reasons.map(error => error.message).join('; '));
}
const documents = await Promise.all(asked.resolve.map(did => dids.get({did})));
console.log(JSON.stringify({signed, derived, verified, errors, documents}));
