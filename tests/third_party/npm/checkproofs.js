// Reads proofs of inclusion with the verifier of sigstore for npm, which shares no code with us.
//
// Takes a list of cases as JSON on standard input and writes one line for each: its name, a tab, and `accepted` or
// `refused: REASON`.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { VerificationError } = require('@sigstore/verify');
const { verifyTLogInclusion } = require('@sigstore/verify/dist/tlog');

// The verifier key `name+id+base64` as a log that sigstore trusts.
function trusted(vkey) {
  const [name, id, ...rest] = vkey.split('+');
  const typed = Buffer.from(rest.join('+'), 'base64');
  if (typed[0] !== 1) throw new Error('not an Ed25519 key');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: typed.subarray(1).toString('base64url') };
  return {
    logID: Buffer.from(id, 'hex'),
    baseURL: `https://${name}`,
    publicKey: crypto.createPublicKey({ key: jwk, format: 'jwk' }),
  };
}

function check({ vkey, note, index, hashes, entry }) {
  const proof = {
    logIndex: String(index),
    hashes: hashes.map((hash) => Buffer.from(hash, 'base64')),
    checkpoint: { envelope: note },
  };
  verifyTLogInclusion({ inclusionProof: proof, canonicalizedBody: Buffer.from(entry, 'base64') }, [trusted(vkey)]);
}

for (const wanted of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  let verdict = 'accepted';
  try {
    check(wanted);
  } catch (error) {
    // SyntaxError: a size that is no number.
    if (!(error instanceof VerificationError || error instanceof SyntaxError)) throw error;
    verdict = `refused: ${error.message}`;
  }
  console.log(`${wanted.name}\t${verdict}`);
}
