"""Histories stay short: a process that waits goes on in a new run, and nothing that is told meanwhile is lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError

from dom.exceptions import ExceptionKind
from dom.orders.calls import CancelCall, CancelLine, CancelResult
from dom.orders.return_calls import CancelReturnCall, InspectCall, InspectedLine, ReceiveCall
from dom.orders.status import Disposition, OrderStatus, ReturnStatus
from processes.client import Durable
from processes.orders import OrderProcesses
from processes.returns import ReturnProcesses
from store.database.engine import reading
from tests.worlds import small
from tests.worlds.books import check_books, one
from tests.worlds.living import compare, lost_by_the_store, notified_once, revived
from tests.worlds.outside import RecordingCarrier
from tests.worlds.returned import check_returns
from tests.worlds.returning import ask, handle, lines
from tests.worlds.running import House
from tests.worlds.seen import current_details
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import cancel, deliver, ended, pack, until_event, until_order
from tests.worlds.waiting import until
from workflows.messages import OrderNews, StockArrived
from workflows.order.process import OrderWorkflow

BOUND = 60
UNREST = 500
"""A run goes on once it rests: while cancellations are answered and mails are on their way it becomes longer."""


@pytest.fixture
async def brief(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    """A house whose processes go on in a new run after sixty events."""
    async with House(temporal_client, world, most_events=BOUND, allocates=False).working() as house:
        yield house


async def chain(house: House, of: WorkflowHandle[Any, Any]) -> list[int]:
    """The lengths of the histories of a process's runs, the first one first; each says which one follows."""
    events = of.fetch_history_events(page_size=1)
    started = (await anext(events)).workflow_execution_started_event_attributes
    run_id, lengths = started.first_execution_run_id, []
    while run_id:
        history = await house.client.get_workflow_handle(of.id, run_id=run_id).fetch_history()
        last = history.events[-1]
        lengths.append(len(history.events))
        run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        assert last.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
    return lengths


def orders_of(house: House) -> OrderProcesses:
    return OrderProcesses(Durable(house.client, house.task_queue), reading(house.engine))


