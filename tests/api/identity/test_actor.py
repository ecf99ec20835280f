"""Who did it is known by key or token: nobody says it of himself, and nobody can be called like our own processes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.openapi import generate
from dom.shared.access import Limits, Role
from tests.api.driving import Channel, order
from tests.worlds.access import key_of

DOCUMENT = generate()
WRITES = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if method != "get"
]


def schemas_of_bodies() -> dict[str, Any]:
    """Every schema that a request's body may have, those within it among them."""
    found: dict[str, Any] = {}

    def follow(part: Any) -> None:
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found[name] = DOCUMENT["components"]["schemas"][name]
                follow(found[name])
            for each in part.values():
                follow(each)
        elif isinstance(part, list):
            for each in part:
                follow(each)

    for _, _, operation in WRITES:
        follow(operation.get("requestBody", {}))
    return found


def test_no_body_and_no_parameter_has_an_actor() -> None:
    assert [name for name, schema in schemas_of_bodies().items() if "actor" in schema.get("properties", {})] == []
    parameters = [each["name"] for _, _, operation in WRITES for each in operation.get("parameters", [])]
    assert "actor" not in parameters


@pytest.mark.parametrize(("method", "path", "operation"), WRITES, ids=[f"{m} {p}" for m, p, _ in WRITES])
async def test_one_that_is_sent_is_refused(
    http: httpx.AsyncClient, method: str, path: str, operation: dict[str, Any]
) -> None:
    address = path.replace("{version}", "1").replace("{", "").replace("}", "")
    answer = await http.request(method, address, params={"actor": "system:ofl"})
    assert (answer.status_code, answer.json().get("field")) == (422, "actor"), answer.text
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" not in schema or schema["$ref"].endswith("/Policy"):
        return
    for example in content["application/json"].get("examples", {}).values():
        sent = await http.request(method, address, json={**example["value"], "actor": "system:ofl"})
        assert sent.status_code == 422, sent.text
        assert "actor" in [each["field"] for each in sent.json()["errors"]], sent.text


async def test_the_timeline_has_the_names_of_the_keys(channel: Channel, engine: AsyncEngine) -> None:
    placed = await channel.place(order(await channel.stocked_sku(5)))
    node = await key_of(engine, Role.NODE, Limits.of(nodes=["dc-daventry"]), name="scanner 4")
    shop = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]), name="web shop")
    step = f"/v1/fulfilments/{placed}-F1/accept"
    assert (await channel.http.post(step, headers=node)).status_code == 200
    await channel.until_work(f"{placed}-F1", "accepted")
    cancelled = await channel.http.post(f"/v1/orders/{placed}/cancel", json={"reason": "changed mind"}, headers=shop)
    assert cancelled.status_code == 200, cancelled.text
    events = (await channel.http.get(f"/v1/orders/{placed}/timeline")).json()["events"]
    actors = {event["kind"]: event["actor"] for event in events}
    assert actors["fulfilment_accepted"] == "scanner 4"
    assert actors["cancelled"] == "web shop"
    assert [event["actor"] for event in events if event["kind"] == "sourced"] in ([], ["system:ofl"])
