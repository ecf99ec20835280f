"""The last run of a workflow, as Temporal describes it."""

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode


async def last_run(client: Client, workflow_id: str) -> WorkflowExecutionDescription | None:
    """The workflow's last run; None if Temporal knows none. Raises RPCError while Temporal is away."""
    try:
        return await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
