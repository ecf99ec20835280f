"""What customers and nodes do to a return, and the mails it brings."""

from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from dom.orders.order import Order
from dom.orders.return_calls import (
    CancelReturnCall,
    CloseReturnCall,
    InspectCall,
    InspectedLine,
    ReceiveCall,
    ReturnRequest,
    ReturnRequestLine,
    ReturnResult,
)
from dom.orders.status import Disposition
from dom.shared import ids
from tests.worlds.outside import RecordingSender
from tests.worlds.running import House
from workflows.messages import EDITION, ReturnAnswer, ReturnEnd, ReturnInput
from workflows.returns import ReturnWorkflow


def lines(**units: int) -> tuple[ReturnRequestLine, ...]:
    return tuple(ReturnRequestLine(line_id=name[1:], quantity=quantity) for name, quantity in units.items())


async def ask(house: House, order: Order, token: str, *, refused_before: bool = False, **units: int) -> ReturnAnswer:
    """Ask for a return as the API does: the caller's token names it."""
    only_failed = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    return_id = ids.return_id(order.order_id, token)
    request = ReturnRequest(order_id=order.order_id, lines=lines(**units), reason="too big")
    start = WithStartWorkflowOperation(
        ReturnWorkflow.run,
        ReturnInput(return_id=return_id, request=request, edition=EDITION, most_events=house.most_events),
        id=ids.return_workflow_id(return_id),
        task_queue=house.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE if refused_before else only_failed,
    )
    return await house.client.execute_update_with_start_workflow(ReturnWorkflow.accept, start_workflow_operation=start)


def handle(house: House, answer: ReturnAnswer) -> WorkflowHandle[ReturnWorkflow, ReturnEnd]:
    return house.client.get_workflow_handle_for(ReturnWorkflow.run, ids.return_workflow_id(answer.return_id))


async def receive(house: House, answer: ReturnAnswer, **units: int) -> ReturnResult:
    call = ReceiveCall(lines=lines(**units) or None, actor="node:dc-leeds")
    return await handle(house, answer).execute_update(ReturnWorkflow.receive, call)


async def inspect(house: House, answer: ReturnAnswer, *found: tuple[str, int, Disposition]) -> ReturnResult:
    seen = tuple(InspectedLine(line_id=i, quantity=q, disposition=d) for i, q, d in found)
    return await handle(house, answer).execute_update(ReturnWorkflow.inspect, InspectCall(lines=seen))


async def end(house: House, answer: ReturnAnswer, how: str, key: str | None = None) -> ReturnResult:
    """Cancel or close it."""
    if how == "close":
        return await handle(house, answer).execute_update(ReturnWorkflow.close, CloseReturnCall(), id=key)
    call = CancelReturnCall(reason="keeps it", actor="customer")
    return await handle(house, answer).execute_update(ReturnWorkflow.cancel, call, id=key)


def mails(house: House, subject: str) -> list[str]:
    """The texts of the mails with that in their subject, on one line each."""
    assert isinstance(house.mail, RecordingSender)
    return [" ".join(each.text.split()) for each in house.mail.sent if subject in each.subject]
