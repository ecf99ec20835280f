"""Orders and returns that only Temporal knows, as after a restore of an older store."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.exceptions import ExceptionKind
from dom.orders.intake import OrderRequest
from dom.orders.return_calls import ReturnRequest, ReturnRequestLine
from dom.orders.status import Disposition, OrderStatus, ReturnStatus
from dom.shared.errors import NoProcess, NotFound, NothingToReturn
from jobs.watching_processes import Watching
from processes.client import Durable
from processes.consistency import Fault, Living
from processes.orders import OrderProcesses
from processes.returns import ReturnProcesses
from processes.revival import revive
from store.database.engine import reading
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.living import (
    compare,
    lost_by_the_store,
    returns_lost_by_the_store,
    revived,
    sent,
    until_ended,
    until_listed,
)
from tests.worlds.returning import ask, handle, inspect, receive
from tests.worlds.running import House
from tests.worlds.steps import cancel, deliver, ended, refused, until_event
from tests.worlds.waiting import until
from workflows.messages import ReturnAnswer


@pytest.fixture
async def house(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    async with House(temporal_client, world).working() as working:
        yield working


def watching(house: House) -> Watching:
    return Watching(house.engine, house.client, house.task_queue)


async def exceptions(house: House) -> list[tuple[object, ...]]:
    return await rows(house.engine, "SELECT kind, business_key, status FROM exceptions ORDER BY id")


async def faults_of(house: House, kind: ExceptionKind, count: int = 1) -> list[Fault]:
    """The faults of a kind, once Temporal lists what there is."""
    found: list[Fault] = []

    async def there() -> bool:
        found[:] = (await compare(house)).of(kind)
        return len(found) == count

    await until(f"{count} {kind}", there)
    return found


class TestRunning:
    async def test_an_order_is_captured_anew(self, house: House) -> None:
        order = small.order("lost-by-the-store", A=1)
        await house.send(order)
        await until_listed(house, 1)
        await until("it was told", lambda: sent(house, 1))
        await lost_by_the_store(house)
        faults = (await compare(house)).of(ExceptionKind.PROCESS_DIFFERS)
        assert [(fault.about, fault.status) for fault in faults] == [(order.order_id, "")]
        await watching(house).run()
        assert await rows(house.engine, "SELECT kind, order_id FROM exceptions") == [("process_differs", None)]
        await revived(house, order)
        await until_event(house, order, "accepted")
        await deliver(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_the_exception_closes_once_they_agree(self, house: House) -> None:
        order = small.order("agrees-again", A=1)
        await house.send(order)
        await until_listed(house, 1)
        await until("it was told", lambda: sent(house, 1))
        await lost_by_the_store(house)
        await watching(house).run()
        await watching(house).run()
        assert [status for _, _, status in await exceptions(house)] == ["open"], "it does not agree yet"
        await revived(house, order)
        await until_event(house, order, "accepted")
        await until_listed(house, 1)
        await watching(house).run()
        assert [status for _, _, status in await exceptions(house)] == ["closed"]
        await cancel(house, order)
        await ended(house, order)

    async def test_a_return_is_allowed_anew(self, house: House) -> None:
        answer = await self._returning(house, "return-lost")
        await returns_lost_by_the_store(house)
        faults = await faults_of(house, ExceptionKind.PROCESS_DIFFERS)
        assert [(fault.about, fault.status) for fault in faults] == [(answer.return_id, "")]
        await watching(house).run()
        assert [(kind, str(key).split(":")[0]) for kind, key, _ in await exceptions(house)] == [
            ("process_differs", answer.return_id)
        ]
        await revive(house.engine, house.client, house.task_queue, faults[0], "ops:kim")
        await receive(house, answer, l1=1)
        await inspect(house, answer, ("1", 1, Disposition.RESTOCK))
        assert (await handle(house, answer).result()).status is ReturnStatus.REFUNDED
        await watching(house).run()
        assert [status for _, _, status in await exceptions(house)] == ["closed"]
        assert (await compare(house)).faults == []

    async def test_a_return_is_left_alone_while_its_order_cannot_have_it(self, house: House) -> None:
        """Its process keeps what the customer asked for until the order is put right."""
        answer = await self._returning(house, "return-too-early")
        await lost_by_the_store(house)
        (fault,) = await faults_of(house, ExceptionKind.PROCESS_DIFFERS)
        with pytest.raises(NotFound, match="there is no order"):
            await revive(house.engine, house.client, house.task_queue, fault, "ops:kim")
        order = small.order("return-too-early", A=2)
        await house.send(order, refused_before=True)
        with pytest.raises(NothingToReturn):
            await revive(house.engine, house.client, house.task_queue, fault, "ops:kim")
        await deliver(house, order)
        await ended(house, order)
        await revive(house.engine, house.client, house.task_queue, fault, "ops:kim")
        await receive(house, answer, l1=1)
        await inspect(house, answer, ("1", 1, Disposition.SCRAP))
        await handle(house, answer).result()

    async def test_a_request_that_was_never_allowed_is_no_fault(self, house: House) -> None:
        """A process that is under way to its capture is not in the store either."""
        order = small.order("not-yet", A=1)
        async with refused("not-found"):
            await ask(house, order, "t", l1=1)
        await asyncio.sleep(0.5)
        assert (await compare(house)).faults == []

    async def _returning(self, house: House, number: str) -> ReturnAnswer:
        order = small.order(number, A=2)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        return await ask(house, order, "t", l1=1)


class TestEnded:
    async def test_an_order_is_found_and_captured_anew_by_name(self, house: House) -> None:
        order = small.order("ended-and-lost", A=1)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        await lost_by_the_store(house)
        (fault,) = await faults_of(house, ExceptionKind.NOT_IN_STORE)
        assert (fault.about, fault.status) == (order.order_id, "")
        assert "ended as delivered (completed), but the store does not hold it" in fault.detail
        assert f"dom orders revive {order.order_id}" in fault.detail
        await watching(house).run()
        await watching(house).run()
        assert [(kind, status) for kind, _, status in await exceptions(house)] == [("not_in_store", "open")]
        await revived(house, order)
        await until_event(house, order, "accepted")
        await watching(house).run()
        assert [(kind, status) for kind, _, status in await exceptions(house)] == [("not_in_store", "closed")]
        await deliver(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert (await compare(house)).faults == []

    async def test_sent_again_it_is_not_captured_and_shipped_once_more(self, house: House) -> None:
        order = small.order("ended-lost-and-sent", A=1)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        answer = await ask(house, order, "t", l1=1)
        await receive(house, answer, l1=1)
        await inspect(house, answer, ("1", 1, Disposition.SCRAP))
        await handle(house, answer).result()
        reads, durable = reading(house.engine), Durable(house.client, house.task_queue)
        await returns_lost_by_the_store(house)
        asked = ReturnRequest(order_id=order.order_id, lines=(ReturnRequestLine(line_id="1", quantity=1),), reason="")
        with pytest.raises(NoProcess, match="before the store was restored"):
            await ReturnProcesses(durable, reads, house.engine).request(answer.return_id, asked, "t")
        await lost_by_the_store(house)
        with pytest.raises(NoProcess, match="before the store was restored"):
            await OrderProcesses(durable, reads).capture(OrderRequest.model_validate(order.model_dump()))
        assert await one(house.engine, "SELECT count(*) FROM orders") == 0
        assert [(kind, status) for kind, _, status in await exceptions(house)] == [("not_in_store", "open")] * 2

    async def test_a_terminated_order_says_how_far_it_was(self, house: House) -> None:
        order = small.order("terminated-and-lost", A=1)
        await house.send(order)
        await house.handle(order).terminate("by hand")
        await lost_by_the_store(house)
        (fault,) = await faults_of(house, ExceptionKind.NOT_IN_STORE)
        assert "ended as accepted (terminated)" in fault.detail

    async def test_a_return_is_found(self, house: House) -> None:
        order = small.order("return-ended-and-lost", A=2)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        answer = await ask(house, order, "t", l1=1)
        await receive(house, answer, l1=1)
        await inspect(house, answer, ("1", 1, Disposition.SCRAP))
        await handle(house, answer).result()
        await returns_lost_by_the_store(house)
        (fault,) = await faults_of(house, ExceptionKind.NOT_IN_STORE)
        assert (fault.about, fault.is_return) == (answer.return_id, True)
        assert "ended as refunded (completed)" in fault.detail
        assert (await Living(house.engine, house.client, house.task_queue).of(answer.return_id)) == fault

    async def test_what_was_refused_is_no_fault(self, house: House) -> None:
        order = small.order("refused-for-good", NOBODY_SELLS=1)
        async with refused("unknown-sku"):
            await house.send(order)
        await until_ended(house, 1)
        assert (await compare(house)).faults == []

    async def test_what_the_store_holds_is_no_fault(self, house: House) -> None:
        order = small.order("ended-well", A=1)
        await house.send(order)
        await cancel(house, order)
        await ended(house, order)
        await until_ended(house, 1)
        found = await compare(house, thoroughly=True)
        assert (found.asked, found.faults) == (0, [])
        assert await one(house.engine, "SELECT count(*) FROM exceptions") == 0

    async def test_without_a_worker_it_is_said_that_they_gave_no_answer(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        order = small.order("ended-and-unasked", A=1)
        async with House(temporal_client, world).working() as house:
            await house.send(order)
            await cancel(house, order)
            await ended(house, order)
            await until_ended(house, 1)
        await lost_by_the_store(house)
        found = await compare(house)
        assert (found.faults, found.unasked, found.is_complete) == ([], 1, False)
