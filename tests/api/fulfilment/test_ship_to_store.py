"""Ship to store through HTTP and Temporal: sent by a centre, collected or put back at the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from dom.sourcing.policy.collections import ShipToStore
from dom.sourcing.policy.reading import read_policy
from services import collecting
from services.change_orders import Writing
from store.policy import policies
from tests.api.driving import NODE, Channel, order, problem
from tests.api.promising import ask, promise
from tests.worlds.access import key_of
from tests.worlds.books import balance, rows

STORE = "store-london"
SAMPLE = Path(__file__).parents[3] / "data" / "sample"
LEDGER = (
    "SELECT node_id, sum(on_hand_delta)::int, sum(reserved_delta)::int FROM stock_ledger WHERE sku = :sku GROUP BY 1"
)


@pytest.fixture(autouse=True)
async def _allowed(engine: AsyncEngine) -> AsyncIterator[None]:
    """The policy lets nodes send goods to stores, for these tests alone."""
    usual = read_policy((SAMPLE / "policy.yaml").read_text())
    collection = usual.collection.model_copy(update={"ship_to_store": ShipToStore()})
    async with engine.begin() as connection:
        await policies.publish_policy(connection, usual.model_copy(update={"collection": collection}), "tests")
    yield
    async with engine.begin() as connection:
        await policies.publish_policy(connection, usual, "tests")


async def booked(channel: Channel) -> tuple[str, str, dict[str, Any]]:
    """Work that is to be brought to the store, and has its carrier: SKU, fulfilment, and the node's list of it."""
    sku = await channel.stocked_sku(5)
    order_id = await channel.place(order(sku, shipping_method="pickup", pickup_node=STORE))
    work = f"{order_id}-F1"
    shown = (await channel.get(order_id))["fulfilments"][0]
    assert (shown["node_id"], shown["pickup_node"], shown["method"]) == (NODE, STORE, "standard")
    assert (await channel.step(work, "pack")).status_code == 200
    item = await channel.until_work(work, "booked")
    assert item["ship_to"]["lines"] != ["12 Mill Lane"]
    return sku, work, item


async def ready(channel: Channel) -> tuple[str, str, dict[str, Any]]:
    """An order that a carrier brought to the store: SKU, fulfilment, and the order as people see it."""
    sku, work, item = await booked(channel)
    assert (await channel.step(work, "hand-over")).status_code == 200
    problem(await channel.step(work, "collect", code="222222"), 409, "step-not-possible")
    await channel.scan(item, "delivered")
    await channel.until_work(work, "ready_for_collection")
    return sku, work, await channel.get(item["order_id"])


async def agrees_with_the_ledger(engine: AsyncEngine, sku: str) -> dict[str, tuple[int, int]]:
    """Balances of the SKU by node, which are what the ledger says."""
    booked = {node: (on_hand, reserved) for node, on_hand, reserved in await rows(engine, LEDGER, sku=sku)}
    assert {node: await balance(engine, node, sku) for node in booked} == booked
    return booked


async def test_it_is_collected_at_the_store_with_the_code(channel: Channel, engine: AsyncEngine) -> None:
    sku, work, found = await ready(channel)
    (shown,) = found["fulfilments"]
    assert (found["status"], [each["what"] for each in found["waits_for"]]) == ("shipped", ["collection"])
    assert await agrees_with_the_ledger(engine, sku) == {NODE: (3, 0), STORE: (2, 2)}
    store = await key_of(engine, Role.NODE, Limits.of(nodes=[STORE]), name="the counter")
    centre = await key_of(engine, Role.NODE, Limits.of(nodes=[NODE]), name="the centre")
    listed = await channel.http.get(
        "/v1/fulfilments", params={"node": STORE, "order": found["order_id"]}, headers=store
    )
    assert [(each["id"], each["pickup_node"]) for each in listed.json()["items"]] == [(work, STORE)]
    code = {"code": shown["collection_code"]}
    problem(await channel.http.post(f"/v1/fulfilments/{work}/collect", json=code, headers=centre), 403, "forbidden")
    problem(await channel.http.post(f"/v1/fulfilments/{work}/pick", json={}, headers=store), 403, "forbidden")
    problem(
        await channel.http.post(f"/v1/fulfilments/{work}/collect", json={}, headers=store), 422, "code-required", "code"
    )
    taken = await channel.http.post(f"/v1/fulfilments/{work}/collect", json=code, headers=store)
    assert (taken.status_code, taken.json()["fulfilment_status"]) == (200, "collected"), taken.text
    await channel.until_order(found["order_id"], "delivered")
    assert await agrees_with_the_ledger(engine, sku) == {NODE: (3, 0), STORE: (0, 0)}
    kinds = [each["kind"] for each in (await channel.get(found["order_id"]))["messages"] if each["medium"] == "mail"]
    assert kinds == ["order_confirmed", "shipped", "ready_for_collection", "delivered"]


