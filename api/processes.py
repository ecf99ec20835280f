"""Orders and returns as durable processes: start them, ask them, tell them."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NoReturn

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.durable import Durable
from api.failures import Unavailable, domain_error
from dom import ids
from dom.errors import CannotCancel, Conflict, NoProcess, NotFound, OrderConflict, StepNotPossible
from dom.orders import Order, Promise
from dom.status import FINAL_ORDER, ReturnStatus
from store import orders, out_of_turn, processes, returns
from workflows import attributes
from workflows.messages import (
    EDITION,
    AcceptCall,
    ArrivedCall,
    ArrivedResult,
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
)
from workflows.order import OrderWorkflow
from workflows.report import start_summary
from workflows.returns import ReturnWorkflow

_ENDED: Final = {RPCStatusCode.NOT_FOUND, RPCStatusCode.ABORTED, RPCStatusCode.RESOURCE_EXHAUSTED}
"""What the server says to a repeat that comes while the order ends, or while too many come at once."""


class OrderProcesses:
    """An order is one workflow, from capture to its last unit."""

    def __init__(self, durable: Durable, reads: AsyncEngine, engine: AsyncEngine) -> None:
        self._durable = durable
        self._reads = reads
        self._engine = engine
        self._capturing: dict[tuple[str, str], asyncio.Task[OrderAnswer]] = {}

    async def capture(self, order: Order) -> OrderAnswer:
        """The answer to a channel's order; the same order that comes many times at once is asked for once.

        Raises OrderConflict for an order number captured with other content, and what the order itself is refused for.
        """
        key = (order.order_id, order.content_hash())
        running = self._capturing.get(key)
        if running is not None:
            return (await asyncio.shield(running)).model_copy(update={"created": False})
        task = self._capturing[key] = asyncio.create_task(self._capture(order, key[1]))
        task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: tuple[str, str], done: asyncio.Task[OrderAnswer]) -> None:
        del self._capturing[key]
        if not done.cancelled():
            done.exception()  # its callers may all be gone; nobody else needs to hear of it

    async def _capture(self, order: Order, content_hash: str) -> OrderAnswer:
        try:
            return await self._accept(order, content_hash)
        except WorkflowAlreadyStartedError as error:
            return await self._captured_or_refused(order, content_hash, error)
        except WorkflowUpdateFailedError as error:
            if type(domain_error(error.cause)) is not Conflict:
                raise
            return await self._captured_or_refused(order, content_hash, error)
        except RPCError as error:
            if error.status not in _ENDED:
                raise
            return await self._captured_or_refused(order, content_hash, error)

    async def _captured_or_refused(self, order: Order, content_hash: str, cause: Exception) -> OrderAnswer:
        """The workflow of the order has ended. If the store does not hold the order it was refused, and is asked again.

        Should somebody else capture it, and see it to its end, in between, then what starts here finds that in the
        store and ends at once.
        """
        if await self._find(order.order_id) is not None:
            return await self._captured_before(order.order_id, content_hash, cause)
        try:
            return await self._accept(order, content_hash, refused_before=True)
        except WorkflowUpdateFailedError as error:
            if type(domain_error(error.cause)) is not Conflict:
                raise
            return await self._captured_before(order.order_id, content_hash, error)
        except RPCError as error:
            if error.status not in _ENDED:
                raise
            return await self._captured_before(order.order_id, content_hash, error)

    async def _accept(self, order: Order, content_hash: str, *, refused_before: bool = False) -> OrderAnswer:
        start = self._durable.start(
            OrderWorkflow.run,
            OrderInput(order=order, edition=EDITION),
            workflow_id=ids.order_workflow_id(order.order_id),
            summary=start_summary(order),
            attributes=attributes.of_order(order),
            refused_before=refused_before,
        )
        call = AcceptCall(content_hash=content_hash)
        return await self._durable.start_and_ask(
            start,
            lambda client: client.execute_update_with_start_workflow(
                OrderWorkflow.accept, call, start_workflow_operation=start
            ),
        )

    async def _captured_before(self, order_id: str, content_hash: str, cause: Exception) -> OrderAnswer:
        captured = await self._find(order_id)
        if captured is None:
            raise Unavailable(order_id) from cause
        if captured.content_hash != content_hash:
            raise OrderConflict(f"order {order_id} was captured with other content", field="external_id")
        return OrderAnswer(order_id=order_id, status=captured.status, promise=_promise(captured))

    async def cancel(self, order_id: str, call: CancelCall, key: str | None) -> CancelResult:
        """Cancel units. Raises NotFound, or CannotCancel for what is handed over or an order that ended."""
        workflow_id = ids.order_workflow_id(order_id)
        result = await self._durable.ask(
            workflow_id,
            lambda handle: handle.execute_update(OrderWorkflow.cancel, call, id=key),
            key=key,
            answer=CancelResult,
        )
        if result is not None:
            return result
        captured = await self._find(order_id)
        if captured is None:
            raise NotFound(f"there is no order {order_id}")
        await self._must_have_ended(captured)
        raise CannotCancel(f"order {order_id} is {captured.status}", data={"status": captured.status})

    async def report(self, report: NodeReport) -> None:
        """Tell an order what a node did. Raises StepNotPossible if the order ended, and keeps the report; NoProcess if
        it did not.
        """
        order_id = ids.order_of(report.fulfilment_id)
        if not await self._durable.tell(ids.order_workflow_id(order_id), OrderWorkflow.node_report, report):
            captured = await self._find(order_id)
            if captured is not None:
                await self._must_have_ended(captured)
            await self.keep(report)
            raise StepNotPossible(f"order {order_id} has ended")

    async def keep(self, report: NodeReport) -> None:
        """Write down what a node says of work that has ended. A person hears of goods that left although they count."""
        async with self._engine.begin() as connection:
            await out_of_turn.note(
                connection,
                out_of_turn.Report(
                    report.fulfilment_id,
                    report.step,
                    report.actor,
                    report.occurred_at,
                    if_goods_moved=True,
                ),
            )

    async def carriers_said(self, reports: Iterable[CarrierReport]) -> list[CarrierReport]:
        """Tell orders what carriers reported, in this sequence. Of an order that ended it is written down here, unless
        it knows it already. Answers the reports of orders that have not ended and have no process: once they have one
        again, it is still to be told; a person hears of them.
        """
        untold: list[CarrierReport] = []

        async def unheard(report: CarrierReport) -> None:
            order = await self._find(ids.order_of(report.fulfilment_id))
            if order is None or order.status in FINAL_ORDER:
                await self._write_down(report)
                return
            untold.append(report)
            with suppress(NoProcess):
                await self._must_have_ended(order)

        await self._durable.tell_all(
            OrderWorkflow.carrier_report,
            ((ids.order_workflow_id(ids.order_of(report.fulfilment_id)), report) for report in reports),
            unheard,
        )
        return untold

    async def _write_down(self, report: CarrierReport) -> None:
        async with self._engine.begin() as connection:
            await out_of_turn.note_unless_known(
                connection,
                out_of_turn.Report(
                    report.fulfilment_id,
                    report.kind,
                    report.actor,
                    report.occurred_at,
                    shipment_id=report.shipment_id,
                ),
            )

    async def arrived(self, call: ArrivedCall) -> ArrivedResult:
        """A lost parcel arrived after all. Raises StepNotPossible if its replacement cannot be taken back."""
        order_id = ids.order_of(call.fulfilment_id)
        result = await self._durable.ask(
            ids.order_workflow_id(order_id),
            lambda handle: handle.execute_update(OrderWorkflow.arrived, call),
            key=None,
            answer=ArrivedResult,
        )
        if result is None:
            raise StepNotPossible(f"order {order_id} has ended")
        return result

    async def _must_have_ended(self, captured: orders.Captured) -> None:
        """Whether an order without a process is over. One that is not is put before a person, and NoProcess raised."""
        if captured.status in FINAL_ORDER:
            return
        order_id = captured.order_id
        run_id = await self._durable.last_run(ids.order_workflow_id(order_id))
        await _no_process(self._reads, order_id, order_id, captured.status, run_id)

    async def _find(self, order_id: str) -> orders.Captured | None:
        async with self._reads.connect() as connection:
            return await orders.find(connection, order_id)


class ReturnProcesses:
    """A return is one workflow, from permission to refund."""

    def __init__(self, durable: Durable, reads: AsyncEngine) -> None:
        self._durable = durable
        self._reads = reads

    async def request(self, return_id: str, request: ReturnRequest) -> ReturnAnswer:
        """Open a return. Raises what the request is refused for."""
        try:
            return await self._accept(return_id, request)
        except WorkflowAlreadyStartedError:
            before = await self._opened_before(return_id)
            return before or await self._accept(return_id, request, refused_before=True)

    async def _accept(self, return_id: str, request: ReturnRequest, *, refused_before: bool = False) -> ReturnAnswer:
        start = self._durable.start(
            ReturnWorkflow.run,
            ReturnInput(return_id=return_id, request=request, edition=EDITION),
            workflow_id=ids.return_workflow_id(return_id),
            summary=f"return of {sum(n.quantity for n in request.lines)} units of {request.order_id}",
            attributes=attributes.of_return(),
            refused_before=refused_before,
        )
        return await self._durable.start_and_ask(
            start,
            lambda client: client.execute_update_with_start_workflow(
                ReturnWorkflow.accept, start_workflow_operation=start
            ),
        )

    async def _opened_before(self, return_id: str) -> ReturnAnswer | None:
        async with self._reads.connect() as connection:
            row = await returns.get(connection, return_id)
        if row is None:
            return None
        return ReturnAnswer(return_id=return_id, order_id=row["order_id"], status=row["status"], node_id=row["node_id"])

    async def receive(self, return_id: str, call: ReceiveCall, key: str | None) -> ReturnResult:
        """The goods of a return arrived. Raises NotFound, or StepNotPossible for a return that is past it."""
        result = await self._durable.ask(
            ids.return_workflow_id(return_id),
            lambda handle: handle.execute_update(ReturnWorkflow.receive, call, id=key),
            key=key,
            answer=ReturnResult,
        )
        return result or await self._past(return_id)

    async def inspect(self, return_id: str, call: InspectCall, key: str | None) -> ReturnResult:
        """What becomes of returned units. Raises NotFound, or StepNotPossible for a return that is past it."""
        result = await self._durable.ask(
            ids.return_workflow_id(return_id),
            lambda handle: handle.execute_update(ReturnWorkflow.inspect, call, id=key),
            key=key,
            answer=ReturnResult,
        )
        return result or await self._past(return_id)

    async def _past(self, return_id: str) -> ReturnResult:
        async with self._reads.connect() as connection:
            row = await returns.get(connection, return_id)
        if row is None:
            raise NotFound(f"there is no return {return_id}")
        if row["status"] != ReturnStatus.REFUNDED:
            run_id = await self._durable.last_run(ids.return_workflow_id(return_id))
            await _no_process(self._reads, row["order_id"], return_id, row["status"], run_id)
        raise StepNotPossible(f"return {return_id} is {row['status']}", data={"status": row["status"]})


def _promise(captured: orders.Captured) -> Promise | None:
    if captured.promise_earliest is None or captured.promise_latest is None:
        return None
    return Promise(earliest=captured.promise_earliest, latest=captured.promise_latest)


async def _no_process(reads: AsyncEngine, order_id: str, about: str, status: str, run_id: str) -> NoReturn:
    """An order or a return is open, and nobody works on it: a person is told. Raises NoProcess."""
    words = processes.in_words(processes.MISSING, about, status)
    async with reads.connect() as connection:
        await processes.report(
            connection, order_id=order_id, about=about, run_id=run_id, kind=processes.MISSING, detail=words
        )
    raise NoProcess(
        f"{about} is {status}, but no process works on it; a person was told, send the same again later",
        data={"status": status},
    )
