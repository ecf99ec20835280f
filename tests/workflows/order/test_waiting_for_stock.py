"""Waits of days, on a server that skips time: waiting units are looked for again, and given up in the end."""

import sysconfig
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from cli.embedded.temporal import SEARCH_ATTRIBUTES
from dom.orders.status import OrderStatus
from store import stock
from store.enums import LedgerKind
from store.policy import policies
from store.stock import Movement
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.policies import changed
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import deliver, ended, status_of, until_released

KINDS = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock jumps over waits when it is told to."""
    server = Path(sysconfig.get_path("scripts")) / "temporal-test-server"
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=str(server)
    ) as environment:
        attributes = {name: KINDS[kind] for name, kind in SEARCH_ATTRIBUTES.items()}
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace="default", search_attributes=attributes)
        )
        yield environment


async def patient(engine: AsyncEngine, *, retry_minutes: int, cancel_after_days: int) -> None:
    """Publish how long waiting units are looked for."""
    patience = changed(small.POLICY, after_minutes=retry_minutes, cancel_after_days=cancel_after_days)
    async with engine.begin() as connection:
        await policies.publish_policy(connection, patience, "test")


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
            assert await one(world, "SELECT count(*) FROM sourcing_decisions WHERE cause = 'looked again'") == 4
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
            order = small.order("looked-again", NEVER=2)
            await house.send(order)
            await skipping.sleep(timedelta(hours=7))
            async with world.begin() as connection:
                arrived = Movement("dc-leeds", "NEVER", 2, LedgerKind.RECEIPT, "receipt", "unannounced")
                await stock.move(connection, arrived, actor="test", at=MONDAY_NOON)
            await skipping.sleep(timedelta(hours=6))
            assert await until_released(house, order, 1) == "dc-leeds"
            await deliver(house, order)
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
