"""Returns as durable processes: start them, ask them."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import UpdateMethodMultiParam

from dom import returns as rules
from dom.orders.return_calls import (
    CancelReturnCall,
    CloseReturnCall,
    InspectCall,
    ReceiveCall,
    ReturnRequest,
    ReturnResult,
)
from dom.orders.status import FINAL_RETURN, ReturnStatus
from dom.shared import ids
from dom.shared.errors import NotFound
from processes import brought_back
from processes.client import Durable, refuse_another
from processes.missing import lost_by_the_store, open_without_process
from services import returns as use_cases
from store import returns
from store.orders import reads
from workflows import attributes
from workflows.messages import EDITION, MOST_EVENTS, ReturnAnswer, ReturnInput, ReturnStepAnswer
from workflows.returns import ReturnWorkflow, start_summary


class ReturnProcesses:
    """A return is one workflow, from permission to its end."""

    def __init__(self, durable: Durable, reads: AsyncEngine, engine: AsyncEngine) -> None:
        self._durable = durable
        self._reads = reads
        self._engine = engine

    async def request(self, return_id: str, request: ReturnRequest, key: str | None) -> ReturnAnswer:
        """Open a return. Raises what the request is refused for, and Conflict if the key stands for another one."""
        try:
            answer = await self._accept(return_id, request, key)
        except WorkflowAlreadyStartedError:
            run_id = await self._durable.captured_run(ids.return_workflow_id(return_id))
            before = await self._opened_before(return_id, request)
            if before is not None:
                return before
            if run_id:
                await lost_by_the_store(self._reads, return_id, run_id)
            answer = await self._accept(return_id, request, key, refused_before=True)
        if answer.request_hash is None:  # its process was begun anew; the store knows what was asked
            await self._opened_before(return_id, request)
        refuse_another(answer.request_hash, request.content_hash("request"))
        return answer

    async def _accept(
        self, return_id: str, request: ReturnRequest, key: str | None, *, refused_before: bool = False
    ) -> ReturnAnswer:
        start = self._durable.start(
            ReturnWorkflow.run,
            ReturnInput(return_id=return_id, request=request, key=key, edition=EDITION, most_events=MOST_EVENTS),
            workflow_id=ids.return_workflow_id(return_id),
            summary=start_summary(request),
            attributes=attributes.of_return(),
            refused_before=refused_before,
        )
        return await self._durable.start_and_ask(
            start,
            lambda client: client.execute_update_with_start_workflow(
                ReturnWorkflow.accept, start_workflow_operation=start
            ),
        )

    async def _opened_before(self, return_id: str, request: ReturnRequest) -> ReturnAnswer | None:
        async with self._reads.connect() as connection:
            row = await returns.get(connection, return_id)
        if row is None:
            return None
        lines = [(line.line_id, line.quantity) for line in request.lines]
        refuse_another(row["content_hash"], rules.content_hash(lines, request.reason, request.node_id))
        return ReturnAnswer(return_id=return_id, order_id=row["order_id"], status=row["status"], node_id=row["node_id"])

    async def receive(self, return_id: str, call: ReceiveCall, key: str | None) -> ReturnResult:
        """Goods of a return arrived. Raises NotFound, InvalidInput, or StepNotPossible for what is not expected any
        more: a person hears of goods that a return had let go.
        """
        lines = None if call.lines is None else tuple((line.line_id, line.quantity) for line in call.lines)
        return await self._step(return_id, ReturnWorkflow.receive, "receive", call, key, rules.Receive(lines=lines))

    async def inspect(self, return_id: str, call: InspectCall, key: str | None) -> ReturnResult:
        """What becomes of returned units. Raises NotFound, InvalidInput, or StepNotPossible if none waits for it."""
        found = tuple((line.line_id, line.disposition, line.quantity) for line in call.lines)
        return await self._step(return_id, ReturnWorkflow.inspect, "inspect", call, key, rules.Inspect(found=found))

    async def cancel(self, return_id: str, call: CancelReturnCall, key: str | None) -> ReturnResult:
        """The customer keeps what has not come. Raises NotFound, or StepNotPossible if nothing is still to come."""
        return await self._step(return_id, ReturnWorkflow.cancel, "cancel", call, key, rules.CancelReturn())

    async def close(self, return_id: str, call: CloseReturnCall, key: str | None) -> ReturnResult:
        """Nothing more is expected. Raises NotFound, or StepNotPossible before anything came."""
        return await self._step(return_id, ReturnWorkflow.close, "close", call, key, rules.CloseReturn())

    async def _step(
        self,
        return_id: str,
        update: UpdateMethodMultiParam[[ReturnWorkflow, Any], ReturnStepAnswer],
        operation: str,
        call: ReceiveCall | InspectCall | CancelReturnCall | CloseReturnCall,
        key: str | None,
        command: rules.Step,
    ) -> ReturnResult:
        request, request_hash = _request(operation, key), call.content_hash(operation)

        async def ask() -> ReturnStepAnswer | None:
            return await self._durable.ask(
                ids.return_workflow_id(return_id),
                lambda handle: handle.execute_update(update, call, id=request),
                key=request,
                answer=ReturnStepAnswer,
                request_hash=request_hash,
            )

        answer = await ask()
        if answer is None and await self._begun_now(return_id):
            answer = await ask()
        if answer is not None:
            return ReturnResult.model_validate(answer.model_dump(exclude={"request_hash"}))
        await self._must_have_ended(return_id)
        # The store decides what is said of a return that has ended; it changes nothing any more.
        order_id = ids.order_of(return_id)
        asked = use_cases.ReturnCall(return_id, order_id, call.actor, request=request or "", request_hash=request_hash)
        standing = await use_cases.commit(self._engine, asked, command, use_cases.ReturnTerms())
        return ReturnResult(
            return_id=return_id,
            order_id=order_id,
            status=standing.status,
            refund=standing.refund,
            currency=standing.order.currency,
        )

    async def _begun_now(self, return_id: str) -> bool:
        """Whether a parcel comes back whose goods are waited for: its process begins now, if it had not begun yet, as
        its message may wait in the outbox.
        """
        async with self._reads.connect() as connection:
            row = await reads.return_(connection, return_id)
        if row is None or row["fulfilment_id"] is None or row["status"] in FINAL_RETURN:
            return False
        told = {"return_id": return_id, "request": brought_back.stored_request(row)}
        durable, workflow_id = self._durable, ids.return_workflow_id(return_id)
        await brought_back.begin(durable.client, durable.task_queue, workflow_id, told)
        return True

    async def _must_have_ended(self, return_id: str) -> None:
        """Raises NotFound, and NoProcess for a return that is open and has no process."""
        async with self._reads.connect() as connection:
            row = await returns.get(connection, return_id)
        if row is None:
            raise NotFound(f"there is no return {return_id}")
        if ReturnStatus(row["status"]) not in FINAL_RETURN:
            run_id = await self._durable.last_run(ids.return_workflow_id(return_id))
            await open_without_process(self._reads, row["order_id"], return_id, row["status"], run_id)


def _request(operation: str, key: str | None) -> str | None:
    """The id of what is asked under an Idempotency-Key: at another address the key stands for another request."""
    return key and f"{operation}/{key}"
