"""Reads {"contexts": {url: context}, "documents": [document, …]} and writes the canonical N-Quads (RDFC-1.0) of each
document as one JSON text a line, or null where pyld refuses it."""

import json
import sys

from pyld import jsonld

given = json.load(sys.stdin)


def load(url, _options):
    if url not in given["contexts"]:
        raise ValueError(f"not known: {url}")
    return {"contextUrl": None, "documentUrl": url, "document": given["contexts"][url]}


jsonld.set_document_loader(load)
for document in given["documents"]:
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "safe": True}
    print(json.dumps(jsonld.normalize(document, options)))
