"""Waits of days, on a server that skips time: waiting units are looked for again, and given up in the end."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import WorkflowEnvironment

from dom.orders.status import OrderStatus
from store import stock
from store.enums import LedgerKind
from store.stock import Movement
from tests.worlds import small
from tests.worlds.backorders import patient
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import deliver, ended, status_of, until_released


class TestWaiting:
    async def test_is_given_up_after_the_days_of_the_policy(
        self, skipping: WorkflowEnvironment, world: AsyncEngine
    ) -> None:
        await patient(world, retry_minutes=1440, cancel_after_days=5)
        async with House(skipping.client, world).working() as house:
            order = small.order("given-up", NEVER=2)
            assert (await house.send(order)).status is OrderStatus.BACKORDERED
            await skipping.sleep(timedelta(days=4, hours=12))
            assert await status_of(house, order) == "backordered"
            assert await one(world, "SELECT count(*) FROM sourcing_decisions WHERE cause = 'retried'") == 4
            await skipping.sleep(timedelta(days=1))
            assert (await ended(house, order)).status is OrderStatus.CANCELLED
        cancelled = "SELECT reason, actor FROM timeline WHERE kind = 'cancelled'"
        assert await rows(world, cancelled) == [("no stock came in time", "system:ofl")]
        assert await rows(world, "SELECT kind FROM outbox ORDER BY id") == [("order_backordered",), ("cancelled",)]

    async def test_gives_up_only_what_waits(self, skipping: WorkflowEnvironment, world: AsyncEngine) -> None:
        await patient(world, retry_minutes=1440, cancel_after_days=2)
        async with House(skipping.client, world).working() as house:
            order = small.order("part-given-up", A=1, NEVER=2)
            await house.send(order)
            await skipping.sleep(timedelta(days=3))
            assert await status_of(house, order) == "accepted"
            await deliver(house, order)
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
        lines = "SELECT cancelled, backordered FROM order_lines ORDER BY position"
        assert await rows(world, lines) == [(0, 0), (2, 0)]

    async def test_looks_again_by_itself_and_finds_stock_nobody_told_of(
        self, skipping: WorkflowEnvironment, world: AsyncEngine
    ) -> None:
        await patient(world, retry_minutes=360, cancel_after_days=14)
        async with House(skipping.client, world, allocates=False).working() as house:
            order = small.order("retried", NEVER=2)
            await house.send(order)
            await skipping.sleep(timedelta(hours=7))
            async with world.begin() as connection:
                arrived = Movement("dc-leeds", "NEVER", 2, LedgerKind.RECEIPT, "receipt", "unannounced")
                await stock.move(connection, arrived, actor="test", at=MONDAY_NOON)
            await skipping.sleep(timedelta(hours=6))
            assert await until_released(house, order, 1) == "dc-leeds"
            await deliver(house, order)
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
