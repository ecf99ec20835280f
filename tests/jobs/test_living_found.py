"""Orders and returns whose process is gone, or does not agree with the store, are found and reported once."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowExecutionStatus

from dom.exceptions import ExceptionKind
from dom.orders.status import FulfilmentStatus, OrderStatus
from jobs.watching_processes import Watching
from processes.consistency import Living
from tests.worlds import small
from tests.worlds.advancing import comes_to
from tests.worlds.books import rows
from tests.worlds.living import (
    accepted,
    compare,
    lose,
    revived,
    until_listed,
    until_missed,
)
from tests.worlds.running import House
from tests.worlds.steps import cancel, ended, until_event
from tests.worlds.waiting import until_booked


@pytest.fixture
async def house(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    async with House(temporal_client, world).working() as working:
        yield working


class TestFound:
    async def test_nothing_where_all_is_well(self, house: House) -> None:
        for number in range(3):
            await house.send(small.order(f"well-{number}", A=1))
        await until_listed(house, 3)
        found = await compare(house, thoroughly=True)
        assert (found.open, found.running, found.asked, found.faults) == (3, 3, 3, [])
        assert found.in_words.endswith("each has its own")

    async def test_a_person_is_told_once_for_each_time(self, house: House) -> None:
        order = small.order("told", A=1)
        await house.send(order)
        watching = Watching(house.engine, house.client, house.task_queue)
        await lose(house, order)
        await until_missed(house, order.order_id)
        await watching.run()
        await watching.run()
        assert await self._open(house) == [("no_process", order.order_id)]
        await revived(house, order)
        await until_event(house, order, "process_revived")
        assert await self._open(house) == []
        await lose(house, order)
        await until_missed(house, order.order_id)
        await watching.run()
        assert await self._open(house) == [("no_process", order.order_id)]

    async def test_a_process_that_says_what_has_long_happened(self, house: House) -> None:
        """As after a restore: the store is newer than Temporal. Both say that the order is being worked on."""
        order = small.order("behind", A=1)
        await house.send(order)
        await accepted(house, order)
        await until_listed(house, 1)
        fulfilment_id = f"{order.order_id}-F1"
        await comes_to(house.engine, fulfilment_id, FulfilmentStatus.PICKED)
        assert not (await compare(house, thoroughly=True)).faults, "a process does not follow the steps at the node"
        await comes_to(house.engine, fulfilment_id, FulfilmentStatus.PACKED)
        assert not (await compare(house)).faults
        faults = (await compare(house, thoroughly=True)).of(ExceptionKind.PROCESS_DIFFERS)
        assert [fault.about for fault in faults] == [order.order_id]
        assert f"{order.order_id}-F1 is packed, the process says accepted" in faults[0].detail
        await revived(house, order)
        await until_booked(house.engine, order)
        await house.node(order, "hand-over")
        await house.carrier_says(order, "delivered")
        await ended(house, order)

    async def test_a_process_whose_order_is_final(self, house: House) -> None:
        order = small.order("final", A=1)
        await house.send(order)
        await until_listed(house, 1)
        async with house.engine.begin() as connection:
            await connection.execute(text("UPDATE orders SET status = 'delivered', finished_at = now()"))
            await connection.execute(text("UPDATE fulfilments SET status = 'delivered'"))
        faults = (await compare(house)).of(ExceptionKind.PROCESS_DIFFERS)
        assert [fault.about for fault in faults] == [order.order_id]
        await revived(house, order)
        assert (await house.handle(order).result()).status is OrderStatus.DELIVERED

    async def test_a_process_nobody_works_on_gives_no_answer(self, temporal_client: Client, world: AsyncEngine) -> None:
        order = small.order("idle", A=1)
        async with House(temporal_client, world).working() as house:
            await house.send(order)
            await until_listed(house, 1)
        found = await compare(house, thoroughly=True)
        assert (found.faults, found.unasked) == ([], 1)
        assert "does a worker run?" in found.in_words
        await house.handle(order).terminate()

    async def _open(self, house: House) -> list[tuple[object, ...]]:
        return await rows(house.engine, "SELECT kind, order_id FROM exceptions WHERE status = 'open'")


class TestNotRevived:
    async def test_what_has_a_process_that_agrees(self, house: House) -> None:
        order = small.order("alive", A=1)
        await house.send(order)
        assert await Living(house.engine, house.client, house.task_queue).of(order.order_id) is None

    async def test_what_is_over(self, house: House) -> None:
        order = small.order("over", A=1)
        await house.send(order)
        await cancel(house, order)
        await ended(house, order)
        assert await Living(house.engine, house.client, house.task_queue).of(order.order_id) is None
        assert (await house.handle(order).describe()).status is WorkflowExecutionStatus.COMPLETED
