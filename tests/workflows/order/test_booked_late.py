"""A booking that comes about after nobody needs it any more is taken back by whoever made it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from connectors.carriers.port import Booking, BookingRequest
from dom.orders.order import Order
from dom.orders.status import OrderStatus
from dom.shared import ids
from dom.shared.errors import OutsideFailure
from processes.consistency import Living
from processes.revival import revive
from tests.worlds import small
from tests.worlds.books import rows
from tests.worlds.outside import RecordingCarrier
from tests.worlds.running import House
from tests.worlds.steps import cancel, ended, until_event
from tests.worlds.waiting import until, until_booked, until_status


async def lose_and_revive(house: House, order: Order) -> None:
    """Somebody terminates the order's process, and starts it anew."""
    await house.handle(order).terminate("by hand")
    fault = await Living(house.engine, house.client, house.task_queue).of(order.order_id)
    assert fault is not None
    await revive(house.engine, house.client, house.task_queue, fault, "ops:kim")
    await until_event(house, order, "process_revived")


@asynccontextmanager
async def booking(client: Client, world: AsyncEngine, carrier: RecordingCarrier, order: Order) -> AsyncIterator[House]:
    """A house whose first request to the carrier is on its way and does not arrive."""
    async with House(client, world, carrier=carrier).working() as house:
        await house.send(order)
        await house.node(order, "accept", "pick", "pack")
        await until("the carrier is asked", lambda: _held(carrier))
        yield house
        carrier.let_go.set()


async def _held(carrier: RecordingCarrier) -> bool:
    return carrier.held == 1


async def arrives(carrier: RecordingCarrier) -> None:
    """The first request arrives after all, and what follows of it has happened."""
    before = sum(carrier.booked.values()), sum(carrier.voided.values())
    carrier.let_go.set()

    async def settled() -> bool:
        return sum(carrier.booked.values()) > before[0]

    await until("the late request is booked", settled)
    for _ in range(40):  # nothing more than a moment: what follows is one transaction
        if not carrier.live:
            return
        await asyncio.sleep(0.05)


SHIPMENTS = (
    "SELECT s.id, s.status, f.status FROM shipments s JOIN shipment_fulfilments b ON b.shipment_id = s.id "
    "JOIN fulfilments f ON f.id = b.fulfilment_id ORDER BY s.id"
)


class TestOfAnOrderThatIsCancelled:
    async def test_after_its_new_process_booked_and_took_back(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        carrier, order = RecordingCarrier(holds=1), small.order("late-again", A=2)
        async with booking(temporal_client, world, carrier, order) as house:
            await lose_and_revive(house, order)
            await until_booked(world, order)
            await cancel(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
            assert not carrier.live
            await arrives(carrier)
            assert carrier.live == set()
        assert await rows(world, SHIPMENTS) == [(f"{order.order_id}-F1-B1", "voided", "cancelled")]

    async def test_before_its_new_process_reached_the_carrier(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        """Nothing is known of the booking until then: it is written down as taken back, for scans may come of it."""
        carrier, order = RecordingCarrier(holds=1, failures=1000), small.order("late-alone", A=2)
        async with booking(temporal_client, world, carrier, order) as house:
            await lose_and_revive(house, order)
            await cancel(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
            await arrives(carrier)
            assert carrier.live == set()
        assert await rows(world, SHIPMENTS) == [(f"{order.order_id}-F1-B1", "voided", "cancelled")]
        kinds = await rows(world, "SELECT kind FROM timeline WHERE kind LIKE '%book%' ORDER BY id")
        assert kinds == [("carrier_booked",), ("booking_voided",)]


class TestOfAParcelThatWasPackedAnew:
    async def test_it_is_not_taken_for_the_new_one(self, temporal_client: Client, world: AsyncEngine) -> None:
        carrier, order = RecordingCarrier(holds=1, failures=1000), small.order("late-repacked", A=2)
        fulfilment_id = ids.fulfilment_id(order.order_id, 1)
        async with booking(temporal_client, world, carrier, order) as house:
            await lose_and_revive(house, order)
            await cancel(house, order, l1=1)
            await house.node(order, "pack")
            await until_event(house, order, "fulfilment_packed", 2)
            await arrives(carrier)
            assert carrier.live == set()
            await until_status(world, fulfilment_id, "packed")

            async def is_voided() -> bool:
                return await rows(world, SHIPMENTS) == [(f"{fulfilment_id}-B1", "voided", "packed")]

            await until("the booking that came late is voided", is_voided)
            await cancel(house, order)
            await ended(house, order)


class TestWhatFailsForGood:
    async def test_without_a_label_the_booking_is_taken_back(self, temporal_client: Client, world: AsyncEngine) -> None:
        class Unlabelled(RecordingCarrier):
            async def label(self, request: BookingRequest, booking: Booking) -> bytes:
                raise OutsideFailure("no printer")

        carrier, order = Unlabelled(holds=1), small.order("late-unlabelled", A=2)
        async with booking(temporal_client, world, carrier, order) as house:
            await house.handle(order).terminate("by hand")
            await arrives(carrier)
            assert carrier.live == set()
