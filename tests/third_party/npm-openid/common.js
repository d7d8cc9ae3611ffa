// Keys and lines, for the parts that others play.

import { createHash, randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setGlobalConfig } from '@openid4vc/utils';
import * as jose from 'jose';

// The tests speak over plain http, on this machine only.
setGlobalConfig({ allowInsecureUrls: true });

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The next line of input as JSON; undefined at its end. */
export async function hear() {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
}

/** One line of output. */
export function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** The public key of an Ed25519 did:key, as a JWK. */
export function publicJwk(did) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const text = did.split('#')[0].slice('did:key:z'.length);
  let number = 0n;
  for (const letter of text) number = number * 58n + BigInt(alphabet.indexOf(letter));
  const bytes = Buffer.from(number.toString(16).padStart(68, '0'), 'hex');
  if (bytes[0] !== 0xed || bytes[1] !== 0x01) throw new Error('not an Ed25519 did:key');
  return { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(2).toString('base64url') };
}

/** What the libraries leave to others: signing with `own`, checking by DID, encryption to and by `secret`. */
export function callbacks({ own, secret }) {
  return {
    fetch,
    hash: (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
    generateRandom: (length) => randomBytes(length),
    clientAuthentication: () => {},
    signJwt: async (signer, { header, payload }) => ({
      jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(await jose.importJWK(own, signer.alg)),
      signerJwk: own,
    }),
    verifyJwt: async (signer, { compact }) => {
      const jwk = publicJwk(signer.didUrl);
      try {
        await jose.compactVerify(compact, await jose.importJWK(jwk, signer.alg));
        return { verified: true, signerJwk: jwk };
      } catch {
        return { verified: false };
      }
    },
    encryptJwe: async (encryptor, data) => ({
      encryptionJwk: encryptor.publicJwk,
      jwe: await new jose.CompactEncrypt(new TextEncoder().encode(data))
        .setProtectedHeader({ alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid })
        .setKeyManagementParameters({
          apv: encryptor.apv && jose.base64url.decode(encryptor.apv),
          apu: encryptor.apu && jose.base64url.decode(encryptor.apu),
        })
        .encrypt(await jose.importJWK(encryptor.publicJwk, encryptor.alg)),
    }),
    decryptJwe: async (jwe) => {
      try {
        const { plaintext } = await jose.compactDecrypt(jwe, await jose.importJWK(secret, 'ECDH-ES'));
        return { decrypted: true, decryptionJwk: secret, payload: new TextDecoder().decode(plaintext) };
      } catch {
        return { decrypted: false };
      }
    },
  };
}

/** A key to encrypt to, with its secret half. */
export async function encryptionKey(curve) {
  const { publicKey, privateKey } = await jose.generateKeyPair('ECDH-ES', { crv: curve, extractable: true });
  const named = { kid: 'answer', use: 'enc', alg: 'ECDH-ES' };
  return {
    open: { ...(await jose.exportJWK(publicKey)), ...named },
    secret: { ...(await jose.exportJWK(privateKey)), ...named },
  };
}
