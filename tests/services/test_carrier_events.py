"""A carrier's scans are carried out when they are reported, whether a process runs or not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.carriers.registry import CarrierRegistry
from dom.fulfilment.packing import Packing
from dom.orders.order import Order
from dom.orders.status import CarrierEventKind, FulfilmentStatus
from dom.shared.errors import NotFound
from services import bookings, carrier_events, carrier_reports
from services.change_orders import Writing
from services.database import Database
from store.delivery.shipments import ParcelScan
from tests.worlds import small
from tests.worlds.advancing import comes_to
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.outside import RecordingCarrier
from tests.worlds.sourcing import MONDAY_NOON

CARRIER = RecordingCarrier.name
NOTIFY = Writing(webhook=False, notify=True)
NOTICES = "SELECT count(*) FROM outbox WHERE kind = 'order_changed' AND recipient = :id"
STATUS = "SELECT status FROM fulfilments WHERE id = :id"


async def booked(engine: AsyncEngine, name: str) -> Order:
    """An order whose parcel waits for its carrier."""
    order, database = small.order(name, A=2), Database(engine, replaying=True)
    await accept(database, order)
    packed = Packing(order_id=order.order_id, fulfilment_id=f"{order.order_id}-F1", attempt=1)
    await comes_to(engine, packed.fulfilment_id, FulfilmentStatus.PACKED)
    await bookings.book(database, CarrierRegistry({CARRIER: RecordingCarrier()}), packed)
    return order


def scan(order: Order, kind: str, hours: int = 0) -> ParcelScan:
    """The carrier saw the order's parcel."""
    number, at = f"T-{order.order_id}-F1-B1", MONDAY_NOON + timedelta(hours=hours)
    return ParcelScan(CARRIER, f"{order.order_id}/{kind}", number, CarrierEventKind(kind), at)


async def report(engine: AsyncEngine, order: Order, *kinds: str) -> list[object]:
    """The carrier reports so, in this sequence; answers what became of each."""
    scans = {position: scan(order, kind, position) for position, kind in enumerate(kinds)}
    taken = await carrier_events.take_in(engine, CARRIER, scans, NOTIFY)
    return [taken[position] for position in sorted(taken)]


class TestScans:
    async def test_move_the_order_on_and_tell_its_process_to_read(self, world: AsyncEngine) -> None:
        order = await booked(world, "scanned")
        assert await report(world, order, "picked_up", "in_transit", "delivered") == [True, True, True]
        assert await one(world, STATUS, id=f"{order.order_id}-F1") == "delivered"
        assert await one(world, NOTICES, id=f"order-{order.order_id}") == 2
        assert await one(world, "SELECT count(*) FROM carrier_events WHERE notified_at IS NULL") == 0
        await check_books(world)

    async def test_a_repeat_changes_nothing(self, world: AsyncEngine) -> None:
        order = await booked(world, "scanned-again")
        await report(world, order, "lost")
        before = await one(world, "SELECT count(*) FROM timeline")
        assert await report(world, order, "lost") == [False]
        assert await one(world, "SELECT count(*) FROM timeline") == before
        assert await rows(world, "SELECT kind FROM exceptions") == [("parcel_lost",)]

    async def test_what_was_written_down_and_not_carried_out_is_carried_out_by_a_repeat(
        self, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = await booked(world, "scanned-and-died")

        async def dies(*_: object) -> None:
            raise RuntimeError

        with monkeypatch.context() as broken:
            broken.setattr(carrier_reports, "heed", dies)
            with pytest.raises(RuntimeError):
                await report(world, order, "delivered")
        assert await one(world, STATUS, id=f"{order.order_id}-F1") == "booked"
        assert await report(world, order, "delivered") == [False]
        assert await one(world, STATUS, id=f"{order.order_id}-F1") == "delivered"

    async def test_what_cannot_be_true_is_put_before_a_person(self, world: AsyncEngine) -> None:
        order = await booked(world, "scanned-stray")
        await report(world, order, "delivered", "lost")
        assert await one(world, STATUS, id=f"{order.order_id}-F1") == "delivered"
        assert await rows(world, "SELECT kind FROM exceptions") == [("report_out_of_turn",)]

    async def test_of_one_feed_each_order_hears_its_own_and_a_strange_parcel_is_refused(
        self, world: AsyncEngine
    ) -> None:
        orders = [await booked(world, f"scanned-{number}") for number in range(6)]
        strange = replace(scan(orders[0], "lost"), tracking_number="nobody's", event_id="strange")
        scans = dict(enumerate([*[scan(order, "delivered") for order in orders], strange]))
        taken = await carrier_events.take_in(world, CARRIER, scans, NOTIFY)
        assert [taken[n] for n in range(6)] == [True] * 6
        assert isinstance(taken[6], NotFound)
        assert await rows(world, "SELECT DISTINCT status FROM orders") == [("delivered",)]
