"""Returns as durable processes: start them, ask them."""

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import WorkflowAlreadyStartedError

from dom import returns as rules
from dom.orders.status import ReturnStatus
from dom.shared import ids
from dom.shared.errors import NotFound, StepNotPossible
from processes.client import Durable, refuse_another
from processes.missing import lost_by_the_store, open_without_process
from store import returns
from workflows import attributes
from workflows.messages import (
    EDITION,
    InspectCall,
    ReceiveCall,
    ReturnAnswer,
    ReturnInput,
    ReturnRequest,
    ReturnResult,
    ReturnStepAnswer,
)
from workflows.returns import ReturnWorkflow
from workflows.words import counted


class ReturnProcesses:
    """A return is one workflow, from permission to refund."""

    def __init__(self, durable: Durable, reads: AsyncEngine) -> None:
        self._durable = durable
        self._reads = reads

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
        refuse_another(answer.request_hash, request.content_hash("request"))
        return answer

    async def _accept(
        self, return_id: str, request: ReturnRequest, key: str | None, *, refused_before: bool = False
    ) -> ReturnAnswer:
        start = self._durable.start(
            ReturnWorkflow.run,
            ReturnInput(return_id=return_id, request=request, key=key, edition=EDITION),
            workflow_id=ids.return_workflow_id(return_id),
            summary=f"return of {counted(sum(n.quantity for n in request.lines), 'unit')} of {request.order_id}",
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
        if row["status"] != ReturnStatus.REFUNDED:
            run_id = await self._durable.last_run(ids.return_workflow_id(return_id))
            await open_without_process(self._reads, row["order_id"], return_id, row["status"], run_id)
        raise StepNotPossible(f"return {return_id} is {row['status']}", data={"status": row["status"]})
