// Somebody else's wallet, which takes the credential of an offer of ours.
//
// In, one line: { link, did, own, pins }. Out: { refused } for each PIN that is not the right one, then { credential }.

import { Openid4vciClient } from '@openid4vc/openid4vci';
import { callbacks, hear, say } from './common.js';

const wanted = await hear();
const client = new Openid4vciClient({ callbacks: callbacks({ own: wanted.own }) });
const credentialOffer = await client.resolveCredentialOffer(wanted.link);
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
const [credentialConfigurationId] = credentialOffer.credential_configuration_ids;
for (const txCode of wanted.pins) {
  try {
    const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
      credentialOffer,
      issuerMetadata,
      txCode,
    });
    const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
    const { jwt } = await client.createCredentialRequestJwtProof({
      issuerMetadata,
      credentialConfigurationId,
      nonce,
      signer: { method: 'did', didUrl: `${wanted.did}#${wanted.did.slice('did:key:'.length)}`, alg: 'EdDSA' },
    });
    const { credentialResponse } = await client.retrieveCredentials({
      issuerMetadata,
      credentialConfigurationId,
      proofs: { jwt: [jwt] },
      accessToken: accessTokenResponse.access_token,
    });
    say({ credential: credentialResponse.credentials[0].credential });
  } catch (error) {
    say({ refused: `${error}` });
  }
}
process.exit(0);
