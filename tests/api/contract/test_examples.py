"""Trying the examples of the document does no harm: none overwrites what the sample holds."""

import json
from typing import Any

import httpx
import pytest

from api.openapi import generate
from tests.api.conftest import SAMPLE

OPERATIONS = {o["operationId"]: o for methods in generate()["paths"].values() for o in methods.values()}
NODES = {node["id"] for node in json.loads((SAMPLE / "network.json").read_text())["nodes"]}
CHANNELS = {"web", "marketplace", "store", "social", "b2b"}


def bodies(operation_id: str) -> list[Any]:
    content = OPERATIONS[operation_id]["requestBody"]["content"].values()
    return [example["value"] for media in content for example in media["examples"].values()]


@pytest.mark.parametrize(
    ("operation", "theirs"), [("putNode", NODES), ("putSku", {"85123A"}), ("putChannel", CHANNELS)]
)
def test_what_is_put_has_an_id_of_its_own(operation: str, theirs: set[str]) -> None:
    ids = {body["id"] for body in bodies(operation)}
    (address,) = OPERATIONS[operation]["parameters"][0]["schema"]["examples"]
    assert ids == {address}
    assert not ids & theirs


@pytest.mark.parametrize(
    "operation", ["adjustInventory", "countInventory", "putSafetyStocks", "putMarkDowns", "importInventory"]
)
def test_stock_is_changed_of_the_examples_own_sku_alone(operation: str) -> None:
    assert not [node for node in NODES if node in json.dumps(bodies(operation))]
    assert "EXAMPLE-1" in json.dumps(bodies(operation))


@pytest.mark.parametrize("operation", ["captureOrder", "holdUnits", "requestReturn", "promiseAvailability"])
def test_a_node_that_is_named_is_one_of_the_sample(operation: str) -> None:
    text = json.dumps(bodies(operation))
    named = {each for body in bodies(operation) for each in (body.get("pickup_node"), body.get("node_id")) if each}
    assert named <= NODES
    assert "leeds" not in text


async def test_publishing_the_example_changes_nothing(http: httpx.AsyncClient) -> None:
    before = (await http.get("/v1/ofl/policies/live")).json()["version"]
    (based_on,) = next(
        [example["value"] for example in parameter["examples"].values()]
        for parameter in OPERATIONS["publishPolicy"]["parameters"]
        if parameter["name"] == "based_on"
    )
    examples = list(bodies("publishPolicy"))
    assert examples
    for body in examples:
        answer = await http.post("/v1/ofl/policies", params={"based_on": based_on}, json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert (await http.get("/v1/ofl/policies/live")).json()["version"] == before
