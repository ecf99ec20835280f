"""Orders and returns whose process is gone are started anew, and go on where they stood."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from dom.orders.calls import ArrivedCall, CancelCall, CancelLine, StepLine
from dom.orders.order import Order
from dom.orders.return_calls import ReturnRequest, ReturnRequestLine
from dom.orders.status import Disposition, OrderStatus, ReturnStatus
from dom.shared import ids
from dom.shared.errors import Conflict
from processes.client import Durable
from processes.consistency import Living
from processes.returns import ReturnProcesses
from processes.revival import revive
from store.database.engine import reading
from tests.worlds import small
from tests.worlds.books import balance, one, rows
from tests.worlds.living import (
    accepted,
    handed_over,
    lose,
    lose_and_revive,
    nothing,
    notified_once,
    picked,
    revived,
    sent,
    until_missed,
)
from tests.worlds.outside import RecordingCarrier
from tests.worlds.reoptimising import comes, reoptimisation_job
from tests.worlds.returning import ask, end, handle, inspect, receive
from tests.worlds.running import House
from tests.worlds.seen import attributes_of
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import cancel, deliver, ended, pack, refused, stock_comes, until_event, until_released
from tests.worlds.waiting import until, until_status
from workflows.messages import ReturnAnswer
from workflows.order.process import OrderWorkflow


@pytest.fixture
async def house(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    async with House(temporal_client, world).working() as working:
        yield working


class TestGoesOnToItsEnd:
    @pytest.mark.parametrize("before", [nothing, accepted, picked, pack, handed_over], ids=lambda each: each.__name__)
    async def test_from_every_status(self, house: House, before: Callable[[House, Order], Awaitable[None]]) -> None:
        order = small.order(f"gone-{before.__name__}", A=2)
        await house.send(order)
        await before(house, order)
        await lose_and_revive(house, order)
        status = str(await one(house.engine, "SELECT status FROM fulfilments"))
        if status in {"released", "accepted", "picked"}:
            await pack(house, order)
        if status != "handed_over":
            await house.node(order, "hand-over")
        await house.carrier_says(order, "delivered")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert dict(house.carrier.booked) == {f"{order.order_id}-F1-B1": 1}
        assert not house.carrier.voided
        assert await balance(house.engine, "dc-leeds", "A") == (98, 0)
        await notified_once(house, order)

    async def test_while_the_carrier_is_away(self, temporal_client: Client, world: AsyncEngine) -> None:
        carrier = RecordingCarrier(failures=1)
        async with House(temporal_client, world, carrier=carrier).working() as house:
            order = small.order("gone-packed", A=2)
            await house.send(order)
            await house.node(order, "pack")
            await until_status(world, ids.fulfilment_id(order.order_id, 1), "packed")
            await lose_and_revive(house, order)
            await until_status(world, ids.fulfilment_id(order.order_id, 1), "booked")
            await house.node(order, "hand-over")
            await house.carrier_says(order, "delivered")
            await ended(house, order)
            assert set(carrier.booked) == {f"{order.order_id}-F1-B1"}
            assert not carrier.voided

    async def test_that_was_packed_anew(self, house: House) -> None:
        """The booking that was given up is void, the next one has its own number."""
        order = small.order("gone-repacked", A=2, B=1)
        await house.send(order)
        await pack(house, order)
        await cancel(house, order, l2=0)
        await until_event(house, order, "booking_voided")
        await lose_and_revive(house, order)
        await house.node(order, "pack")
        await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "booked")
        await house.node(order, "hand-over")
        await house.carrier_says(order, "delivered")
        await ended(house, order)
        assert dict(house.carrier.booked) == {f"{order.order_id}-F1-B1": 1, f"{order.order_id}-F1-B2": 1}
        assert set(house.carrier.voided) == {f"{order.order_id}-F1-B1"}

    async def test_that_waits_for_stock(self, house: House) -> None:
        order = small.order("gone-waiting", NEVER=1)
        await house.send(order)
        await lose_and_revive(house, order)
        await comes(house.engine, "dc-leeds", "NEVER", 1)
        await stock_comes(house, order, "NEVER")
        await until_released(house, order, 1)
        await deliver(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_whose_units_lost_their_node(self, house: House) -> None:
        """One node rejected, half of it was not found: attempts, nodes that failed and numbers go on."""
        order = small.order("gone-rejected", RARE=2)
        await house.send(order)
        await house.node(order, "accept")
        await house.node(order, "pick", lines=(StepLine(line_id="1", quantity=1),))
        await until_released(house, order, 2)
        await lose_and_revive(house, order)
        await deliver(house, order, 2)
        await deliver(house, order, 1)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_that_is_ready_for_collection(self, house: House) -> None:
        order = small.order("gone-ready", A=2, shipping_method="pickup", pickup_node="st-york")
        await house.send(order)
        await house.node(order, "accept", "pick", "pack")
        await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "ready_for_collection")
        await lose_and_revive(house, order)
        await house.node(order, "collect")
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        await notified_once(house, order)

    async def test_whose_work_was_given_to_other_nodes_meanwhile(self, house: House) -> None:
        order = small.order("gone-looked-at", RARE=5)
        await house.send(order)
        await lose(house, order)
        await comes(house.engine, "dc-leeds", "RARE", 3)
        await reoptimisation_job(house.engine).run()
        await house.told()
        await revived(house, order)
        await until_event(house, order, "process_revived")
        assert await until_released(house, order, 3) == "dc-leeds"
        await deliver(house, order, 3)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        await notified_once(house, order)

    async def test_cancelled_while_it_was_packed(self, house: House) -> None:
        """Terminated before its booking was taken back: the new process takes it back."""
        order = small.order("gone-void", A=2)
        await house.send(order)
        await pack(house, order)
        await lose(house, order)
        async with house.engine.begin() as connection:
            await connection.execute(text("UPDATE fulfilments SET status = 'picked'"))
        await revived(house, order)
        await until_event(house, order, "booking_voided")
        await cancel(house, order)
        await ended(house, order)
        assert set(house.carrier.voided) == {f"{order.order_id}-F1-B1"}

    async def test_a_reset_order_hears_its_history_once_more(self, house: House) -> None:
        """A reset is no revival: signals and updates are applied again, and nothing happens twice."""
        order = small.order("reset", A=3)
        await house.send(order)
        await cancel(house, order, l1=1)
        await deliver(house, order)
        await ended(house, order)
        described = await house.handle(order).describe()
        await house.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=house.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=described.id, run_id=described.run_id),
                reason="test",
                workflow_task_finish_event_id=4,
                request_id="reset",
            )
        )
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await one(house.engine, "SELECT cancelled FROM order_lines") == 1
        assert await balance(house.engine, "dc-leeds", "A") == (98, 0)
        assert set(house.carrier.booked) == {f"{order.order_id}-F1-B1"}
        await notified_once(house, order)

    async def test_hears_what_the_carrier_reported_meanwhile(self, house: House) -> None:
        order = small.order("gone-unheard", A=1)
        await house.send(order)
        await handed_over(house, order)
        await lose(house, order)
        async with house.engine.begin() as connection:
            await connection.execute(
                text("""
                INSERT INTO carrier_events (carrier, event_id, tracking_number, kind, occurred_at)
                SELECT carrier, 'e1', tracking_number, 'delivered', now() FROM shipments
                """)
            )
        await revived(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_hears_that_a_lost_parcel_arrived_meanwhile(self, house: House) -> None:
        order = small.order("gone-arrived", A=1)
        await house.send(order)
        await handed_over(house, order)
        await house.carrier_says(order, "lost")
        await until_event(house, order, "sourced")
        await lose(house, order)
        async with house.engine.begin() as connection:
            await connection.execute(
                text("""
                INSERT INTO carrier_events (carrier, event_id, tracking_number, kind, occurred_at)
                SELECT carrier, 'e1', tracking_number, 'delivered', now() FROM shipments
                """)
            )
        await revived(house, order)
        assert (await ended(house, order)).status is OrderStatus.DELIVERED
        assert await rows(house.engine, "SELECT status FROM fulfilments ORDER BY id") == [
            ("delivered",),
            ("cancelled",),
        ]

    async def test_a_scan_made_before_the_loss_is_no_stray(self, house: House) -> None:
        order = small.order("gone-late-scan", A=1)
        await house.send(order)
        await handed_over(house, order)
        await house.carrier_says(order, "lost", at=MONDAY_NOON + timedelta(hours=2))
        await until_event(house, order, "sourced")
        async with house.engine.begin() as connection:
            await connection.execute(
                text("""
                INSERT INTO carrier_events (carrier, event_id, tracking_number, kind, occurred_at, notified_at)
                SELECT carrier, kind, tracking_number, kind, :at + make_interval(hours => hours), told
                FROM shipments, (VALUES ('in_transit', 1, NULL), ('lost', 2, now())) AS e (kind, hours, told)
                """),
                {"at": MONDAY_NOON},
            )
        await lose(house, order)
        await revived(house, order)
        await until_event(house, order, "process_revived")
        await cancel(house, order)
        assert (await ended(house, order)).status is OrderStatus.CANCELLED
        kinds = await rows(house.engine, "SELECT kind FROM exceptions")
        assert kinds == [("parcel_lost",)]

    async def test_a_call_that_a_lost_parcel_arrived_waits_for_the_process(
        self, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with House(temporal_client, world).working() as house:
            order = small.order("gone-and-asked", A=1)
            await house.send(order)
            await handed_over(house, order)
            await house.carrier_says(order, "lost")
            await until_event(house, order, "sourced")
            await lose(house, order)
        await revived(house, order)
        call = ArrivedCall(fulfilment_id=f"{order.order_id}-F1")
        asking = asyncio.create_task(house.handle(order).execute_update(OrderWorkflow.arrived, call))
        await asyncio.sleep(0.2)
        async with house.working():
            assert (await asking).taken_back == {"1": 1}
            assert (await ended(house, order)).status is OrderStatus.DELIVERED

    async def test_cancels_once_for_the_same_key(self, house: House) -> None:
        order = small.order("gone-cancelled", A=3)
        await house.send(order)
        call = CancelCall(lines=(CancelLine(line_id="1", quantity=1),))
        await house.handle(order).execute_update(OrderWorkflow.cancel, call, id="key-1")
        await lose_and_revive(house, order)
        again = await house.handle(order).execute_update(OrderWorkflow.cancel, call, id="key-1")
        assert again.cancelled == {"1": 1}
        assert await one(house.engine, "SELECT cancelled FROM order_lines") == 1
        await cancel(house, order)
        assert (await ended(house, order)).status is OrderStatus.CANCELLED

    async def test_refuses_another_request_under_the_same_key(self, house: House) -> None:
        order = small.order("gone-other-body", A=3)
        await house.send(order)
        call = CancelCall(lines=(CancelLine(line_id="1", quantity=1),))
        await house.handle(order).execute_update(OrderWorkflow.cancel, call, id="key-1")
        await lose_and_revive(house, order)
        other = CancelCall(lines=(CancelLine(line_id="1", quantity=2),))
        async with refused("conflict") as about:
            await house.handle(order).execute_update(OrderWorkflow.cancel, other, id="key-1")
        assert about["field"] == "Idempotency-Key"
        await cancel(house, order)
        assert (await ended(house, order)).status is OrderStatus.CANCELLED

    async def test_sends_what_was_not_told(self, house: House) -> None:
        order = small.order("gone-untold", A=1)
        await house.send(order)
        await until("it was told", lambda: sent(house, 1))
        await lose(house, order)
        async with house.engine.begin() as connection:
            await connection.execute(text("UPDATE outbox SET status = 'pending', sent_at = NULL"))
        house.mail.sent.clear()
        await revived(house, order)
        await until("it was told", lambda: sent(house, 1))
        await deliver(house, order)
        await ended(house, order)
        await notified_once(house, order)

    async def test_sent_again_by_its_channel_it_goes_on_too(self, house: House) -> None:
        """A workflow that was terminated makes room; what starts there finds the order in the store."""
        order = small.order("gone-again", A=2)
        await house.send(order)
        await pack(house, order)
        await lose(house, order)
        assert (await house.send(order)).status is OrderStatus.IN_FULFILMENT
        await house.node(order, "hand-over")
        await house.carrier_says(order, "delivered")
        await ended(house, order)
        assert dict(house.carrier.booked) == {f"{order.order_id}-F1-B1": 1}
        await notified_once(house, order)

    async def test_a_delivered_order_is_never_begun_again(self, house: House) -> None:
        order = small.order("gone-over", A=2)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        answer = await house.send(order, refused_before=True)
        assert answer.status is OrderStatus.DELIVERED
        await ended(house, order)
        assert await balance(house.engine, "dc-leeds", "A") == (98, 0)
        assert sum(house.carrier.booked.values()) == 1
        await notified_once(house, order)

    async def test_a_return(self, house: House) -> None:
        order = small.order("gone-return", A=2)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        answer = await ask(house, order, "t", l1=2)
        await handle(house, answer).terminate("by hand")
        await self._revive_return(house, answer, "requested")
        await receive(house, answer, l1=1)
        await handle(house, answer).terminate("by hand")
        await self._revive_return(house, answer, "received")
        await inspect(house, answer, ("1", 1, Disposition.RESTOCK))
        await handle(house, answer).terminate("by hand")
        await self._revive_return(house, answer, "part_refunded")
        await end(house, answer, "close")
        finished = await handle(house, answer).result()
        assert (finished.status, finished.refund) == (ReturnStatus.REFUNDED, 1000)
        assert await balance(house.engine, "dc-leeds", "A") == (99, 0)
        await notified_once(house, order)

    async def test_a_return_that_is_asked_for_again(self, house: House) -> None:
        """The caller's repeat is no conflict because the process does not know his very words."""
        order = small.order("gone-return-repeated", A=2)
        await house.send(order)
        await deliver(house, order)
        await ended(house, order)
        processes = ReturnProcesses(Durable(house.client, house.task_queue), reading(house.engine), house.engine)
        return_id = ids.return_id(order.order_id, "key")
        lines = (ReturnRequestLine(line_id="1", quantity=1),)
        request = ReturnRequest(order_id=order.order_id, lines=lines, actor="channel:web", occurred_at=MONDAY_NOON)
        answer = await processes.request(return_id, request, "key")
        await handle(house, answer).terminate("by hand")
        await self._revive_return(house, answer, "requested")
        again = await processes.request(return_id, request, "key")
        assert (again.return_id, again.status, again.created) == (return_id, ReturnStatus.REQUESTED, False)
        more = request.model_copy(update={"lines": (ReturnRequestLine(line_id="1", quantity=2),)})
        with pytest.raises(Conflict):
            await processes.request(return_id, more, "key")

    async def _revive_return(self, house: House, answer: ReturnAnswer, status: str) -> None:
        return_id = answer.return_id
        await until_missed(house, return_id)
        fault = await Living(house.engine, house.client, house.task_queue).of(return_id)
        assert fault is not None
        await revive(house.engine, house.client, house.task_queue, fault, "ops:kim")

        async def begun() -> bool:
            attributes = await attributes_of(handle(house, answer))
            return attributes["DomStatus"] == status and attributes.get("DomNode") == ["dc-leeds"]

        await until("its process has begun", begun)
