"""The JSON Schema of a kind of document: what stands where in it, for editors and for what is said of mistakes."""

from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel

from dom.documents.findings import Path

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class DocumentSchema:
    """The schema of a model's documents."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return self._model.model_json_schema()

    def json_schema(self, address: str, title: str) -> dict[str, Any]:
        """The schema, in the dialect of JSON Schema 2020-12."""
        return {"$schema": DIALECT, "$id": address, **self._schema, "title": title}

    def part(self, path: Path) -> dict[str, Any]:
        """What the schema says of a place in the document; empty where it knows none."""
        found = self._schema
        for step in path:
            found = _below(self._resolved(found), step)
        return self._resolved(found)

    def fields(self, path: Path) -> list[str]:
        """The names of the fields at a place; none where the names are the writer's own."""
        return sorted(self.part(path).get("properties", {}))

    def choices(self, path: Path) -> list[str]:
        """The values a place may have; none where it is free."""
        return self._choices(self.part(path))

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self._schema["$defs"][schema["$ref"].rpartition("/")[2]]
        real = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
        return self._resolved(real[0]) if len(real) == 1 else schema

    def _choices(self, schema: dict[str, Any]) -> list[str]:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return [choice for option in schema["anyOf"] for choice in self._choices(option)]
        if "const" in schema:
            return [str(schema["const"])]
        return [str(each) for each in schema.get("enum", [])]


def _below(schema: dict[str, Any], step: str | int) -> dict[str, Any]:
    if isinstance(step, int):
        return dict(schema.get("items", {}))
    found = schema.get("properties", {}).get(step)
    if found is None:
        found = schema.get("additionalProperties") or {}
    return dict(found) if isinstance(found, dict) else {}