class TestOrders:
    async def test_one_whose_carrier_is_away_goes_on_in_new_runs_and_is_booked_once(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        carrier = RecordingCarrier(failures=10**6)
        async with House(temporal_client, world, most_events=BOUND, carrier=carrier).working() as house:
            order = small.order("carrier-is-away", A=2)
            await house.send(order)
            await house.node(order, "accept", "pick", "pack")
            too_many = CancelCall(lines=(CancelLine(line_id="1", quantity=90),))
            for _ in range(2):
                before = (await house.handle(order).describe()).run_id
                for _ in range(10):
                    with pytest.raises(WorkflowUpdateFailedError):
                        await orders_of(house).cancel(order.order_id, too_many, None)

                async def goes_on(before: str | None = before) -> bool:
                    return (await house.handle(order).describe()).run_id != before

                await until("the next run", goes_on)
            carrier.comes_back()
            await deliver(house, order)
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
            lengths = await chain(house, house.handle(order))
        assert len(lengths) > 2
        assert max(lengths) < UNREST
        assert list(carrier.booked.values()) == [1]
        assert not carrier.voided

    async def test_a_waiting_order_that_is_told_a_lot_loses_nothing(self, brief: House) -> None:
        """It looks for stock hundreds of times, while units are cancelled and the node works on others."""
        house, looks, cancels = brief, 120, 24
        order = small.order("waits-for-months", A=2, NEVER=60)
        await house.send(order)
        of, processes = house.handle(order), orders_of(house)
        answers: dict[str, CancelResult] = {}

        def call(key: str) -> CancelCall:
            return CancelCall(lines=(CancelLine(line_id="2", quantity=1),), actor=key)

        async def look() -> None:
            for at in range(looks):
                news = StockArrived(skus=("NEVER",), occurred_at=MONDAY_NOON + timedelta(seconds=at))
                await of.signal(OrderWorkflow.stock_arrived, news)
                while await one(house.engine, "SELECT count(*) FROM sourcing_decisions") < at + 2:  # type: ignore[operator]
                    await asyncio.sleep(0.005)

        async def cancel() -> None:
            for at in range(0, cancels, 2):
                keys = [f"k{at}", f"k{at + 1}"]
                told = await asyncio.gather(*(processes.cancel(order.order_id, call(key), key) for key in keys))
                answers.update(zip(keys, told, strict=True))
                await asyncio.sleep(0.05)

        await asyncio.gather(look(), cancel(), pack(house, order))
        assert [each.cancelled for each in answers.values()] == [{"2": 1}] * cancels
        assert await one(house.engine, "SELECT count(*) FROM timeline WHERE kind = 'cancelled'") == cancels
        lengths = await chain(house, of)
        assert len(lengths) > 5, lengths
        assert max(lengths) < UNREST, lengths
        assert min(lengths[:-1]) < BOUND + 40, lengths
        for key in answers:
            assert (await processes.cancel(order.order_id, call(key), key)).cancelled == {"2": 1}
        assert await one(house.engine, "SELECT cancelled FROM order_lines WHERE line_id = '2'") == cancels
        await house.node(order, "hand-over")
        await house.carrier_says(order, "delivered")
        await processes.cancel(order.order_id, CancelCall(lines=(CancelLine(line_id="2"),)), "rest")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert dict(house.carrier.booked) == {f"{order.order_id}-F1-B1": 1}
        assert (await processes.cancel(order.order_id, call("k0"), "k0")).cancelled == {"2": 1}, "after its end too"
        await notified_once(house, order)
        await check_books(house.engine)
        assert (await compare(house)).faults == []

    async def test_work_is_followed_over_many_runs(self, temporal_client: Client, world: AsyncEngine) -> None:
        """The bound is met wherever the order rests."""
        async with House(temporal_client, world, most_events=1).working() as house:
            order = small.order("in-many-runs", A=2, B=1)
            await house.send(order)
            of = house.handle(order)

            async def in_run(number: int) -> None:
                async def goes_on() -> bool:
                    return len(await chain(house, of)) >= number

                await until(f"it goes on in run {number}", goes_on)

            for number, step in enumerate(("accept", "pick", "pack", "hand-over"), 2):
                await in_run(number)
                await house.node(order, step)
            await in_run(6)
            await house.carrier_says(order, "delivered")
            assert (await ended(house, order)).status is OrderStatus.DELIVERED
            assert dict(house.carrier.booked) == {f"{order.order_id}-F1-B1": 1}
            await notified_once(house, order)
            await check_books(house.engine)

    async def test_a_cancellation_by_temporal_as_a_run_goes_on_is_carried_out(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        """It may come in the very task that would end the run; the order is cancelled, and not the workflow."""
        orders = [small.order(f"cancelled-as-it-goes-on-{number}", NEVER=1) for number in range(8)]
        async with House(temporal_client, world, most_events=1, allocates=False).working() as house:
            for order in orders:
                await house.send(order)
        for order in orders:  # while no worker is there, the timer before the end of the run fires
            await house.handle(order).cancel()
        async with house.working():
            for order in orders:
                await until_order(house, order, "cancelled")
                assert (await house.handle(order).result()).status is OrderStatus.CANCELLED
                described = await house.handle(order).describe()
                assert described.status is WorkflowExecutionStatus.COMPLETED

    async def test_a_run_that_finds_no_order_waits_and_differs(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        """The store was restored from before the order: a person decides whether it is captured anew."""
        async with House(temporal_client, world, most_events=1, allocates=False).working() as house:
            order = small.order("continued-and-lost", A=2)
            await house.send(order)
            of = house.handle(order)
            before = len(await chain(house, of))
        await lost_by_the_store(house)
        await of.signal(OrderWorkflow.order_changed, OrderNews())
        async with house.working():

            async def differs() -> bool:
                return [each.kind for each in (await compare(house)).faults] == [ExceptionKind.PROCESS_DIFFERS]

            await until("it differs", differs)
            assert "the store does not hold it" in await current_details(of)
            assert await one(world, "SELECT count(*) FROM orders") == 0, "it is not captured again by itself"
            assert len(await chain(house, of)) >= before
            await revived(house, order)
            await until_event(house, order, "accepted")
            started = (await anext(of.fetch_history_events())).workflow_execution_started_event_attributes
            assert json.loads(started.input.payloads[0].data)["continued"] is False
            await cancel(house, order)
            assert (await ended(house, order)).status is OrderStatus.CANCELLED


class TestReturns:
    async def test_a_return_in_many_runs_keeps_what_it_was_told(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world, most_events=20).working() as house:
            order = small.order("back-in-many-runs", A=12)
            await house.send(order)
            await deliver(house, order)
            await ended(house, order)
            answer = await ask(house, order, "t", l1=12)
            about = handle(house, answer)
            reads = reading(house.engine)
            processes = ReturnProcesses(Durable(house.client, house.task_queue), reads, house.engine)
            seen = InspectCall(lines=(InspectedLine(line_id="1", quantity=1, disposition=Disposition.SCRAP),))
            parcel = ReceiveCall(lines=lines(l1=1))

            async def comes(number: int) -> int:
                for _ in range(2):
                    await processes.receive(answer.return_id, parcel, f"r{number}")
                result = await processes.inspect(answer.return_id, seen, f"i{number}")
                assert (await processes.inspect(answer.return_id, seen, f"i{number}")).refund == result.refund
                return result.refund

            refunds: list[int] = []
            for pair in range(0, 10, 2):
                runs = len(await chain(house, about))
                refunds += await asyncio.gather(comes(pair), comes(pair + 1))

                async def goes_on(before: int = runs) -> bool:
                    return len(await chain(house, about)) > before

                await until("it goes on in a new run", goes_on)
            assert sorted(refunds) == [1000 * number for number in range(1, 11)]
            assert len(await chain(house, about)) > 5
            again = await asyncio.gather(
                *(processes.inspect(answer.return_id, seen, f"i{number}") for number in range(10))
            )
            assert [each.refund for each in again] == refunds, "what was answered in an earlier run is answered again"
            await processes.cancel(answer.return_id, CancelReturnCall(), "c")
            end = await about.result()
            assert (end.status, end.refund) == (ReturnStatus.REFUNDED, 10_000)
            assert (await processes.receive(answer.return_id, parcel, "r3")).status is not ReturnStatus.REFUNDED
            await check_returns(house.engine)
            assert (await compare(house)).faults == []
