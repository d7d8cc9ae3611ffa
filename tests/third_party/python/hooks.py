"""Signs the requests of schemathesis as the service asks (RFC 9421), with the key whose seed is in SIGN_WITH."""

import base64
import hashlib
import os
import secrets
import time
from urllib.parse import urlsplit

import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
COMPONENTS = '("@method" "@authority" "@path" "@query" "content-digest")'


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return text


class Signed(requests.auth.AuthBase):
    def __init__(self, seed):
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        part = "z" + base58(b"\xed\x01" + public)
        self.keyid = f"did:key:{part}#{part}"

    def __call__(self, request):
        url = urlsplit(request.url)
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        if not isinstance(body, bytes):
            return request
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        parameters = (
            f'{COMPONENTS};created={int(time.time())};nonce="{secrets.token_urlsafe(16)}";'
            f'keyid="{self.keyid}";tag="consent-wallet"'
        )
        base = "\n".join(
            [
                f'"@method": {request.method}',
                f'"@authority": {url.netloc.lower()}',
                f'"@path": {url.path or "/"}',
                f'"@query": ?{url.query}',
                f'"content-digest": {digest}',
                f'"@signature-params": {parameters}',
            ]
        )
        signature = base64.b64encode(self.key.sign(base.encode())).decode()
        request.headers["Content-Digest"] = digest
        request.headers["Signature-Input"] = f"sig1={parameters}"
        request.headers["Signature"] = f"sig1=:{signature}:"
        return request


if os.environ.get("SIGN_WITH"):
    schemathesis.auth.set_from_requests(Signed(bytes.fromhex(os.environ["SIGN_WITH"])))


@schemathesis.serializer("application/jose", "application/jose-seq")
def jose(ctx, value):
    """Signed messages go out as they are."""
    return value if isinstance(value, bytes) else str(value).encode()
