"""Orders and returns as durable processes: start them, ask them, tell them."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.durable import Durable, refuse_another
from api.failures import Unavailable, domain_error
from dom import ids
from dom import returns as rules
from dom.errors import CannotCancel, Conflict, NotFound, OrderConflict, StepNotPossible
from dom.intake import OrderRequest
from dom.orders import Order, Promise
from dom.status import OrderStatus
from store import orders, returns
from workflows import attributes
from workflows.messages import (
    AcceptCall,
    CancelAnswer,
    CancelCall,
    CancelResult,
    CarrierReport,
    InspectCall,
    NodeReport,
    OrderAnswer,
    OrderInput,
    ReceiveCall,
    ReturnAnswer,
    ReturnInput,
    ReturnRequest,
    ReturnResult,
    ReturnStepAnswer,
)
from workflows.order import OrderWorkflow
from workflows.report import start_summary
from workflows.returns import ReturnWorkflow

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
            return await self._accept(order)
        except WorkflowAlreadyStartedError as error:
            return await self._captured_before(order.order_id, hashes, error)
        except WorkflowUpdateFailedError as error:
            refused = type(domain_error(error.cause))
            if refused is not Conflict and not (refused is OrderConflict and len(hashes) > 1):
                raise
            return await self._captured_before(order.order_id, hashes, error)
        except RPCError as error:
            if error.status not in _ENDED:
                raise
            return await self._captured_before(order.order_id, hashes, error)

    async def _accept(self, order: OrderRequest) -> OrderAnswer:
        start = self._durable.start(
            OrderWorkflow.run,
            OrderInput(order=order, corrections=order.corrections),
            workflow_id=ids.order_workflow_id(order.order_id),
            summary=start_summary(order),
            attributes=_attributes(order),
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
        raise CannotCancel(f"order {order_id} is {captured.status}", data={"status": captured.status})

    async def report(self, report: NodeReport) -> None:
        """Tell an order what a node did. Raises StepNotPossible if the order ended meanwhile."""
        order_id = ids.order_of(report.fulfilment_id)
        if not await self._durable.tell(ids.order_workflow_id(order_id), OrderWorkflow.node_report, report):
            raise StepNotPossible(f"order {order_id} has ended")

    async def milestones(self, reports: Iterable[CarrierReport]) -> None:
        """Tell orders what carriers reported; an order that ended knows it already."""
        await self._durable.tell_all(
            OrderWorkflow.carrier_report,
            ((ids.order_workflow_id(ids.order_of(report.fulfilment_id)), report) for report in reports),
        )

    async def _find(self, order_id: str) -> orders.Captured | None:
        async with self._reads.connect() as connection:
            return await orders.find(connection, order_id)


class ReturnProcesses:
    """A return is one workflow, from permission to refund."""

    def __init__(self, durable: Durable, reads: AsyncEngine) -> None:
        self._durable = durable
        self._reads = reads

    async def request(self, return_id: str, request: ReturnRequest, key: str | None) -> ReturnAnswer:
        """Open a return. Raises what the request is refused for, and Conflict if the key stands for another one."""
        start = self._durable.start(
            ReturnWorkflow.run,
            ReturnInput(return_id=return_id, request=request, key=key),
            workflow_id=ids.return_workflow_id(return_id),
            summary=f"return of {len(request.lines)} lines of {request.order_id}",
        )
        try:
            answer = await self._durable.start_and_ask(
                start,
                lambda client: client.execute_update_with_start_workflow(
                    ReturnWorkflow.accept, start_workflow_operation=start
                ),
            )
        except WorkflowAlreadyStartedError as error:
            return await self._opened_before(return_id, request, error)
        refuse_another(answer.request_hash, request.content_hash("request"))
        return answer

    async def _opened_before(self, return_id: str, request: ReturnRequest, cause: Exception) -> ReturnAnswer:
        async with self._reads.connect() as connection:
            row = await returns.get(connection, return_id)
        if row is None:
            raise Unavailable(return_id) from cause
        lines = [(line.line_id, line.quantity) for line in request.lines]
        refuse_another(row["content_hash"], rules.content_hash(lines, request.reason, request.node_id))
        return ReturnAnswer(return_id=return_id, order_id=row["order_id"], status=row["status"], node_id=row["node_id"])

    async def receive(self, return_id: str, call: ReceiveCall, key: str | None) -> ReturnResult:
        """The goods of a return arrived. Raises NotFound, or StepNotPossible for a return that is past it."""
        result = await self._durable.ask(
            ids.return_workflow_id(return_id),
            lambda handle: handle.execute_update(ReturnWorkflow.receive, call, id=key),
            key=key,
            answer=ReturnStepAnswer,
            request_hash=call.content_hash("receive"),
        )
        return await self._shown(return_id, result)

    async def inspect(self, return_id: str, call: InspectCall, key: str | None) -> ReturnResult:
        """What becomes of returned units. Raises NotFound, or StepNotPossible for a return that is past it."""
        result = await self._durable.ask(
            ids.return_workflow_id(return_id),
            lambda handle: handle.execute_update(ReturnWorkflow.inspect, call, id=key),
            key=key,
            answer=ReturnStepAnswer,
            request_hash=call.content_hash("inspect"),
        )
        return await self._shown(return_id, result)

    async def _shown(self, return_id: str, answer: ReturnStepAnswer | None) -> ReturnResult:
        if answer is None:
            return await self._past(return_id)
        return ReturnResult.model_validate(answer.model_dump(exclude={"request_hash"}))

    async def _past(self, return_id: str) -> ReturnResult:
        async with self._reads.connect() as connection:
            row = await returns.get(connection, return_id)
        if row is None:
            raise NotFound(f"there is no return {return_id}")
        raise StepNotPossible(f"return {return_id} is {row['status']}", data={"status": row["status"]})


def _answer(captured: orders.Captured) -> OrderAnswer:
    return OrderAnswer(order_id=captured.order_id, status=captured.status, promise=_promise(captured))


def _promise(captured: orders.Captured) -> Promise | None:
    if captured.promise_earliest is None or captured.promise_latest is None:
        return None
    return Promise(earliest=captured.promise_earliest, latest=captured.promise_latest)


def _attributes(order: Order) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(attributes.CHANNEL, order.channel),
            SearchAttributePair(attributes.STATUS, OrderStatus.ACCEPTED),
            SearchAttributePair(attributes.CUSTOMER, order.customer.id),
        ]
    )
