"""Reads proofs of inclusion with sigstore's own code for checkpoints and Merkle trees, which shares none with us.

Takes a list of cases as JSON on standard input and writes one line for each: its name, a tab, and `accepted` or
`refused: REASON`.
"""

import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore._internal.trust import Keyring, RekorKeyring
from sigstore.errors import VerificationError
from sigstore.models import TransparencyLogEntry
from sigstore_models.common import v1 as common
from sigstore_models.rekor import v1 as rekor


def keyring(vkey):
    """The verifier key `name+id+base64` as sigstore knows keys, and its id."""
    name, key_id, typed = vkey.split("+", 2)
    raw = base64.b64decode(typed)
    assert raw[0] == 1, "an Ed25519 key"
    spki = Ed25519PublicKey.from_public_bytes(raw[1:]).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = common.PublicKey(raw_bytes=base64.b64encode(spki), key_details=common.PublicKeyDetails.PKIX_ED25519)
    return RekorKeyring(Keyring([key])), name, bytes.fromhex(key_id)


def check(case):
    keys, name, key_id = keyring(case["vkey"])
    head = SignedCheckpoint.from_text(case["note"]).checkpoint
    if head.origin != name:
        raise VerificationError("another origin")
    inner = rekor.TransparencyLogEntry(
        log_index=str(case["index"]),
        log_id=common.LogId(key_id=base64.b64encode(key_id)),
        kind_version=rekor.KindVersion(kind="entry", version="1"),
        integrated_time="0",
        inclusion_promise=None,
        inclusion_proof=rekor.InclusionProof(
            log_index=str(case["index"]),
            root_hash=base64.b64encode(bytes.fromhex(head.log_hash)),
            tree_size=str(head.log_size),
            hashes=case["hashes"],
            checkpoint=rekor.Checkpoint(envelope=case["note"]),
        ),
        canonicalized_body=case["entry"],
    )
    entry = TransparencyLogEntry(inner)
    verify_checkpoint(keys, entry)
    verify_merkle_inclusion(entry)


for case in json.load(sys.stdin):
    try:
        check(case)
        verdict = "accepted"
    # ValueError: pydantic, base64 and numbers.
    except (VerificationError, ValueError) as error:
        verdict = "refused: " + " ".join(str(error).split())[:200]
    print(case["name"], verdict, sep="\t")
