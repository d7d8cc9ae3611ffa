"""Reads FHIR R5 Consent resources with fhir.resources; fails with the first thing that is not valid.

The models check names, types and what must be there. They carry the permitted codes and do not check them: the walk
below does. What was read, written again, must be what stood in the file.
"""

import json
import sys

from fhir.resources.consent import Consent
from pydantic import BaseModel


def walk(model, path):
    for name, field in type(model).model_fields.items():
        value = getattr(model, name, None)
        if value is None:
            continue
        values = value if isinstance(value, list) else [value]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        for item in values:
            if "enum_values" in extra and item not in extra["enum_values"]:
                sys.exit(f"{path}.{name}: {item!r} is not one of {extra['enum_values']}")
            if isinstance(item, BaseModel):
                walk(item, f"{path}.{name}")


for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as handle:
        text = handle.read()
    consent = Consent.model_validate_json(text)
    walk(consent, "Consent")
    again = json.loads(consent.model_dump_json(exclude_none=True, by_alias=True))
    if again != json.loads(text):
        sys.exit(f"{file}: something was not read")
    print(f"{file}: valid")
