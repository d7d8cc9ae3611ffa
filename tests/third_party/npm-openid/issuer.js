// Somebody else's issuer in front of a biobank: it runs the protocol, and the biobank signs.
//
// In, one line: { did, own, log, pin, by: "value" | "reference" }. Out: { link }. Then, for each request that it takes,
// { holder }, upon which it waits for { credential }; what it refuses is { refused }.

import { createServer } from 'node:http';
import { Oauth2AuthorizationServer } from '@openid4vc/oauth2';
import { Openid4vciIssuer } from '@openid4vc/openid4vci';
import { callbacks, hear, say } from './common.js';

const wanted = await hear();
const calls = callbacks({ own: wanted.own });
const issuer = new Openid4vciIssuer({ callbacks: calls });
const authorization = new Oauth2AuthorizationServer({ callbacks: calls });
const signer = { method: 'jwk', alg: 'EdDSA', publicJwk: { kty: 'OKP', crv: 'Ed25519', x: wanted.own.x } };
const code = 'their-pre-authorised-code';
const nonce = 'their-nonce';

let metadata;
let offer;
const body = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const routes = {
  '/v1/log': async () => wanted.log,
  '/offer': async () => offer,
  '/.well-known/openid-credential-issuer': async () => metadata.credentialIssuer,
  '/.well-known/oauth-authorization-server': async () => metadata.authorizationServers[0],
  '/token': async (request, address) => {
    const accessTokenRequest = Object.fromEntries(new URLSearchParams(await body(request)));
    const like = { url: `${address}/token`, method: 'POST', headers: new Headers() };
    const parsed = authorization.parseAccessTokenRequest({ accessTokenRequest, request: like });
    await authorization.verifyPreAuthorizedCodeAccessTokenRequest({
      accessTokenRequest: parsed.accessTokenRequest,
      grant: parsed.grant,
      request: like,
      expectedPreAuthorizedCode: code,
      expectedTxCode: wanted.pin ?? undefined,
      authorizationServerMetadata: metadata.authorizationServers[0],
    });
    return authorization.createAccessTokenResponse({
      audience: address,
      authorizationServer: address,
      expiresInSeconds: 60,
      subject: code,
      signer,
    });
  },
  '/nonce': async () => issuer.createNonceResponse({ cNonce: nonce, cNonceExpiresIn: 60 }),
  '/credential': async (request) => {
    const credentialRequest = JSON.parse(await body(request));
    const parsed = issuer.parseCredentialRequest({ issuerMetadata: metadata, credentialRequest });
    const verified = await issuer.verifyCredentialRequestJwtProof({
      issuerMetadata: metadata,
      jwt: parsed.proofs.jwt[0],
      expectedNonce: nonce,
      nonceExpiresAt: new Date(Date.now() + 60_000),
    });
    say({ holder: verified.signer.didUrl.split('#')[0] });
    const { credential } = await hear();
    return issuer.createCredentialResponse({ credentialRequest: parsed, credentials: [{ credential }] });
  },
};

const server = createServer(async (request, response) => {
  const address = `http://${request.headers.host}`;
  try {
    const answer = await routes[request.url.split('?')[0]](request, address);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  } catch (error) {
    response.statusCode = 400;
    response.end('{}');
    say({ refused: `${error}` });
  }
});

server.listen(0, '127.0.0.1', async () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  const credentialIssuer = issuer.createCredentialIssuerMetadata({
    credential_issuer: address,
    credential_endpoint: `${address}/credential`,
    nonce_endpoint: `${address}/nonce`,
    credential_configurations_supported: {
      Theirs: {
        format: 'ldp_vc',
        proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['EdDSA'] } },
        credential_definition: { '@context': ['https://www.w3.org/ns/credentials/v2'], type: ['VerifiableCredential'] },
      },
    },
  });
  metadata = {
    originalDraftVersion: 'V1',
    credentialIssuer,
    authorizationServers: [
      authorization.createAuthorizationServerMetadata({ issuer: address, token_endpoint: `${address}/token` }),
    ],
    knownCredentialConfigurations: issuer.getKnownCredentialConfigurationsSupported(credentialIssuer),
  };
  const made = await issuer.createCredentialOffer({
    issuerMetadata: metadata,
    credentialConfigurationIds: ['Theirs'],
    grants: {
      'urn:ietf:params:oauth:grant-type:pre-authorized_code': {
        'pre-authorized_code': code,
        ...(wanted.pin ? { tx_code: { input_mode: 'numeric', length: wanted.pin.length } } : {}),
      },
    },
    ...(wanted.by === 'reference' ? { credentialOfferUri: `${address}/offer` } : {}),
  });
  offer = made.credentialOfferObject;
  say({ link: made.credentialOffer });
});
