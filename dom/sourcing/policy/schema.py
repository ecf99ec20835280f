"""The JSON Schema of the policy document, for editors and for whoever writes policies by program."""

from functools import cache
from typing import Any, Final

from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.findings import Path

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@cache
def _schema() -> dict[str, Any]:
    return Policy.model_json_schema()


def json_schema() -> dict[str, Any]:
    """The schema, in the dialect of JSON Schema 2020-12."""
    return {"$schema": DIALECT, "$id": "/v1/ofl/policies/schema", **_schema(), "title": "OFL policy"}


def part(path: Path) -> dict[str, Any]:
    """What the schema says of a place in the document; empty where it knows none."""
    found = _schema()
    for step in path:
        found = _below(_resolved(found), step)
    return _resolved(found)


def fields(path: Path) -> list[str]:
    """The names of the fields at a place; none where the names are the writer's own."""
    return sorted(part(path).get("properties", {}))


def choices(path: Path) -> list[str]:
    """The values a place may have; none where it is free."""
    return _choices(part(path))


def _below(schema: dict[str, Any], step: str | int) -> dict[str, Any]:
    if isinstance(step, int):
        return dict(schema.get("items", {}))
    found = schema.get("properties", {}).get(step)
    if found is None:
        found = schema.get("additionalProperties") or {}
    return dict(found) if isinstance(found, dict) else {}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    real = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    return _resolved(real[0]) if len(real) == 1 else schema


def _choices(schema: dict[str, Any]) -> list[str]:
    schema = _resolved(schema)
    if "anyOf" in schema:
        return [choice for option in schema["anyOf"] for choice in _choices(option)]
    if "const" in schema:
        return [str(schema["const"])]
    return [str(each) for each in schema.get("enum", [])]
