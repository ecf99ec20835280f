"""Temporal's own "Request Cancellation" becomes a cancellation of what can be cancelled; the order goes on."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowExecutionStatus

from dom.orders.order import Order
from dom.orders.status import Disposition, OrderStatus, ReturnStatus
from dom.shared import ids
from tests.worlds import small
from tests.worlds.books import check_books, one, rows
from tests.worlds.outside import RecordingCarrier
from tests.worlds.returning import ask, handle, inspect, receive
from tests.worlds.running import House
from tests.worlds.seen import current_details
from tests.worlds.steps import cancel, deliver, ended, pack, ship, until_event, until_order
from tests.worlds.waiting import until, until_status


async def nothing(house: House, order: Order) -> None:
    """No node has begun."""


async def accepted(house: House, order: Order) -> None:
    await house.node(order, "accept")
    await until_order(house, order, "in_fulfilment")


async def picked(house: House, order: Order) -> None:
    await house.node(order, "accept", "pick")
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "picked")


class TestAnOrderThatIsHere:
    @pytest.mark.parametrize("before", [nothing, accepted, picked, pack], ids=lambda each: each.__name__)
    async def test_is_cancelled_with_all_that_belongs_to_it(
        self, house: House, before: Callable[[House, Order], Awaitable[None]]
    ) -> None:
        order = small.order(f"asked-{before.__name__}", A=2, B=1)
        await house.send(order)
        await before(house, order)
        await house.handle(order).cancel()
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        assert (await house.handle(order).describe()).status is WorkflowExecutionStatus.COMPLETED
        assert house.carrier.booked.keys() == house.carrier.voided.keys()
        actors = await rows(house.engine, "SELECT actor FROM timeline WHERE kind = 'cancelled'")
        assert actors == [("system:temporal",)]
        assert "cancelled:1" in {message.key.split("/")[1] for message in house.mail.sent}

    async def test_that_waits_for_stock_is_cancelled(self, house: House) -> None:
        order = small.order("asked-waiting", NEVER=1)
        await house.send(order)
        await house.handle(order).cancel()
        assert (await ended(house, order)).status is OrderStatus.CANCELLED

    async def test_while_the_carrier_is_away_it_is_cancelled(self, temporal_client: Client, world: AsyncEngine) -> None:
        """A booking that is under way is taken back."""
        carrier = RecordingCarrier(failures=1000)
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order("asked-booking", A=1)
            await house.send(order)
            await house.node(order, "accept", "pick", "pack")
            await until_status(world, ids.fulfilment_id(order.order_id, 1), "packed")
            await house.handle(order).cancel()
            assert (await ended(house, order)).status is OrderStatus.CANCELLED

    async def test_at_once_with_the_capture_it_is_cancelled(self, house: House) -> None:
        order = small.order("asked-at-once", A=1)

        async def ask_as_soon_as_it_is_there() -> None:
            async def there() -> bool:
                try:
                    await house.handle(order).cancel()
                except Exception:
                    return False
                return True

            await until("the workflow is there", there)

        await asyncio.gather(house.send(order), ask_as_soon_as_it_is_there())
        assert (await ended(house, order)).status is OrderStatus.CANCELLED


class TestWhatHasLeft:
    async def test_goes_on_to_its_end_and_the_rest_is_cancelled(self, house: House) -> None:
        order = small.order("half-left", RARE=5)
        await house.send(order)
        await ship(house, order, 1)
        await until_order(house, order, "part_shipped")
        await house.handle(order).cancel()
        await until_event(house, order, "cancelled")
        await until("the report says so", lambda: _says(house, order, "Cancellation requested in Temporal"))
        await house.carrier_says(order, "delivered", 1)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        gone = await one(house.engine, "SELECT cancelled FROM order_lines")
        left = await one(house.engine, "SELECT quantity FROM fulfilment_lines WHERE fulfilment_id LIKE '%-F1'")
        assert (gone, left) in {(2, 3), (3, 2)}

    async def test_whole_is_refused_where_people_see_it(self, house: House) -> None:
        order = small.order("all-left", A=2)
        await house.send(order)
        await ship(house, order)
        await until_order(house, order, "shipped")
        await house.handle(order).cancel()
        await until("the report says so", lambda: _says(house, order, "0 units were cancelled; 2 have left"))
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await one(house.engine, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == 0

    async def test_a_later_cancellation_by_support_works_as_ever(self, house: House) -> None:
        order = small.order("asked-then-lost", RARE=2)
        await house.send(order)
        await ship(house, order)
        await until_order(house, order, "shipped")
        await house.handle(order).cancel()
        await until("the report says so", lambda: _says(house, order, "0 units were cancelled"))
        await house.carrier_says(order, "lost")
        await until_event(house, order, "sourced")
        await cancel(house, order)
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        await check_books(house.engine)


class TestAReturn:
    async def test_is_cancelled_where_nothing_came(self, house: House) -> None:
        order = small.order("back-not", A=1)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        returning = handle(house, await ask(house, order, "t", l1=1))
        await returning.cancel()
        assert (await returning.result()).status is ReturnStatus.CANCELLED
        assert "Cancellation requested in Temporal: nothing more is to come" in await current_details(returning)
        assert (await ask(house, order, "another", l1=1)).created

    async def test_refuses_where_people_see_it_once_everything_came(self, house: House) -> None:
        order = small.order("back-anyway", A=1)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        answer = await ask(house, order, "t", l1=1)
        await receive(house, answer)
        returning = handle(house, answer)
        await returning.cancel()

        async def told() -> bool:
            return "Cancellation requested in Temporal: refused" in await current_details(returning)

        await until("the report says so", told)
        await inspect(house, answer, ("1", 1, Disposition.RESTOCK))
        assert (await returning.result()).status is ReturnStatus.REFUNDED


async def _says(house: House, order: Order, words: str) -> bool:
    return words in await current_details(house.handle(order))
