"""The process of a return that the store opened itself: a parcel that comes back undelivered."""

from contextlib import suppress

from sqlalchemy import RowMapping
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from dom.orders.return_calls import ReturnRequest, ReturnRequestLine
from workflows import attributes
from workflows.messages import EDITION, MOST_EVENTS, ReturnInput
from workflows.returns import ReturnWorkflow, start_summary


def stored_request(row: RowMapping) -> ReturnRequest:
    """What a return was asked for with, of a row of `store.orders.reads.return_`."""
    lines = tuple(ReturnRequestLine(line_id=line["line_id"], quantity=line["quantity"]) for line in row["lines"])
    return ReturnRequest(order_id=row["order_id"], lines=lines, reason=row["reason"], node_id=row["node_id"])


async def begin(client: Client, task_queue: str, workflow_id: str, argument: object) -> None:
    """Start it, once: it waits for the goods, and goes by what the store holds. `argument` is the return's id and its
    request. Raises RPCError.
    """
    told = ReturnInput.model_validate(argument)
    start = told.model_copy(
        update={"edition": EDITION, "most_events": MOST_EVENTS, "continued": True, "restored": True}
    )
    with suppress(WorkflowAlreadyStartedError):
        await client.start_workflow(
            ReturnWorkflow.run,
            start,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=attributes.of_return(),
            static_summary=start_summary(start.request),
        )
