// Somebody else's verifier: makes a request, serves it, and says what it makes of the answer.
//
// In, one line: { did, own, payload, encrypted: false | curve, by: "value" | "get" | "post" }.
// Out: { link, payload, jwt }, then, once somebody answers, { answer } or { refused }.

import { createServer } from 'node:http';
import { Openid4vpVerifier } from '@openid4vc/openid4vp';
import { callbacks, encryptionKey, hear, say } from './common.js';

const wanted = await hear();
const encryption = wanted.encrypted ? await encryptionKey(wanted.encrypted) : undefined;
const calls = callbacks({ own: wanted.own, secret: encryption?.secret });
const verifier = new Openid4vpVerifier({ callbacks: calls });

const body = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
};

let payload;
let requestUri;
const make = (walletNonce) =>
  verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: walletNonce ? { ...payload, wallet_nonce: walletNonce } : payload,
    jar: {
      requestUri: wanted.by === 'value' ? undefined : requestUri,
      jwtSigner: { method: 'did', didUrl: `${wanted.did}#${wanted.did.slice('did:key:'.length)}`, alg: 'EdDSA' },
      expiresInSeconds: 300,
      additionalJwtPayload: { aud: 'https://self-issued.me/v2' },
    },
    ...(walletNonce ? { wallet: { expectedNonce: walletNonce } } : {}),
    callbacks: calls,
  });

const server = createServer(async (request, response) => {
  try {
    if (request.url === '/request') {
      const { wallet_nonce: nonce } = request.method === 'POST' ? await body(request) : {};
      const made = await make(nonce);
      response.setHeader('content-type', 'application/oauth-authz-req+jwt');
      return response.end(made.jar.authorizationRequestJwt);
    }
    const authorizationResponse = await body(request);
    for (const name of ['vp_token', 'consent_records']) {
      if (authorizationResponse[name]) authorizationResponse[name] = JSON.parse(authorizationResponse[name]);
    }
    const parsed = await verifier.parseOpenid4vpAuthorizationResponse({
      authorizationResponse,
      authorizationRequestPayload: payload,
      callbacks: calls,
    });
    response.setHeader('content-type', 'application/json');
    response.end('{}');
    say({ answer: { presentations: parsed.dcql.presentations, payload: parsed.authorizationResponsePayload, jarm: parsed.jarm?.type } });
  } catch (error) {
    response.statusCode = 400;
    response.end(`${error}`);
    say({ refused: `${error}` });
  }
});

server.listen(0, '127.0.0.1', async () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  requestUri = `${address}/request`;
  payload = {
    response_type: 'vp_token',
    client_id: `decentralized_identifier:${wanted.did}`,
    response_uri: `${address}/response`,
    response_mode: encryption ? 'direct_post.jwt' : 'direct_post',
    ...wanted.payload,
  };
  if (encryption) {
    const unusable = [{ kty: 'EC', crv: 'P-521', kid: 'other', alg: 'ECDH-ES', x: 'AA', y: 'AA' }, { kty: 'oct', k: 'AA' }];
    payload.client_metadata = {
      ...payload.client_metadata,
      jwks: { keys: [...unusable, encryption.open] },
      encrypted_response_enc_values_supported: ['A192GCM', 'A256GCM'],
    };
  }
  const made = await make();
  const link = wanted.by === 'post' ? `${made.authorizationRequest}&request_uri_method=post` : made.authorizationRequest;
  say({ link, payload, jwt: made.jar.authorizationRequestJwt });
});

// It ends with whoever started it.
while ((await hear()) !== undefined);
process.exit(0);
