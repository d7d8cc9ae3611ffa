// Somebody else's wallet: resolves a request of ours and answers it with what it is given.
//
// In: { link }, then { vp_token, consent_records, … }. Out: { request } or { refused }, then { status }.

import { Openid4vpClient } from '@openid4vc/openid4vp';
import { callbacks, hear, say } from './common.js';

const { link } = await hear();
const client = new Openid4vpClient({ callbacks: callbacks({}) });
try {
  const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params });
  const request = resolved.authorizationRequestPayload;
  say({ request, client: resolved.client.prefix, transactions: resolved.transactionData });
  const jarm = request.response_mode === 'direct_post.jwt' && {
    encryption: { nonce: 'a nonce of the wallet' },
    serverMetadata: {
      authorization_encryption_alg_values_supported: ['ECDH-ES'],
      authorization_encryption_enc_values_supported: ['A128GCM', 'A256GCM'],
    },
  };
  for (let next = await hear(); next !== undefined; next = await hear()) {
    const answer = await client.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: request,
      authorizationResponsePayload: next,
      ...(jarm ? { jarm } : {}),
    });
    const sent = await client.submitOpenid4vpAuthorizationResponse({ ...answer, authorizationRequestPayload: request });
    say({ status: sent.response.status });
  }
} catch (error) {
  say({ refused: `${error}` });
}
process.exit(0);
