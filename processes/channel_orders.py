"""What takes in a channel's messages of one order: begun with each message, or told that another came."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from dom.channels.messages import ChannelOrderRef
from dom.orders.calls import CancelCall, CancelResult, OrderAnswer
from dom.orders.intake import OrderRequest
from processes.client import Durable
from processes.errors import domain_error
from processes.orders import OrderProcesses
from services.channel_intake import OrderCalls
from workflows.channel_orders import ChannelOrderWorkflow


async def begin(client: Client, task_queue: str, workflow_id: str, argument: object) -> None:
    """Start it, and have it hear of the message; one that runs goes on and hears. Raises RPCError."""
    about = ChannelOrderRef.model_validate(argument)
    await client.start_workflow(
        ChannelOrderWorkflow.run,
        about,
        id=workflow_id,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        start_signal="message_received",
        static_summary=f"Messages of {about.channel} about {about.number or about.reference}",
    )


def order_calls(client: Client, task_queue: str, engine: AsyncEngine) -> OrderCalls:
    """What is asked of orders' processes, for who takes in messages."""
    orders = OrderProcesses(Durable(client, task_queue), engine)
    return OrderCalls(partial(_capture, orders), partial(_cancel, orders))


async def _capture(orders: OrderProcesses, order: OrderRequest) -> OrderAnswer:
    try:
        return await orders.capture(order)
    except WorkflowUpdateFailedError as error:
        raise (domain_error(error.cause) or error) from error


async def _cancel(orders: OrderProcesses, order_id: str, call: CancelCall, key: str) -> CancelResult:
    try:
        return await orders.cancel(order_id, call, key)
    except WorkflowUpdateFailedError as error:
        raise (domain_error(error.cause) or error) from error