async def test_the_store_says_that_it_came_where_nobody_else_does(channel: Channel, engine: AsyncEngine) -> None:
    """Neither the hand-over was reported, nor has the carrier said anything."""
    sku, work, item = await booked(channel)
    store = await key_of(engine, Role.NODE, Limits.of(nodes=[STORE]), name="the back door")
    other = await key_of(engine, Role.NODE, Limits.of(nodes=["store-manchester"]), name="another store")
    centre = await key_of(engine, Role.NODE, Limits.of(nodes=[NODE]), name="the centre")
    elsewhere = await key_of(engine, Role.NODE, Limits.of(nodes=[STORE], channels=["edi"]), name="another channel")
    support = await key_of(engine, Role.SUPPORT, Limits(), name="support")
    address = f"/v1/fulfilments/{work}/receive-at-store"
    for who, status, said in (
        (other, 404, "not-found"),
        (elsewhere, 404, "not-found"),
        (centre, 403, "forbidden"),
        (support, 403, "forbidden"),
    ):
        problem(await channel.http.post(address, json={}, headers=who), status, said)
    by = {**store, "Idempotency-Key": "came"}
    asked = {"reason": "it came with the morning van"}
    answers = [await channel.http.post(address, json=asked, headers=by) for _ in range(2)]
    assert [(each.status_code, each.json()["repeated"]) for each in answers] == [(200, False), (200, True)]
    assert answers[0].json()["fulfilment_status"] == "ready_for_collection"
    another = await channel.http.post(address, json={"reason": "another"}, headers=by)
    problem(another, 409, "conflict", "Idempotency-Key")
    await channel.scan(item, "delivered")
    found = await channel.until_order(item["order_id"], "shipped")
    assert await agrees_with_the_ledger(engine, sku) == {NODE: (3, 0), STORE: (2, 2)}
    assert found["exceptions"] == []


async def test_what_nobody_collects_is_put_back_at_the_store(channel: Channel, engine: AsyncEngine) -> None:
    sku, work, found = await ready(channel)
    end = datetime.fromisoformat(found["fulfilments"][0]["collect_by"])
    await collecting.look(engine, end, Writing(webhook=False, notify=True))
    ended = await channel.until_order(found["order_id"], "cancelled")
    assert (ended["fulfilments"][0]["reason"], ended["waits_for"]) == ("not_collected", [])
    store = await key_of(engine, Role.NODE, Limits.of(nodes=[STORE]), name="the shelf")
    centre = await key_of(engine, Role.NODE, Limits.of(nodes=[NODE]), name="the centre")
    listed = await channel.http.get("/v1/fulfilments", params={"put_back": True, "node": STORE}, headers=store)
    (item,) = [each for each in listed.json()["items"] if each["id"] == work]
    assert item["units_to_put_back"] == [{"sku": sku, "quantity": 2}]
    elsewhere = await channel.http.get("/v1/fulfilments", params={"put_back": True, "node": NODE}, headers=centre)
    assert work not in [each["id"] for each in elsewhere.json()["items"]]
    problem(await channel.http.post(f"/v1/fulfilments/{work}/put-back", json={}, headers=centre), 403, "forbidden")
    for repeated in (False, True):
        answer = await channel.http.post(f"/v1/fulfilments/{work}/put-back", json={}, headers=store)
        assert answer.json()["repeated"] is repeated
        assert await agrees_with_the_ledger(engine, sku) == {NODE: (3, 0), STORE: (2, 0)}


async def test_the_promise_is_what_the_plan_says(channel: Channel) -> None:
    sku = await channel.stocked_sku(2)
    (plan,) = await promise(channel.http, (sku, 2), ship_to=None, pickup_node=STORE)
    assert (plan["complete"], plan["shipments"][0]["node_id"], plan["method"]) == (True, NODE, "pickup")
    (asked,) = await ask(channel.http, sku, pickup_node=STORE)
    assert asked["available"] == 2
    found = await channel.get(await channel.place(order(sku, shipping_method="pickup", pickup_node=STORE)))
    assert found["promise"] == plan["promise"]
    (plan,) = await promise(channel.http, (sku, 1), ship_to=None, pickup_node=STORE)
    assert (plan["promise"], plan["shipments"]) == (None, [])
