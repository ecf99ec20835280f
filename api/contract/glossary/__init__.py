"""What the names of fields and parameters mean, wherever they say nothing more themselves.

A name means the same in every schema. A field whose meaning is a narrower one says so where it is declared, and that
counts.
"""

from typing import Any, Final

from api.contract.glossary import common, special

FIELDS: Final = {**common.FIELDS, **special.FIELDS}
"""By the name of the field."""
PARAMETERS: Final = {
    "channel": "Only this channel's.",
    "format": "How the rows are written: as CSV or as JSON Lines.",
    "kind": "Only of this kind.",
    "name": "The name of the type.",
    "status": "Only what stands so.",
}
"""By the name of the parameter."""


def describe(schemas: dict[str, Any], parameters: list[dict[str, Any]]) -> None:
    """Write the meaning to every field and parameter that has none."""
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if "description" not in field and name in FIELDS:
                field["description"] = FIELDS[name]
    for parameter in parameters:
        if "description" not in parameter and parameter["name"] in PARAMETERS:
            parameter["description"] = PARAMETERS[parameter["name"]]
