"""How many units may wait for a SKU, and what is ordered before its release, at capture."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.intake import OrderRequest
from dom.shared.errors import NotAvailable
from dom.sourcing.sourced import Accepted, Sourced
from services.capture import capture
from services.database import Database
from store.network import reference
from tests.worlds import captured, small
from tests.worlds.books import check_books, one, rows
from tests.worlds.sourcing import MONDAY, MONDAY_NOON, sku

LATER = MONDAY + timedelta(days=10)


async def catalogue(engine: AsyncEngine, code: str, **changes: Any) -> None:
    """Give a SKU limits or a release date."""
    async with engine.begin() as connection:
        await reference.put_skus(connection, [sku(code, **changes)])


async def accept(engine: AsyncEngine, order: OrderRequest) -> Sourced:
    return await captured.accept(Database(engine, replaying=True), order)


async def refused(engine: AsyncEngine, order: OrderRequest) -> NotAvailable:
    """The refusal; nothing of the order stays."""
    with pytest.raises(NotAvailable) as raised:
        await accept(engine, order)
    assert await one(engine, "SELECT count(*) FROM orders WHERE id = :id", id=order.order_id) == 0
    return raised.value


class TestBackorderLimit:
    async def test_units_wait_up_to_the_limit_and_not_beyond(self, world: AsyncEngine) -> None:
        await catalogue(world, "NEVER", backorder_limit=5)
        assert (await accept(world, small.order("1", NEVER=3))).waiting == {"1": 3}
        refusal = await refused(world, small.order("2", NEVER=3))
        assert refusal.field == "lines[0].quantity"
        fault = {"field": "lines[0].quantity", "line_id": "1", "sku": "NEVER", "quantity": 3, "short": 3, "may_wait": 2}
        assert refusal.data == {"lines": [fault]}
        assert (await accept(world, small.order("3", NEVER=2))).waiting == {"1": 2}

    async def test_only_what_is_short_counts_and_a_refused_order_takes_no_stock(self, world: AsyncEngine) -> None:
        await catalogue(world, "RARE", backorder_limit=1)
        faults = (await refused(world, small.order("short", A=1, RARE=7))).data["lines"]
        assert [(f["line_id"], f["short"], f["may_wait"]) for f in faults] == [("2", 2, 1)]
        await check_books(world)
        assert (await accept(world, small.order("fits", A=1, RARE=6))).waiting == {"2": 1}

    async def test_two_lines_of_one_sku_are_counted_together_and_both_named(self, world: AsyncEngine) -> None:
        await catalogue(world, "NEVER", backorder_limit=5)
        line = {"sku": "NEVER", "unit_price": 1, "quantity": 3}
        both = small.order("both", lines=[{**line, "line_id": "a"}, {**line, "line_id": "b"}])
        assert [f["line_id"] for f in (await refused(world, both)).data["lines"]] == ["a", "b"]

    async def test_nobody_waits_where_the_limit_is_none_at_all(self, world: AsyncEngine) -> None:
        await catalogue(world, "RARE", backorder_limit=0)
        assert (await accept(world, small.order("there", RARE=5))).waiting == {}
        await refused(world, small.order("gone", RARE=1))

    async def test_a_repeated_order_is_answered_again_even_at_the_limit(self, world: AsyncEngine) -> None:
        await catalogue(world, "NEVER", backorder_limit=3)
        order = small.order("again", NEVER=3)
        await accept(world, order)
        assert await capture(Database(world, replaying=True), order) == Accepted()

    @pytest.mark.parametrize("turn", range(3))
    async def test_it_is_exact_however_many_come_at_once(self, world: AsyncEngine, turn: int) -> None:
        await catalogue(world, "NEVER", backorder_limit=20)
        await catalogue(world, "FAR", backorder_limit=20)
        # The other way round in every second order: whoever stands in line must not lock others out.
        orders = [
            small.order(f"{turn}-{n}", **dict([("NEVER", 1 + n % 3), ("FAR", 7)][:: 1 if n % 2 else -1]))
            for n in range(30)
        ]
        async with asyncio.timeout(60):
            outcomes = await asyncio.gather(*(accept(world, order) for order in orders), return_exceptions=True)
        taken = [outcome for outcome in outcomes if isinstance(outcome, Sourced)]
        assert {type(o) for o in outcomes} == {Sourced, NotAvailable}
        waiting = dict(await rows(world, "SELECT sku, sum(backordered)::int FROM order_lines GROUP BY sku"))
        assert len(taken) == await one(world, "SELECT count(*) FROM orders")
        assert int(str(waiting["NEVER"])) <= 20
        assert int(str(waiting["FAR"])) <= 20
        # 20 of FAR are there and 20 may wait: five orders of 7 fit, a sixth does not, unless NEVER was full before.
        assert len(taken) <= 5
        fits = [o for o in orders if int(str(waiting["NEVER"])) + o.lines[0].quantity <= 20]
        assert len(taken) == 5 or not fits
        await check_books(world, reserved=int(str(await one(world, "SELECT sum(reserved)::int FROM stock"))))


class TestPreorder:
    async def test_what_is_not_released_waits_though_it_is_there(self, world: AsyncEngine) -> None:
        await catalogue(world, "A", release_on=LATER)
        sourced = await accept(world, small.order("pre", A=2, B=1))
        assert sourced.waiting == {"1": 2}
        assert list(sourced.fulfilments.values()) == ["dc-leeds"]
        # Leeds is on UTC in March, Lille an hour ahead: there the day begins at 23:00 UTC.
        first_midnight = datetime(LATER.year, LATER.month, LATER.day, tzinfo=UTC) - timedelta(hours=1)
        assert sourced.release_seconds == (first_midnight - MONDAY_NOON).total_seconds()
        reasons = await one(world, "SELECT document->'decision'->>'reasons' FROM sourcing_decisions")
        assert "not released yet" in str(reasons)
        assert "No other node" not in str(reasons)

    async def test_the_release_day_begins_in_the_node_s_own_zone(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            far = small.NODES[0].model_copy(update={"time_zone": "Asia/Tokyo"})
            await reference.put_node(connection, far)
        await catalogue(world, "A", release_on=MONDAY + timedelta(days=1))
        evening = small.order("dawn", A=60, placed_at=MONDAY_NOON.replace(hour=16))
        assert list((await accept(world, evening)).fulfilments.values()) == ["dc-leeds"]

    async def test_it_has_a_limit_of_its_own(self, world: AsyncEngine) -> None:
        await catalogue(world, "A", release_on=LATER, preorder_limit=3, backorder_limit=0)
        assert (await accept(world, small.order("one", A=3))).waiting == {"1": 3}
        await refused(world, small.order("two", A=1))
        await catalogue(world, "A", release_on=MONDAY, preorder_limit=0, backorder_limit=200)
        assert (await accept(world, small.order("three", A=156))).waiting == {"1": 1}

    async def test_nothing_is_told_of_a_release_where_stock_is_what_is_missing(self, world: AsyncEngine) -> None:
        await catalogue(world, "NEVER", release_on=date(2020, 1, 1))
        assert (await accept(world, small.order(NEVER=1))).release_seconds is None
