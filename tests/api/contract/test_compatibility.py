"""Each way to break a caller is noticed, and what breaks nobody is not held against us."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from api.contract.compatibility import breaks, main

Change = Callable[[dict[str, Any]], None]

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/things": {
            "post": {
                "parameters": [
                    {"in": "query", "name": "kind", "schema": {"type": "string", "enum": ["a", "b"]}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Told"}}}},
                    "409": {"description": "no"},
                },
            },
            "get": {"responses": {"200": {"description": "all"}}},
        },
        "/other": {"get": {"responses": {"200": {"description": "all"}}}},
    },
    "components": {
        "schemas": {
            "Asked": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "maxLength": 10},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                },
                "required": ["name"],
            },
            "Line": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
            "Told": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "status": {"type": "string", "enum": ["new", "done"]},
                    "parent": {"anyOf": [{"$ref": "#/components/schemas/Told"}, {"type": "null"}]},
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                },
                "required": ["id", "status"],
            },
        }
    },
}


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def post(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/things"]["post"]
    return found


BREAKS: dict[str, tuple[Change, str]] = {
    "a path is gone": (lambda d: d["paths"].pop("/other"), "/other is gone"),
    "an operation is gone": (lambda d: d["paths"]["/things"].pop("get"), "GET /things is gone"),
    "an answer is gone": (lambda d: post(d)["responses"].pop("409"), "no longer answers 409"),
    "an answer has another form": (
        lambda d: post(d)["responses"]["200"].update(content={"text/plain": {}}),
        "no longer application/json",
    ),
    "a field of an answer is gone": (lambda d: schema(d, "Told")["properties"].pop("id"), ".id is gone"),
    "a field deep in an answer is gone": (lambda d: schema(d, "Line").update(properties={}), ".lines[] .sku is gone"),
    "a field of an answer may be absent": (
        lambda d: schema(d, "Told").update(required=["id"]),
        ".status may now be absent",
    ),
    "a field of an answer may be null": (
        lambda d: schema(d, "Told")["properties"].update(id={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ".id may now be null",
    ),
    "a field of an answer has another type": (
        lambda d: schema(d, "Told")["properties"].update(id={"type": "integer"}),
        ".id may now be integer",
    ),
    "a request needs a new field": (
        lambda d: schema(d, "Asked").update(
            properties={**schema(d, "Asked")["properties"], "colour": {"type": "string"}}, required=["name", "colour"]
        ),
        ".colour became required",
    ),
    "a request needs what was optional": (
        lambda d: schema(d, "Asked").update(required=["name", "size"]),
        ".size became required",
    ),
    "a request no longer takes a field": (lambda d: schema(d, "Asked")["properties"].pop("size"), ".size is gone"),
    "a request no longer takes null": (
        lambda d: schema(d, "Asked")["properties"].update(size={"type": "integer"}),
        ".size no longer takes null",
    ),
    "a request takes fewer values": (
        lambda d: post(d)["parameters"][0]["schema"].update(enum=["a"]),
        "kind no longer takes b",
    ),
    "a request takes only some values now": (
        lambda d: schema(d, "Asked")["properties"]["name"].update(enum=["x"]),
        ".name takes only some values now",
    ),
    "a request's limit fell": (
        lambda d: post(d)["parameters"][1]["schema"].update(maximum=100),
        "limit maximum fell to 100",
    ),
    "a request has a limit now": (
        lambda d: schema(d, "Asked")["properties"]["name"].update(minLength=3),
        ".name minLength rose to 3",
    ),
    "a request's text has a pattern now": (
        lambda d: schema(d, "Asked")["properties"]["name"].update(pattern="^x"),
        ".name has another pattern",
    ),
    "a parameter is gone": (lambda d: post(d)["parameters"].pop(0), "query kind is gone"),
    "a parameter became required": (
        lambda d: post(d)["parameters"][0].update(required=True),
        "query kind became required",
    ),
    "a new parameter is required": (
        lambda d: post(d)["parameters"].append({"in": "header", "name": "key", "required": True, "schema": {}}),
        "header key is new and required",
    ),
    "the body became required": (lambda d: post(d)["requestBody"].update(required=True), "needs a body"),
    "the body is gone": (lambda d: post(d).pop("requestBody"), "no longer takes a body"),
}

HARMLESS: dict[str, Change] = {
    "a new path": lambda d: d["paths"].update({"/new": {"get": {"responses": {}}}}),
    "a new operation": lambda d: d["paths"]["/other"].update({"put": {"responses": {}}}),
    "a new answer": lambda d: post(d)["responses"].update({"404": {}}),
    "a new field of an answer": lambda d: schema(d, "Told")["properties"].update(note={"type": "string"}),
    "a new value in an answer": lambda d: schema(d, "Told")["properties"]["status"].update(enum=["new", "done", "old"]),
    "an answer's field is always there now": lambda d: schema(d, "Told").update(required=["id", "status", "lines"]),
    "a new optional field of a request": lambda d: schema(d, "Asked")["properties"].update(note={"type": "string"}),
    "a request no longer needs a field": lambda d: schema(d, "Asked").update(required=[]),
    "a request takes more values": lambda d: post(d)["parameters"][0]["schema"].update(enum=["a", "b", "c"]),
    "a request takes null too": lambda d: schema(d, "Asked")["properties"].update(
        name={"anyOf": [{"type": "string", "maxLength": 10}, {"type": "null"}]}
    ),
    "a limit rose": lambda d: post(d)["parameters"][1]["schema"].update(maximum=500, minimum=0),
    "a new optional parameter": lambda d: post(d)["parameters"].append({"in": "query", "name": "q", "schema": {}}),
    "another description": lambda d: post(d).update(summary="Better said", operationId="same"),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_noticed(name: str) -> None:
    change, said = BREAKS[name]
    changed = deepcopy(DOCUMENT)
    change(changed)
    found = breaks(DOCUMENT, changed)
    assert any(said in broken for broken in found), found


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nobody_is_let_pass(name: str) -> None:
    changed = deepcopy(DOCUMENT)
    HARMLESS[name](changed)
    assert breaks(DOCUMENT, changed) == []


def test_the_command_fails_on_a_break(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(DOCUMENT))
    new.write_text(json.dumps({**DOCUMENT, "paths": {}}))
    assert main(str(old), str(old)) == 0
    assert main(str(old), str(new)) == 1
    assert "/things is gone" in capsys.readouterr().err
