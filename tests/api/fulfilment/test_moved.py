"""Support moves work to another node: the order goes on there."""

import asyncio
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, order, problem
from tests.worlds.access import key_of

OTHER = "dc-doncaster"


async def move(channel: Channel, fulfilment_id: str, to: str | None = OTHER, **more: Any) -> httpx.Response:
    body = {"reason": "short of staff"} | ({"node_id": to} if to else {})
    return await channel.http.post(f"/v1/fulfilments/{fulfilment_id}/move", json=more.pop("json", body), **more)


async def placed(channel: Channel, *nodes: str) -> str:
    """An order of two units at the first node, with as many at the others that come later."""
    first, *later = nodes
    sku = await channel.stocked_sku(5, first)
    order_id = await channel.place(order(sku))
    for node in later:
        await channel.receive(sku, 5, node)
    return order_id


async def test_the_order_goes_on_at_the_other_node(channel: Channel) -> None:
    order_id = await placed(channel, NODE, OTHER)
    answer = await move(channel, f"{order_id}-F1")
    assert answer.status_code == 200, answer.text
    moved = answer.json()
    ((became),) = moved["fulfilments"]
    assert (became["id"], became["node_id"], became["status"]) == (f"{order_id}-F2", OTHER, "released")
    assert became["lines"] == {"1": 2}
    assert (moved["order_status"], moved["repeated"]) == ("accepted", False)
    event = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"][-1]
    assert (event["kind"], event["actor"], event["reason"]) == ("moved", "tests", "short of staff")
    decisions = (await channel.http.get(f"/v1/orders/{order_id}/sourcing")).json()["decisions"]
    assert [each["cause"] for each in decisions] == ["order captured", "moved by staff"]
    problem(await channel.step(f"{order_id}-F1", "accept"), 409, "step-not-possible")
    await channel.step(f"{order_id}-F2", "pack")
    work = await channel.until_work(f"{order_id}-F2", "booked")
    await channel.step(f"{order_id}-F2", "hand-over")
    await channel.scan(work, "delivered")
    found = await channel.until_order(order_id, "delivered")
    assert [each["status"] for each in found["fulfilments"]] == ["recalled", "delivered"]


async def test_anywhere_else(channel: Channel) -> None:
    order_id = await placed(channel, NODE, OTHER)
    assert (await move(channel, f"{order_id}-F1", None)).json()["fulfilments"][0]["node_id"] == OTHER


class TestRefused:
    async def test_a_node_without_the_goods(self, channel: Channel) -> None:
        order_id = await placed(channel, NODE)
        found = problem(await move(channel, f"{order_id}-F1"), 409, "step-not-possible", "node_id")
        assert (found["data"]["fence"], found["data"]["node_id"]) == ("stock", OTHER)
        assert "holds nothing of it" in found["detail"]
        problem(await move(channel, f"{order_id}-F1", None), 409, "step-not-possible")
        assert (await channel.get(order_id))["fulfilments"][0]["status"] == "released"

    async def test_what_a_node_has_begun(self, channel: Channel) -> None:
        order_id = await placed(channel, NODE, OTHER)
        await channel.step(f"{order_id}-F1", "accept")
        problem(await move(channel, f"{order_id}-F1"), 409, "step-not-possible")

    async def test_while_sourcing_is_on_hold(self, channel: Channel) -> None:
        order_id = await placed(channel, NODE, OTHER)
        held = {"type": "manual", "blocks": ["sourcing"]}
        assert (await channel.http.post(f"/v1/orders/{order_id}/holds", json=held)).status_code == 201
        problem(await move(channel, f"{order_id}-F1"), 409, "on-hold")

    async def test_what_is_not_there_or_anothers(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await placed(channel, NODE, OTHER)
        problem(await move(channel, f"{order_id}-F1", "nowhere"), 422, "unknown-node", "node_id")
        problem(await move(channel, f"{order_id}-F9"), 404, "not-found")
        node = await key_of(engine, Role.NODE, Limits.of(nodes=[NODE]))
        problem(await move(channel, f"{order_id}-F1", headers=node), 403, "forbidden")
        support = await key_of(engine, Role.SUPPORT, Limits.of(channels=["b2b"]), name="kim of b2b")
        problem(await move(channel, f"{order_id}-F1", headers=support), 404, "not-found")
        here = await key_of(engine, Role.SUPPORT, Limits.of(nodes=[NODE]), name="kim of one node")
        problem(await move(channel, f"{order_id}-F1", headers=here), 403, "forbidden", "node_id")
        problem(await move(channel, f"{order_id}-F1", None, headers=here), 403, "forbidden")


async def test_a_repeat_is_answered_as_before(channel: Channel) -> None:
    order_id = await placed(channel, NODE, OTHER)
    key = {"Idempotency-Key": "m1"}
    answers = await asyncio.gather(*(move(channel, f"{order_id}-F1", headers=key) for _ in range(4)))
    assert {each.status_code for each in answers} == {200}
    assert {each.json()["fulfilments"][0]["id"] for each in answers} == {f"{order_id}-F2"}
    assert [each.json()["repeated"] for each in answers].count(False) == 1
    problem(await move(channel, f"{order_id}-F1", None, headers=key), 409, "conflict", "Idempotency-Key")


async def test_one_part_is_split_off_and_moved(channel: Channel, engine: AsyncEngine) -> None:
    order_id = await placed(channel, NODE, OTHER)
    asked = {"lines": [{"line_id": "1", "quantity": 1}], "reason": "half of it is there"}
    path, key = f"/v1/fulfilments/{order_id}-F1/split", {"Idempotency-Key": "s1"}
    answers = [await channel.http.post(path, json=asked, headers=key) for _ in range(2)]
    assert [(each.status_code, each.json()["repeated"]) for each in answers] == [(200, False), (200, True)]
    done = answers[0].json()
    assert done["made"] == f"{order_id}-F2"
    assert [(each["id"], each["node_id"], each["lines"]) for each in done["fulfilments"]] == [
        (f"{order_id}-F1", NODE, {"1": 1}),
        (f"{order_id}-F2", NODE, {"1": 1}),
    ]
    problem(
        await channel.http.post(path, json=asked | {"reason": "x"}, headers=key), 409, "conflict", "Idempotency-Key"
    )
    moved = (await move(channel, done["made"])).json()
    assert moved["fulfilments"][0]["node_id"] == OTHER
    twice = {"lines": [{"line_id": "1", "quantity": 1}] * 2}
    problem(await channel.http.post(path, json=twice), 422, "invalid-input", "lines[1].line_id")
    problem(await channel.http.post(path, json=asked), 409, "step-not-possible", "lines")
    support = await key_of(engine, Role.SUPPORT, Limits.of(channels=["b2b"]), name="kim of b2b")
    problem(await channel.http.post(path, json=asked, headers=support), 404, "not-found")
    for number in (1, 3):
        await channel.step(f"{order_id}-F{number}", "pack")
        work = await channel.until_work(f"{order_id}-F{number}", "booked")
        await channel.step(f"{order_id}-F{number}", "hand-over")
        await channel.scan(work, "delivered")
    assert (await channel.until_order(order_id, "delivered"))["lines"][0]["delivered"] == 2
