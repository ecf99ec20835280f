"""The return of a parcel that its carrier brings back, whenever the report comes and whatever holds the order."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import PlaceHold, Reship
from dom.orders.holds import BlockedStep
from dom.orders.status import Disposition, ReturnStatus
from dom.returns import ExpireReturn, Inspect, Receive, Step
from dom.shared import ids
from dom.shared.errors import OnHold, StepNotPossible
from services import parcel_marks, returns
from services.change_orders import Writing, change_order
from services.database import Database
from services.returns import CommandedReturn, ReturnCall, ReturnTerms
from tests.worlds import small
from tests.worlds.advancing import S, comes_to, do, to
from tests.worlds.books import check_books, one
from tests.worlds.captured import accept
from tests.worlds.sourcing import MONDAY_NOON

ON_ITS_WAY_BACK: Final = (S.ACCEPTED, S.PICKED, S.PACKED, S.BOOKED, S.HANDED_OVER, S.RETURNED)
FOUND: Final = Inspect(found=(("1", Disposition.RESTOCK, 2),))


async def come_back(world: AsyncEngine) -> str:
    """An order of two units whose parcel comes back; the carrier's report is as old as the order."""
    order = small.order("back", A=2)
    await accept(Database(world), order)
    await comes_to(world, f"{order.order_id}-F1", *ON_ITS_WAY_BACK)
    return order.order_id


async def take(world: AsyncEngine, order_id: str, step: Step, *, later: timedelta = timedelta()) -> CommandedReturn:
    call = ReturnCall(ids.return_id(order_id, f"{order_id}-F1"), order_id, "dc-leeds")
    return await returns.commit(world, call, step, ReturnTerms(now=lambda: datetime.now(UTC) + later))


async def held(world: AsyncEngine, order_id: str) -> None:
    hold = PlaceHold(type="manual", blocks=frozenset({BlockedStep.REFUND}), actor="ada", at=MONDAY_NOON)
    async with world.begin() as connection:
        await do(connection, order_id, hold)


async def test_goods_are_waited_for_from_when_the_report_is_heard(world: AsyncEngine) -> None:
    """A report that comes late, or of an order that is replayed, says when the carrier scanned it."""
    order_id = await come_back(world)
    assert datetime.now(UTC) - MONDAY_NOON > timedelta(days=30)
    assert (await take(world, order_id, ExpireReturn())).status is ReturnStatus.REQUESTED
    assert (await take(world, order_id, Receive())).status is ReturnStatus.RECEIVED


async def test_of_goods_that_come_too_late_nobody_is_told_to_ask_for_a_return(world: AsyncEngine) -> None:
    order_id = await come_back(world)
    assert (await take(world, order_id, ExpireReturn(), later=timedelta(days=31))).status is ReturnStatus.EXPIRED
    with pytest.raises(StepNotPossible):
        await take(world, order_id, Receive())
    detail = str(await one(world, "SELECT detail FROM exceptions WHERE kind = 'return_arrived_late'"))
    assert "ask for a new return" not in detail
    assert "book them in" in detail


async def test_a_hold_of_refunds_keeps_nobody_from_goods_that_are_not_paid_back(world: AsyncEngine) -> None:
    order_id = await come_back(world)
    await held(world, order_id)
    await take(world, order_id, Receive())
    with pytest.raises(OnHold):
        await take(world, order_id, FOUND)
    again = Reship(fulfilment_id=f"{order_id}-F1", actor="ada", at=MONDAY_NOON)
    async with world.begin() as connection:
        await parcel_marks.mark(connection, again, Writing(webhook=False))
    assert (await take(world, order_id, FOUND)).refund == 0
    assert await one(world, "SELECT count(*) FROM refunds") == 0
    await check_books(world)


async def test_goods_are_waited_for_as_long_as_the_setting_says(world: AsyncEngine) -> None:
    order = small.order("back", A=2)
    await accept(Database(world), order)
    parcel = f"{order.order_id}-F1"
    await comes_to(world, parcel, *ON_ITS_WAY_BACK[:-1])
    async with world.begin() as connection:
        writing = Writing(webhook=False, returns_last=timedelta(days=3))
        await change_order(connection, order.order_id, to(parcel, S.RETURNED), writing)
    step = ExpireReturn()
    assert (await take(world, order.order_id, step, later=timedelta(days=2))).status is ReturnStatus.REQUESTED
    assert (await take(world, order.order_id, step, later=timedelta(days=4))).status is ReturnStatus.EXPIRED
