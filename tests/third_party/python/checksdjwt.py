"""The reference implementation of SD-JWT by its authors. Takes one JSON object on standard input,
  {"verify": [{"text", "jwk", "nonce", "aud", "alg"}], "issue": [{"claims", "nonce", "aud"}]},
and writes {"verify": [claims or {"error"}], "issue": [{"held", "presented"}]}. What is issued is signed with a fresh key
that its did:jwk names in `iss`; every claim of `claims` and every item of its lists is concealed, but for `vct` and
`iat`, and claims are shown except for the first.
"""

import base64
import json
import sys

import sd_jwt.verifier
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier


def verify(case):
    # The library takes key bindings by one algorithm only, which can not be given.
    sd_jwt.verifier.DEFAULT_SIGNING_ALG = case["alg"]
    key = JWK.from_json(json.dumps(case["jwk"]))
    try:
        verifier = SDJWTVerifier(case["text"], lambda issuer, header: key, case["aud"], case["nonce"])
        return verifier.get_verified_payload()
    except Exception as error:  # whatever it is, it is not verified
        return {"error": repr(error)}


def issue(case):
    issuer, holder = (JWK.generate(kty="EC", crv="P-256") for _ in range(2))
    public = json.dumps(issuer.export_public(as_dict=True)).encode()
    did = "did:jwk:" + base64.urlsafe_b64encode(public).decode().rstrip("=")
    claims = {"iss": did}
    for name, value in case["claims"].items():
        shown = name in ("vct", "iat")
        value = [SDObj(item) for item in value] if isinstance(value, list) else value
        claims[name if shown else SDObj(name)] = value
    header = {"typ": "dc+sd-jwt", "kid": did + "#0"}
    made = SDJWTIssuer(claims, issuer, holder, add_decoy_claims=True, extra_header_parameters=header)
    shown = {name: True for name in list(case["claims"])[1:]}
    presenting = SDJWTHolder(made.sd_jwt_issuance)
    presenting.create_presentation(shown, case["nonce"], case["aud"], holder)
    return {"held": made.sd_jwt_issuance, "presented": presenting.sd_jwt_presentation}


asked = json.load(sys.stdin)
print(json.dumps({"verify": [verify(case) for case in asked["verify"]], "issue": [issue(case) for case in asked["issue"]]}))
