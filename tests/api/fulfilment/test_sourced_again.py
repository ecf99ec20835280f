"""Support has work sourced again: the order goes on where the policy puts it now, in parts or waiting if need be."""

import asyncio
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import NODE, Channel, order, problem
from tests.worlds.access import key_of

OTHER = "dc-doncaster"
WHY = {"reason": "the conveyor stands still"}
WITHOUT = WHY | {"without_node": True}


async def again(channel: Channel, fulfilment_id: str, body: Any = WITHOUT, **more: Any) -> httpx.Response:
    return await channel.http.post(f"/v1/fulfilments/{fulfilment_id}/source-again", json=body, **more)


async def placed(channel: Channel, later: int = 5) -> str:
    """An order of two units at the first node, with so many at the other one that come later."""
    sku = await channel.stocked_sku(5, NODE)
    order_id = await channel.place(order(sku))
    if later:
        await channel.receive(sku, later, OTHER)
    return order_id


async def test_the_order_goes_on_at_the_other_node(channel: Channel) -> None:
    order_id = await placed(channel)
    answer = await again(channel, f"{order_id}-F1")
    assert answer.status_code == 200, answer.text
    done = answer.json()
    ((became),) = done["fulfilments"]
    assert (became["id"], became["node_id"], became["lines"]) == (f"{order_id}-F2", OTHER, {"1": 2})
    assert (done["order_status"], done["repeated"], done["waiting"]) == ("accepted", False, {})
    events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"][-2:]
    assert [(each["kind"], each["actor"]) for each in events] == [("sourced_again", "tests"), ("sourced", "system:ofl")]
    assert events[0]["data"]["without_node"] is True
    decisions = (await channel.http.get(f"/v1/orders/{order_id}/sourcing")).json()["decisions"]
    assert [each["cause"] for each in decisions] == ["order captured", "sourced again by staff"]
    problem(await channel.step(f"{order_id}-F1", "accept"), 409, "step-not-possible")
    await channel.step(f"{order_id}-F2", "pack")
    work = await channel.until_work(f"{order_id}-F2", "booked")
    await channel.step(f"{order_id}-F2", "hand-over")
    await channel.scan(work, "delivered")
    await channel.until_order(order_id, "delivered")


async def test_its_own_node_is_asked_as_well(channel: Channel) -> None:
    order_id = await placed(channel)
    done = (await again(channel, f"{order_id}-F1", WHY)).json()
    assert [each["node_id"] for each in done["fulfilments"]] == [NODE]
    assert (await again(channel, f"{order_id}-F2", {})).status_code == 200


async def test_what_no_other_node_has_waits(channel: Channel) -> None:
    order_id = await placed(channel, later=1)
    done = (await again(channel, f"{order_id}-F1")).json()
    assert [(each["node_id"], each["lines"]) for each in done["fulfilments"]] == [(OTHER, {"1": 1})]
    assert done["waiting"] == {"1": 1}


class TestRefused:
    async def test_what_a_node_has_begun(self, channel: Channel) -> None:
        order_id = await placed(channel)
        await channel.step(f"{order_id}-F1", "accept")
        problem(await again(channel, f"{order_id}-F1"), 409, "step-not-possible")

    async def test_while_sourcing_is_on_hold(self, channel: Channel) -> None:
        order_id = await placed(channel)
        held = {"type": "manual", "blocks": ["sourcing"]}
        assert (await channel.http.post(f"/v1/orders/{order_id}/holds", json=held)).status_code == 201
        problem(await again(channel, f"{order_id}-F1"), 409, "on-hold")

    async def test_what_is_not_there_or_anothers(self, channel: Channel, engine: AsyncEngine) -> None:
        order_id = await placed(channel)
        problem(await again(channel, f"{order_id}-F9"), 404, "not-found")
        unclear = await again(channel, f"{order_id}-F1", {"without_node": "perhaps"})
        problem(unclear, 422, "invalid-input", "without_node")
        node = await key_of(engine, Role.NODE, Limits.of(nodes=[NODE]))
        problem(await again(channel, f"{order_id}-F1", headers=node), 403, "forbidden")
        support = await key_of(engine, Role.SUPPORT, Limits.of(channels=["b2b"]), name="kim of b2b")
        problem(await again(channel, f"{order_id}-F1", headers=support), 404, "not-found")
        here = await key_of(engine, Role.SUPPORT, Limits.of(nodes=[NODE]), name="kim of one node")
        problem(await again(channel, f"{order_id}-F1", headers=here), 403, "forbidden")


async def test_a_repeat_is_answered_as_before(channel: Channel) -> None:
    order_id = await placed(channel)
    key = {"Idempotency-Key": "s1"}
    answers = await asyncio.gather(*(again(channel, f"{order_id}-F1", headers=key) for _ in range(4)))
    assert {each.status_code for each in answers} == {200}
    assert {each.json()["fulfilments"][0]["id"] for each in answers} == {f"{order_id}-F2"}
    assert [each.json()["repeated"] for each in answers].count(False) == 1
    problem(await again(channel, f"{order_id}-F1", WHY, headers=key), 409, "conflict", "Idempotency-Key")
