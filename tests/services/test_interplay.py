"""What one of staff's commands comes to where another one was there before."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.carriers.registry import CarrierRegistry
from dom.fulfilment.packing import Interception
from dom.orders.bulk import BulkOutcome, SourceOrdersAgain
from dom.orders.cancellation import CancelMode
from dom.orders.commands import EditOrder, PlaceHold, TakeNodeStep
from dom.orders.editing.changes import SetQuantity
from dom.orders.holds import BlockedStep
from dom.orders.status import FulfilmentStep, NodeReason, SourcingCause
from dom.shared.errors import StepNotPossible
from dom.sourcing.policy.answers import Cancellations, Silence
from dom.sourcing.policy.document import FailedNodes
from dom.sourcing.sourced import SourceAgain
from services import bookings, cancellation_requests
from services.clock import utc_now
from services.database import Database
from services.sourcing_again import source_again
from store.orders import resuming
from tests.services.test_bulk import captured, carried_out, of
from tests.services.test_cancellation_requests import BOOKED, GRANT, NOTIFY, PICKED, answer, ask, asking, at
from tests.services.test_moving import move
from tests.worlds import small
from tests.worlds.advancing import S, do
from tests.worlds.books import check_books, one
from tests.worlds.captured import accept
from tests.worlds.outside import RecordingCarrier
from tests.worlds.sourcing import MONDAY_NOON

LONG_AFTER = timedelta(days=30)


class TestAnOpenRequest:
    @pytest.mark.parametrize("mode", [CancelMode.ALL, CancelMode.POSSIBLE])
    async def test_asks_for_no_more_than_is_left_of_it(self, world: AsyncEngine, mode: CancelMode) -> None:
        order = await at(world, *PICKED, A=3)
        await ask(world, order, asking({"1": 2}))
        await ask(world, order, asking({"1": 2}, mode=mode))
        with pytest.raises(StepNotPossible):
            await answer(world, order, GRANT)
        assert await one(world, "SELECT cancelled FROM order_lines") == 2
        await check_books(world, reserved=1)

    async def test_of_which_a_part_was_cancelled_otherwise_is_of_the_rest(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED, A=3)
        await ask(world, order, asking({"1": 2}))
        await ask(world, order, asking({"1": 1}, mode=CancelMode.ALL))
        assert await one(world, "SELECT units->>'1' FROM cancellation_requests") == "1"
        await answer(world, order, GRANT)
        assert await one(world, "SELECT cancelled FROM order_lines") == 2

    async def test_an_edit_to_the_same_end_takes_its_place(self, world: AsyncEngine) -> None:
        order = await at(world, *PICKED, A=3)
        await ask(world, order, asking({"1": 1}))
        fewer = EditOrder(revision=0, changes=(SetQuantity(line_id="1", quantity=2),), actor="support", at=MONDAY_NOON)
        async with world.begin() as connection:
            await do(connection, order.order_id, fewer)
        await cancellation_requests.look(world, Cancellations(silence=Silence.GRANTED), utc_now() + LONG_AFTER, NOTIFY)
        assert await one(world, "SELECT quantity - cancelled FROM order_lines") == 2


class TestAParcelThatIsAskedBack:
    async def asked(self, world: AsyncEngine) -> Interception:
        order = await at(world, *BOOKED, S.HANDED_OVER)
        shipment = f"{order.order_id}-F1-B1"
        async with world.begin() as connection:
            await connection.execute(
                text("""INSERT INTO shipments (id, carrier, method, tracking_number, parcels, weight_grams, price,
                                               currency, booking, status, booked_at)
                        VALUES (:id, 'test', 'standard', 'T', 1, 1, 1, 'GBP', '{}', 'booked', now())"""),
                {"id": shipment},
            )
            carried = text("INSERT INTO shipment_fulfilments (shipment_id, fulfilment_id) VALUES (:id, :work)")
            await connection.execute(carried, {"id": shipment, "work": f"{order.order_id}-F1"})
        await ask(world, order)
        return Interception(
            order_id=order.order_id, fulfilment_id=f"{order.order_id}-F1", request_id=f"{order.order_id}-C1"
        )

    async def test_is_not_once_the_request_has_ended(self, world: AsyncEngine) -> None:
        what, carrier = await self.asked(world), RecordingCarrier()
        await cancellation_requests.look(world, Cancellations(), utc_now() + LONG_AFTER, NOTIFY)
        assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'order_changed'") == 1, "its process hears"
        assert await bookings.intercept(Database(world), CarrierRegistry({"test": carrier}), what)
        assert not carrier.intercepted

    async def test_of_a_carrier_that_nobody_serves_is_refused(self, world: AsyncEngine) -> None:
        what = await self.asked(world)
        assert not await bookings.intercept(Database(world), CarrierRegistry({}), what)
        assert await one(world, "SELECT status FROM cancellation_requests") == "refused"


class TestMoved:
    async def test_units_that_wait_go_on_waiting_as_they_did(self, world: AsyncEngine) -> None:
        house = Database(engine=world, replaying=True)
        await accept(house, small.order("1", A=4, NEVER=2))
        async with world.begin() as connection:
            await connection.execute(
                text("UPDATE sourcing_decisions SET recorded_at = recorded_at - interval '10 days'")
            )
        await move(house, "1")
        async with world.connect() as connection:
            assert (await resuming.last_sourcing(connection, "web-1")).waiting_seconds >= 10 * 86_400

    async def test_anywhere_is_not_to_a_node_that_failed_the_order(self, world: AsyncEngine) -> None:
        house = Database(engine=world, replaying=True)
        await accept(house, small.order("1", A=4))
        full = TakeNodeStep(
            fulfilment_id="web-1-F1",
            step=FulfilmentStep.REJECT,
            why=NodeReason.NO_CAPACITY,
            actor="node",
            at=MONDAY_NOON,
        )
        async with world.begin() as connection:
            await do(connection, "web-1", full)
        again: dict[str, Any] = {"order_id": "web-1", "attempt": 2, "as_of": MONDAY_NOON}
        await source_again(house, SourceAgain(cause=SourcingCause.REJECTED, failed_nodes=FailedNodes.NEVER, **again))
        moved = await move(house, "1", None, fulfilment_id="web-1-F2")
        assert "dc-leeds" not in moved.data["fulfilments"].values()


class TestInBulk:
    async def test_what_is_held_from_sourcing_stays_where_it_is(self, world: AsyncEngine) -> None:
        (order,) = await captured(world, "1")
        hold = PlaceHold(type="manual", blocks=frozenset({BlockedStep.SOURCING}), actor="ada", at=utc_now())
        async with world.begin() as connection:
            await do(connection, order.order_id, hold)
        run = await carried_out(world, of([order], SourceOrdersAgain()))
        assert run.outcomes == {BulkOutcome.REFUSED: 1}
        assert await one(world, "SELECT problem FROM bulk_items") == "on-hold"
        assert await one(world, "SELECT status FROM fulfilments") == "released"

    async def test_what_is_collected_stays_where_it_is_collected(self, world: AsyncEngine) -> None:
        order = small.order("collected", tags=[], A=1, shipping_method="pickup", pickup_node="st-york")
        await accept(Database(world), order)
        run = await carried_out(world, of([order], SourceOrdersAgain()))
        assert run.outcomes == {BulkOutcome.UNCHANGED: 1}
        assert await one(world, "SELECT status FROM fulfilments") == "released"
