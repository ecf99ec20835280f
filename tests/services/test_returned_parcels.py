"""The return of a parcel that its carrier brings back, whenever the report comes and whatever holds the order."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.exceptions import CATALOGUE, ExceptionKind
from dom.fulfilment.carrier_reports import ParcelReport
from dom.orders.commands import MoveParcel, PlaceHold, Reship
from dom.orders.holds import BlockedStep
from dom.orders.status import CarrierEventKind, Disposition, ReturnStatus
from dom.returns import ExpireReturn, Inspect, Receive, Step
from dom.shared import ids
from dom.shared.errors import OnHold, StepNotPossible
from services import carrier_reports, parcel_marks, returns
from services.change_orders import Writing, change_order
from services.database import Database
from services.returns import CommandedReturn, ReturnCall, ReturnTerms
from tests.worlds import small
from tests.worlds.advancing import S, comes_to, do, to
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.races import TURNS, stocked
from tests.worlds.sourcing import MONDAY_NOON

K = CarrierEventKind
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
    named = "SELECT data->>'fulfilment_id' FROM exceptions WHERE kind = 'return_arrived_late'"
    assert await one(world, named) == f"{order_id}-F1"


def test_the_catalogue_says_what_to_do_with_goods_of_either() -> None:
    advice = CATALOGUE[ExceptionKind.RETURN_ARRIVED_LATE].next_steps
    assert "POST /v1/returns`" in advice
    assert "POST /v1/inventory/adjustments" in advice


async def test_a_hold_of_refunds_keeps_nobody_from_goods_that_are_not_paid_back(world: AsyncEngine) -> None:
    order_id = await come_back(world)
    await held(world, order_id)
    await take(world, order_id, Receive())
    with pytest.raises(OnHold):
        await take(world, order_id, FOUND)
    again = Reship(fulfilment_id=f"{order_id}-F1", actor="ada", at=MONDAY_NOON)
    async with world.begin() as connection:
        await parcel_marks.mark(connection, again, Writing(webhook=False))
    done = await take(world, order_id, FOUND)
    assert (done.status, done.refund) == (ReturnStatus.PUT_AWAY, 0)
    assert await one(world, "SELECT count(*) FROM refunds") == 0
    said = "SELECT kind, data->'answer'->>'status' FROM timeline WHERE kind LIKE 'return%' ORDER BY id DESC LIMIT 1"
    assert await rows(world, said) == [("return_put_away", "put_away")]
    assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'refunded'") == 0
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


class TestOneThatWasLost:
    """Its units were sourced again then: the goods come in, and the customer gets nothing more."""

    async def comes_back(self, world: AsyncEngine) -> str:
        order_id = await lost(world)
        for number, kind in enumerate((K.RETURNED_TO_SENDER, K.REFUSED, K.RETURNED_TO_SENDER)):
            assert await says(world, order_id, kind, f"back {number}")
        return order_id

    async def test_is_waited_for_by_its_node(self, world: AsyncEngine) -> None:
        order_id = await self.comes_back(world)
        opened = "SELECT fulfilment_id, node_id, status FROM returns"
        assert await rows(world, opened) == [(f"{order_id}-F1", "dc-leeds", "requested")]
        announced = "SELECT i.status, l.sku, l.quantity FROM inbound i JOIN inbound_lines l USING (reference)"
        assert await rows(world, announced) == [("announced", "A", 2)]
        assert await one(world, "SELECT status FROM fulfilments WHERE id = :id", id=f"{order_id}-F1") == "lost"
        assert await one(world, "SELECT backordered FROM order_lines") == 2
        assert await rows(world, "SELECT kind FROM exceptions") == [("parcel_lost",)]
        begins = "SELECT count(*) FROM outbox WHERE kind = 'parcel_comes_back'"
        assert await one(world, begins) == 1

    async def test_is_put_away_and_not_paid_back(self, world: AsyncEngine) -> None:
        order_id = await self.comes_back(world)
        told = "SELECT count(*) FROM outbox WHERE medium = 'mail'"
        before = await one(world, told)
        await take(world, order_id, Receive())
        done = await take(world, order_id, FOUND)
        assert (done.status, done.refund) == (ReturnStatus.PUT_AWAY, 0)
        assert await one(world, "SELECT count(*) FROM refunds") == 0
        assert await one(world, told) == before
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        await check_books(world)

    async def test_does_not_arrive_after_that(self, world: AsyncEngine) -> None:
        order_id = await self.comes_back(world)
        assert not await says(world, order_id, K.DELIVERED, "delivered")
        arrived = MoveParcel(fulfilment_id=f"{order_id}-F1", status=S.DELIVERED, actor="ada", at=datetime.now(UTC))
        async with world.begin() as connection:
            with pytest.raises(StepNotPossible, match="brings it back"):
                await parcel_marks.mark(connection, arrived, Writing(webhook=False))
        assert await rows(world, "SELECT kind FROM exceptions WHERE kind <> 'parcel_lost'") == [("report_out_of_turn",)]

    async def test_is_one_of_the_two_when_both_are_reported_at_once(self, world: AsyncEngine) -> None:
        await stocked(world)
        orders = [await lost(world, f"race-{number}") for number in range(TURNS)]
        await asyncio.gather(
            *(says(world, order_id, kind, kind) for order_id in orders for kind in (K.DELIVERED, K.RETURNED_TO_SENDER))
        )
        ended = """
        SELECT f.status, count(r.id) FROM fulfilments f LEFT JOIN returns r ON r.fulfilment_id = f.id GROUP BY f.id
        """
        assert set(await rows(world, ended)) <= {("lost", 1), ("delivered", 0)}
        await check_books(world)


async def lost(world: AsyncEngine, name: str = "lost") -> str:
    """An order of two units whose parcel is lost; they wait."""
    order = small.order(name, A=2)
    await accept(Database(world), order)
    await comes_to(world, f"{order.order_id}-F1", *ON_ITS_WAY_BACK[:-1], S.LOST)
    return order.order_id


async def says(world: AsyncEngine, order_id: str, kind: CarrierEventKind, event_id: str) -> bool:
    """The carrier reports of the first parcel; whether that can be true."""
    report = ParcelReport(
        fulfilment_id=f"{order_id}-F1",
        kind=kind,
        actor="northline",
        at=datetime.now(UTC),
        shipment_id=ids.booking_key(f"{order_id}-F1", 1),
        event_id=event_id,
    )
    async with world.begin() as connection:
        return await carrier_reports.heed(connection, order_id, report, Writing(webhook=False))
