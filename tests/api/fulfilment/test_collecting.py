"""A pick-up through HTTP: who may know its code, and what a node, support and time do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from services import collecting
from services.change_orders import Writing
from tests.api.driving import Channel, order, problem
from tests.worlds.access import key_of

STORE = "store-london"


async def ready(channel: Channel) -> tuple[str, str]:
    """A pick-up that waits for its customer: the fulfilment's id, and the code."""
    order_id = await channel.place(
        order(await channel.stocked_sku(5, STORE), shipping_method="pickup", pickup_node=STORE)
    )
    await channel.step(f"{order_id}-F1", "pack")
    shown = await work_of(channel, order_id)
    return shown["id"], shown["collection_code"]


async def work_of(channel: Channel, order_id: str, **headers: str) -> dict[str, Any]:
    answer = await channel.http.get(f"/v1/orders/{order_id}", headers=headers)
    (work,) = answer.json()["fulfilments"]
    return dict(work)


async def test_the_code_is_for_who_speaks_to_the_customer(channel: Channel, engine: AsyncEngine) -> None:
    work, code = await ready(channel)
    order_id = work.rpartition("-")[0]
    for role, limits, sees in (
        (Role.CHANNEL, Limits.of(channels=["web"]), True),
        (Role.SUPPORT, Limits(), True),
        (Role.PLANNER, Limits(), False),
    ):
        key = await key_of(engine, role, limits, name=f"{role} looks")
        shown = await work_of(channel, order_id, **key)
        assert (shown["collection_code"], shown["collect_by"] is not None) == (code if sees else None, True)
    node = await key_of(engine, Role.NODE, Limits.of(nodes=[STORE]), name="the store")
    assert (await channel.http.get(f"/v1/orders/{order_id}", headers=node)).status_code == 403
    listed = await channel.http.get("/v1/fulfilments", params={"order": order_id}, headers=node)
    (item,) = listed.json()["items"]
    assert (item["code_required"], item["to_put_back"], code in listed.text) == (True, False, False)
    assert code not in (await channel.http.get(f"/v1/orders/{order_id}/timeline")).text


async def test_a_node_collects_with_the_code_alone(channel: Channel, engine: AsyncEngine) -> None:
    work, code = await ready(channel)
    node = await key_of(engine, Role.NODE, Limits.of(nodes=[STORE]), name="the counter")
    url = f"/v1/fulfilments/{work}/collect"
    problem(await channel.http.post(url, json={}, headers=node), 422, "code-required", field="code")
    refused = problem(
        await channel.http.post(url, json={"code": "wrong"}, headers=node), 409, "wrong-code", field="code"
    )
    assert refused["data"] == {"tries_left": 4}
    taken = await channel.http.post(url, json={"code": code.lower()}, headers=node)
    assert (taken.status_code, taken.json()["fulfilment_status"]) == (200, "collected")


async def test_support_keeps_it_longer_and_gives_it_out_otherwise(channel: Channel, engine: AsyncEngine) -> None:
    work, _ = await ready(channel)
    support = await key_of(engine, Role.SUPPORT, Limits(), name="ada of support")
    until = (datetime.now(UTC) + timedelta(days=60)).replace(microsecond=0).isoformat()
    problem(
        await channel.http.post(
            f"/v1/fulfilments/{work}/keep", json={"until": "2026-01-01T00:00:00Z"}, headers=support
        ),
        422,
        "invalid-input",
        field="until",
    )
    kept = await channel.http.post(f"/v1/fulfilments/{work}/keep", json={"until": until}, headers=support)
    assert datetime.fromisoformat(kept.json()["collect_by"]) == datetime.fromisoformat(until)
    waits = (await channel.http.get(f"/v1/orders/{work.rpartition('-')[0]}")).json()["waits_for"]
    assert [(each["what"], datetime.fromisoformat(each["until"])) for each in waits] == [
        ("collection", datetime.fromisoformat(until))
    ]
    url = f"/v1/fulfilments/{work}/collected"
    problem(await channel.http.post(url, json={}, headers=support), 422, "invalid-input", field="reason")
    done = await channel.http.post(url, json={"reason": "passport"}, headers=support)
    assert (done.status_code, done.json()["order_status"]) == (200, "delivered"), done.text
    assert (await channel.http.post(url, json={"reason": "passport"}, headers=support)).json()["repeated"] is True


async def test_what_is_not_collected_ends_the_order_and_is_put_back(channel: Channel, engine: AsyncEngine) -> None:
    work, code = await ready(channel)
    order_id = work.rpartition("-")[0]
    end = datetime.fromisoformat((await work_of(channel, order_id))["collect_by"])
    await collecting.look(engine, end, Writing(webhook=False, notify=True))
    found = await channel.until_order(order_id, "cancelled")
    (shown,) = found["fulfilments"]
    assert (shown["reason"], shown["collection_code"], found["waits_for"]) == ("not_collected", None, [])
    problem(await channel.step(work, "collect", code=code), 409, "step-not-possible")
    node = await key_of(engine, Role.NODE, Limits.of(nodes=[STORE]), name="the shelf")
    listed = await channel.http.get("/v1/fulfilments", params={"put_back": True, "node": STORE}, headers=node)
    assert work in [item["id"] for item in listed.json()["items"] if item["to_put_back"]]
    for repeated in (False, True):
        answer = await channel.http.post(f"/v1/fulfilments/{work}/put-back", json={}, headers=node)
        assert answer.json() == {"order_id": order_id, "fulfilment_id": work, "repeated": repeated}
    listed = await channel.http.get("/v1/fulfilments", params={"put_back": True, "order": order_id}, headers=node)
    assert listed.json()["items"] == []
