"""Orders whose process is terminated in the middle of a step: revived, they go on, and nothing happened twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError

from dom.exceptions import ExceptionKind
from dom.orders.order import Order
from dom.orders.status import FulfilmentStatus, OrderStatus
from dom.shared import ids
from processes.consistency import Living
from processes.revival import revive
from tests.worlds import small
from tests.worlds.books import balance, one, rows
from tests.worlds.outside import RecordingCarrier
from tests.worlds.running import House
from tests.worlds.steps import cancel, ended, pack, until_event, until_order
from tests.worlds.waiting import until
from workflows.order.process import OrderWorkflow

UNSENT = "SELECT count(*) FROM outbox WHERE message_key IS NOT NULL AND status <> 'sent'"


@asynccontextmanager
async def held_up(engine: AsyncEngine, order: Order) -> AsyncIterator[None]:
    """What is written of the order within the block waits for its end."""
    async with engine.begin() as connection:
        await connection.execute(text("SELECT FROM orders WHERE id = :id FOR NO KEY UPDATE"), {"id": order.order_id})
        yield


async def until_waiting(engine: AsyncEngine, count: int) -> None:
    """Wait until so many writes are held up."""

    async def there() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(await one(engine, query) == count)

    await until(f"{count} writes wait", there)


async def until_read(house: House, order: Order, status: FulfilmentStatus) -> None:
    """Wait until the process has read that the first fulfilment came to the status, and asks the store nothing more."""
    first = ids.fulfilment_id(order.order_id, 1)

    async def there() -> bool:
        return (await house.handle(order).query(OrderWorkflow.standing)).fulfilments[first] is status

    await until(f"the process has read that {first} is {status}", there)


async def revived(house: House, order: Order) -> None:
    fault = await Living(house.engine, house.client, house.task_queue).of(order.order_id)
    assert fault is not None
    assert fault.kind == ExceptionKind.NO_PROCESS
    await revive(house.engine, house.client, house.task_queue, fault, "ops:kim")


async def notified_once(house: House) -> None:
    await house.told()
    keys = [message.key for message in house.mail.sent]
    assert len(keys) == len(set(keys))
    assert await one(house.engine, UNSENT) == 0
    assert await one(house.engine, "SELECT count(*) FROM exceptions WHERE status = 'open'") == 0


class TestDuringAHandOver:
    async def test_the_goods_leave_once(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world).working() as house:
            order = small.order("cut-handing-over", A=2)
            await house.send(order)
            await pack(house, order)
            await until_read(house, order, FulfilmentStatus.BOOKED)
            async with held_up(world, order):
                await house.node(order, "hand-over")
                await until_waiting(world, 1)
                await house.handle(order).terminate("by hand")
                await revived(house, order)
                await until_waiting(world, 2)
            await until_event(house, order, "process_revived")
            await house.node(order, "hand-over")
            await until_order(house, order, "shipped")
            await house.carrier_says(order, "delivered")
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
            assert await balance(world, "dc-leeds", "A") == (98, 0)
            await notified_once(house)


class TestDuringACancellation:
    @pytest.mark.parametrize("units", [1, 2])
    async def test_it_is_carried_out_once(self, temporal_client: Client, world: AsyncEngine, units: int) -> None:
        carrier = RecordingCarrier()
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order(f"cut-cancelling-{units}", A=2)
            await house.send(order)
            await pack(house, order)
            await until_read(house, order, FulfilmentStatus.BOOKED)
            async with held_up(world, order):
                asking = asyncio.create_task(cancel(house, order, l1=units))
                await until_waiting(world, 1)
                await house.handle(order).terminate("by hand")
                await revived(house, order)
                await until_waiting(world, 2)
            with pytest.raises((RPCError, WorkflowUpdateFailedError)):
                await asking
            await until_event(house, order, "process_revived")
            await until_event(house, order, "booking_voided")
            if units == 1:
                await cancel(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
            assert await rows(world, "SELECT cancelled FROM order_lines") == [(2,)]
            assert carrier.live == set()
            assert await balance(world, "dc-leeds", "A") == (100, 0)
            await notified_once(house)

    async def test_the_booking_is_taken_back_though_the_order_is_over(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        """It is over for its customer, and not for the carrier that would come for it."""

        class Away(RecordingCarrier):
            away = True

            async def void(self, booking_key: str) -> None:
                if self.away:
                    raise ConnectionError("the carrier is away")
                await super().void(booking_key)

        carrier = Away()
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order("cut-voiding", A=2)
            await house.send(order)
            await pack(house, order)
            await cancel(house, order)

            async def told() -> bool:
                return (
                    await one(world, "SELECT count(*) FROM outbox WHERE message_key IS NOT NULL AND status <> 'sent'")
                    == 0
                )

            await until("the customer was told", told)
            await house.handle(order).terminate("by hand")
            living = Living(world, temporal_client, house.task_queue)

            async def is_missed() -> bool:
                return [each.about for each in (await living.compare()).of(ExceptionKind.NO_PROCESS)] == [
                    order.order_id
                ]

            await until("it is found without a process", is_missed)
            carrier.away = False
            await revived(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
            assert carrier.live == set()
            assert await rows(world, "SELECT status FROM shipments") == [("voided",)]
            assert (await living.compare()).faults == []
            await notified_once(house)


class TestRevivedTwiceAtOnce:
    async def test_one_process_goes_on(self, temporal_client: Client, world: AsyncEngine) -> None:
        async with House(temporal_client, world).working() as house:
            order = small.order("twice-revived", A=2)
            await house.send(order)
            await pack(house, order)
            await house.handle(order).terminate("by hand")
            done = await asyncio.gather(revived(house, order), revived(house, order), return_exceptions=True)
            assert sum(each is None for each in done) == 1, done
            await until_event(house, order, "process_revived")
            await house.node(order, "hand-over")
            await house.carrier_says(order, "delivered")
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
            assert dict(house.carrier.booked) == {ids.booking_key(f"{order.order_id}-F1", 1): 1}
            await notified_once(house)
