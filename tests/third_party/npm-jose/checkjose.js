// Other people's libraries for tokens. Reads one JSON object from standard input,
//   {"tokens": [{"token", "jwk", "typ", "audience"}], "sign": [{"alg", "typ", "payload", "named"}],
//    "sdJwts": [{"text", "jwk", "alg", "nonce", "now"}], "issue": [{"alg", "claims", "frame", "show", "nonce", "audience", "now"}],
//    "bits": [{"encodedList", "index"}], "lists": [{"length", "set"}],
//    "statusTokens": [{"alg", "bits", "list", "payload"}]},
// and writes a list of answers under each of these names. What is signed here is signed with a fresh key that its
// did:jwk names, put into the member `named`.
import * as jose from 'jose';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';
import {StatusList, createHeaderAndPayload} from '@sd-jwt/jwt-status-list';
import {createList, decodeList} from '@digitalbazaar/vc-bitstring-status-list';
import {digest, generateSalt, getSigner, getVerifier} from '@sd-jwt/crypto-nodejs';
import {readFileSync} from 'node:fs';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const each = (list, work) => Promise.all((list ?? []).map(async one => {
  try {
    return await work(one);
  } catch(error) {
    return {error: String(error.message ?? error)};
  }
}));

const curves = {
  EdDSA: [{name: 'Ed25519'}, {name: 'Ed25519'}],
  ES256: [{name: 'ECDSA', namedCurve: 'P-256'}, {name: 'ECDSA', hash: 'SHA-256'}],
  ES384: [{name: 'ECDSA', namedCurve: 'P-384'}, {name: 'ECDSA', hash: 'SHA-384'}]
};
const verifierOf = (jwk, alg) => getVerifier(jwk, ...curves[alg]);
const signerOf = (jwk, alg) => getSigner(jwk, ...curves[alg]);

const fresh = async alg => {
  const pair = await jose.generateKeyPair(alg, {extractable: true});
  const jwk = await jose.exportJWK(pair.publicKey);
  return {...pair, jwk, secret: await jose.exportJWK(pair.privateKey),
    did: `did:jwk:${jose.base64url.encode(JSON.stringify(jwk))}`};
};

const sdJwtVc = options => new SDJwtVcInstance({hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt, ...options});
const kbVerifier = async (data, signature, payload) => {
  const {alg} = jose.decodeProtectedHeader(`${data}.x`);
  return (await verifierOf(payload.cnf.jwk, alg))(data, signature);
};

const answers = {};
answers.tokens = await each(asked.tokens, async ({token, jwk, typ, audience, now}) => {
  const key = await jose.importJWK(jwk, jose.decodeProtectedHeader(token).alg);
  const {payload} = await jose.jwtVerify(token, key, {typ, audience: audience ?? undefined, currentDate: new Date(now * 1000)});
  return payload;
});
answers.sign = await each(asked.sign, async ({alg, typ, payload, named}) => {
  const key = await fresh(alg);
  return new jose.SignJWT({...payload, [named]: key.did})
    .setProtectedHeader({alg, typ, kid: `${key.did}#0`}).sign(key.privateKey);
});
answers.sdJwts = await each(asked.sdJwts, async ({text, jwk, alg, nonce, now}) => {
  const instance = sdJwtVc({verifier: await verifierOf(jwk, alg), kbVerifier});
  return (await instance.verify(text, {currentDate: now, keyBindingNonce: nonce})).payload;
});
answers.issue = await each(asked.issue, async ({alg, claims, frame, show, nonce, audience, now}) => {
  const [issuer, holder] = [await fresh(alg), await fresh('ES256')];
  const instance = sdJwtVc({
    signer: await signerOf(issuer.secret, alg), signAlg: alg,
    kbSigner: await signerOf(holder.secret, 'ES256'), kbSignAlg: 'ES256'
  });
  const payload = {...claims, iss: issuer.did, cnf: {jwk: holder.jwk}};
  const held = await instance.issue(payload, frame, {header: {kid: `${issuer.did}#0`}});
  const presented = await instance.present(held, show, {kb: {payload: {iat: now, aud: audience, nonce}}});
  return {held, presented};
});
answers.bits = await each(asked.bits, async ({encodedList, index}) =>
  (await decodeList({encodedList})).getStatus(index));
answers.lists = await each(asked.lists, async ({length, set}) => {
  const list = await createList({length});
  set.forEach(index => list.setStatus(index, true));
  return list.encode();
});
answers.statusTokens = await each(asked.statusTokens, async ({alg, bits, list, payload}) => {
  const key = await fresh(alg);
  const made = createHeaderAndPayload(new StatusList(list, bits), {...payload, iss: key.did}, {alg, kid: `${key.did}#0`});
  return new jose.SignJWT(made.payload).setProtectedHeader(made.header).sign(key.privateKey);
});
console.log(JSON.stringify(answers));
