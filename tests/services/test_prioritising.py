"""An order's priority: what is scarce goes by it at once, and nobody loses what is his for good."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import CancelRest, Prioritise
from dom.shared.errors import Conflict, NotFound, StepNotPossible
from services.change_orders import OrderChanged, Writing, change_order
from services.prioritising import prioritise as prioritise_in
from tests.worlds.backorders import LEEDS, YORK, aside, comes, deal, told, waits
from tests.worlds.books import rows
from tests.worlds.sourcing import MONDAY_NOON

WRITING = Writing(webhook=False, notify=True)


async def prioritise(engine: AsyncEngine, order_id: str, priority: int | None, **more: Any) -> OrderChanged:
    names = {"key": f"{priority}", "actor": "ada", "at": MONDAY_NOON, **more}
    async with engine.begin() as connection:
        return await prioritise_in(connection, order_id, Prioritise(priority=priority, **names), WRITING)


async def test_what_comes_in_goes_by_it(world: AsyncEngine) -> None:
    old = await waits(world, "old", age=9, NEVER=2)
    young = await waits(world, "young", NEVER=2)
    done = await prioritise(world, young, 7, reason="a gift")
    assert (done.state.priority, done.repeated) == (7, False)
    await comes(world, LEEDS, 3)
    await deal(world)
    assert await aside(world) == {young: {LEEDS: 2}, old: {LEEDS: 1}}
    found = "SELECT actor, reason, data FROM timeline WHERE kind = 'prioritised'"
    assert await rows(world, found) == [("ada", "a gift", {"priority": 7})]
    await prioritise(world, young, None)
    assert await rows(world, "SELECT priority FROM orders") == [(None,), (None,)]
    assert (await rows(world, found))[1] == ("ada", "", {"before": 7})


async def test_what_is_dealt_out_anew_goes_by_it_at_once(world: AsyncEngine) -> None:
    """An order that is shipped complete and lacks something gives its units to the one that comes before it now."""
    patient = await waits(world, "patient", age=100, ship_complete=True, NEVER=3)
    urgent = await waits(world, "urgent", NEVER=2)
    async with world.begin() as connection:
        await connection.exec_driver_sql("UPDATE orders SET captured_at = now() - interval '4 days'")
    await comes(world, LEEDS, 2)
    await deal(world)
    assert await aside(world) == {patient: {LEEDS: 2}}
    await prioritise(world, urgent, 1)
    assert await aside(world) == {urgent: {LEEDS: 2}}
    assert await told(world) == [urgent]


async def test_what_is_his_for_good_stays(world: AsyncEngine) -> None:
    first = await waits(world, "first", age=5, NEVER=2)
    second = await waits(world, "second", NEVER=2)
    await comes(world, YORK, 3)
    await deal(world)
    await prioritise(world, second, 0)
    assert await aside(world) == {first: {YORK: 2}, second: {YORK: 1}}


async def test_a_repeat_changes_nothing(world: AsyncEngine) -> None:
    order_id = await waits(world, "1", NEVER=1)
    asked: dict[str, Any] = {"request": "r1", "request_hash": "h1"}
    done = await asyncio.gather(*(prioritise(world, order_id, 3, **asked) for _ in range(4)))
    assert [each.repeated for each in done].count(False) == 1
    await prioritise(world, order_id, 9)
    again = await prioritise(world, order_id, 3, **asked)
    assert (again.repeated, again.data["priority"], again.state.priority) == (True, 3, 9)
    with pytest.raises(Conflict):
        await prioritise(world, order_id, 4, request="r1", request_hash="h2")


async def test_what_is_over_or_not_there(world: AsyncEngine) -> None:
    order_id = await waits(world, "1", NEVER=1)
    async with world.begin() as connection:
        await change_order(connection, order_id, CancelRest(actor="kim", at=MONDAY_NOON), WRITING)
    with pytest.raises(StepNotPossible, match="cancelled"):
        await prioritise(world, order_id, 3)
    with pytest.raises(NotFound):
        await prioritise(world, "web-9", 3)
    assert await rows(world, "SELECT priority FROM orders") == [(None,)]


async def test_many_at_once_while_goods_come_in(world: AsyncEngine) -> None:
    orders = [await waits(world, f"{n}", age=n, NEVER=2) for n in range(8)]
    await asyncio.gather(
        *(prioritise(world, order_id, n) for n, order_id in enumerate(orders)),
        *(comes(world, LEEDS, 1, at_once=True) for _ in range(5)),
        deal(world),
        deal(world),
    )
    await deal(world)
    assert sum(units for each in (await aside(world)).values() for units in each.values()) == 5
    assert await rows(world, "SELECT on_hand, reserved_soft FROM stock WHERE sku = 'NEVER' AND on_hand > 0") == [(5, 5)]
