"""Reads visas with PyJWT, which shares no code with us, as a clearinghouse would: it trusts an issuer and the address
of its keys, fetches these, and takes algorithms from its own list.

Takes a list of cases as JSON on standard input and writes one line for each: its name, a tab, and `accepted` or
`refused: REASON`.
"""

import json
import sys

import jwt


def check(case):
    visa, trusted = case["visa"], case["trusted"]
    header = jwt.get_unverified_header(visa)
    # The profile: that the address of the keys is the issuer's is looked at before it is called.
    if header["typ"] != "vnd.ga4gh.visa+jwt" or header.get("jku") != trusted["jku"]:
        raise jwt.InvalidTokenError("not a visa with this issuer's keys")
    # The test's service is reached by another name than the one that it was told.
    key = jwt.PyJWKClient(case["fetched"]).get_signing_key_from_jwt(visa)
    claims = jwt.decode(
        visa,
        key.key,
        algorithms=case["algorithms"],
        issuer=trusted["iss"],
        options={"require": ["iss", "sub", "iat", "exp", "jti"]},
    )
    assert claims["ga4gh_visa_v1"]["type"] == "ControlledAccessGrants"
    assert 0 < claims["exp"] - claims["iat"] <= 3600


for wanted in json.load(sys.stdin):
    try:
        check(wanted)
        verdict = "accepted"
    except jwt.PyJWTError as error:
        verdict = f"refused: {type(error).__name__}: {error}"
    print(f"{wanted['name']}\t{verdict}".replace("\n", " "))
