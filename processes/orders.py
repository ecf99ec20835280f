"""Orders as durable processes: start them, ask them, signal them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from dom.orders import cancellation
from dom.orders.calls import ArrivedCall, ArrivedResult, CancelCall, CancelResult, OrderAnswer
from dom.orders.intake import OrderRequest
from dom.orders.status import FINAL_ORDER, FulfilmentStatus
from dom.shared import ids
from dom.shared.errors import CannotCancel, Conflict, NotFound, OrderConflict, StepNotPossible
from processes.client import Durable, refuse_another
from processes.errors import Unavailable, domain_error
from processes.missing import lost_by_the_store, open_without_process
from store.fulfilment import fulfilments
from store.orders import orders, timeline
from workflows import attributes
from workflows.messages import EDITION, MOST_EVENTS, AcceptCall, CancelAnswer, OrderInput
from workflows.order.process import OrderWorkflow
from workflows.order.temporal_view import start_summary

_ENDED: Final = {RPCStatusCode.NOT_FOUND, RPCStatusCode.ABORTED, RPCStatusCode.RESOURCE_EXHAUSTED}
"""What the server says to a repeat that comes while the order ends, or while too many come at once."""


class OrderProcesses:
    """An order is one workflow, from capture to its last unit."""

    def __init__(self, durable: Durable, reads: AsyncEngine) -> None:
        self._durable = durable
        self._reads = reads
        self._capturing: dict[tuple[str, ...], asyncio.Task[OrderAnswer]] = {}

    async def capture(self, order: OrderRequest) -> OrderAnswer:
        """The answer to a channel's order; the same order that comes many times at once is asked for once.

        Raises OrderConflict for an order number captured with other content, and what the order itself is refused for.
        """
        key = (order.order_id, *order.hashes())
        running = self._capturing.get(key)
        if running is not None:
            return (await asyncio.shield(running)).model_copy(update={"created": False})
        task = self._capturing[key] = asyncio.create_task(self._capture(order))
        task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: tuple[str, ...], done: asyncio.Task[OrderAnswer]) -> None:
        del self._capturing[key]
        if not done.cancelled():
            done.exception()  # its callers may all be gone; nobody else needs to hear of it

    async def captured(self, order_id: str, hashes: Sequence[str]) -> OrderAnswer | None:
        """The answer to an order that was captured with this content; None if it was not."""
        found = await self._find(order_id)
        return _answer(found) if found is not None and found.content_hash in hashes else None

    async def _capture(self, order: OrderRequest) -> OrderAnswer:
        hashes = order.hashes()
        try:
            answer = await self._accept(order)
        except WorkflowAlreadyStartedError as error:
            return await self._captured_or_refused(order, hashes, error)
        except WorkflowUpdateFailedError as error:
            refused = type(domain_error(error.cause))
            if refused is OrderConflict and len(hashes) > 1:
                return await self._captured_before(order.order_id, hashes, error)
            if refused is not Conflict:
                raise
            return await self._captured_or_refused(order, hashes, error)
        except RPCError as error:
            if error.status not in _ENDED:
                raise
            return await self._captured_or_refused(order, hashes, error)
        if answer.created:
            return answer
        # Carriers' events and other orders change an order in the store first; its process hears of them later.
        return await self.captured(order.order_id, hashes) or answer

    async def _captured_or_refused(self, order: OrderRequest, hashes: Sequence[str], cause: Exception) -> OrderAnswer:
        """The workflow of the order has ended. If the store does not hold the order it was refused, and is asked again.

        Should somebody else capture it, and see it to its end, in between, then what starts here finds that in the
        store and ends at once. Raises NoProcess for an order that was captured, and that a restored store lost: goods
        may have left for it.
        """
        if await self._find(order.order_id) is not None:
            return await self._captured_before(order.order_id, hashes, cause)
        run_id = await self._durable.captured_run(ids.order_workflow_id(order.order_id))
        if run_id and await self._find(order.order_id) is None:
            await lost_by_the_store(self._reads, order.order_id, run_id)
        try:
            return await self._accept(order, refused_before=True)
        except WorkflowUpdateFailedError as error:
            if type(domain_error(error.cause)) is not Conflict:
                raise
            return await self._captured_before(order.order_id, hashes, error)
        except RPCError as error:
            if error.status not in _ENDED:
                raise
            return await self._captured_before(order.order_id, hashes, error)

    async def _accept(self, order: OrderRequest, *, refused_before: bool = False) -> OrderAnswer:
        start = self._durable.start(
            OrderWorkflow.run,
            OrderInput(order=order, edition=EDITION, corrections=order.corrections, most_events=MOST_EVENTS),
            workflow_id=ids.order_workflow_id(order.order_id),
            summary=start_summary(order),
            attributes=attributes.of_order(order),
            refused_before=refused_before,
        )
        call = AcceptCall(content_hash=order.content_hash())
        return await self._durable.start_and_ask(
            start,
            lambda client: client.execute_update_with_start_workflow(
                OrderWorkflow.accept, call, start_workflow_operation=start
            ),
        )

    async def _captured_before(self, order_id: str, hashes: Sequence[str], cause: Exception) -> OrderAnswer:
        captured = await self._find(order_id)
        if captured is None:
            raise Unavailable(order_id) from cause
        if captured.content_hash not in hashes:
            raise OrderConflict(f"order {order_id} was captured with other content", field="external_id")
        return _answer(captured)

    async def cancel(self, order_id: str, call: CancelCall, key: str | None) -> CancelResult:
        """Cancel units. Raises NotFound, or CannotCancel for what is handed over or an order that ended."""
        workflow_id = ids.order_workflow_id(order_id)
        result = await self._durable.ask(
            workflow_id,
            lambda handle: handle.execute_update(OrderWorkflow.cancel, call, id=key),
            key=key,
            answer=CancelAnswer,
            request_hash=call.content_hash("cancel"),
        )
        if result is not None:
            return CancelResult.model_validate(result.model_dump(exclude={"request_hash"}))
        captured = await self._find(order_id)
        if captured is None:
            raise NotFound(f"there is no order {order_id}")
        await self._must_have_ended(captured)
        before = await self._cancelled_before(order_id, call, key) if key else None
        if before is None:
            raise CannotCancel(f"order {order_id} is {captured.status}", data={"status": captured.status})
        return CancelResult(
            order_id=order_id,
            status=captured.status,
            cancelled=dict(before["lines"]),
            lines=cancellation.of_event(before),
        )

    async def _cancelled_before(self, order_id: str, call: CancelCall, key: str) -> Mapping[str, Any] | None:
        """The event of what an earlier run of the order's process cancelled under the caller's key."""
        async with self._reads.connect() as connection:
            data = await timeline.asked_by(connection, order_id, key)
        if data is None:
            return None
        refuse_another(data.get("request_hash"), call.content_hash("cancel"))
        return data

    async def arrived(self, call: ArrivedCall) -> ArrivedResult:
        """A lost parcel arrived after all; said again it changes nothing. Raises NotFound, and StepNotPossible if its
        replacement cannot be taken back.
        """
        order_id = ids.order_of(call.fulfilment_id)
        async with self._reads.connect() as connection:
            found = await fulfilments.get(connection, call.fulfilment_id)
            if found is None:
                raise NotFound(f"there is no fulfilment {call.fulfilment_id}")
            known = await orders.find(connection, order_id)
        if known is not None and found["status"] == FulfilmentStatus.DELIVERED:
            return ArrivedResult(
                order_id=order_id, fulfilment_id=call.fulfilment_id, status=known.status, taken_back={}
            )
        result = await self._durable.ask(
            ids.order_workflow_id(order_id),
            lambda handle: handle.execute_update(OrderWorkflow.arrived, call),
            key=None,
            answer=ArrivedResult,
            request_hash="",
        )
        if result is None:
            captured = await self._find(order_id)
            if captured is not None:
                await self._must_have_ended(captured)
            raise StepNotPossible(f"order {order_id} has ended")
        return result

    async def _must_have_ended(self, captured: orders.Captured) -> None:
        """Whether an order without a process is over. One that is not is put before a person, and NoProcess raised."""
        if captured.status in FINAL_ORDER:
            return
        order_id = captured.order_id
        run_id = await self._durable.last_run(ids.order_workflow_id(order_id))
        await open_without_process(self._reads, order_id, order_id, captured.status, run_id)

    async def _find(self, order_id: str) -> orders.Captured | None:
        async with self._reads.connect() as connection:
            return await orders.find(connection, order_id)


def _answer(captured: orders.Captured) -> OrderAnswer:
    return OrderAnswer(order_id=captured.order_id, status=captured.status, promise=captured.promise)
