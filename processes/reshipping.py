"""A parcel that came back is sent once more. An order that had ended with it lives again, and so does its process."""

from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import WorkflowAlreadyStartedError

from dom.exceptions import ExceptionKind
from dom.orders.commands import Reship
from dom.orders.status import FINAL_ORDER
from dom.shared import ids
from processes import signals
from processes.client import Durable
from processes.consistency import Fault
from processes.revival import revive
from services import parcel_marks
from services.change_orders import OrderChanged, Writing
from store import backorders
from store.orders import orders
from workflows.messages import OrderNews
from workflows.order.process import OrderWorkflow


async def reship(durable: Durable, engine: AsyncEngine, command: Reship, *, webhooks: bool) -> OrderChanged:
    """Write it, and start the order's process anew if the order was over; safe to repeat. Raises what
    `parcel_marks.mark` raises.

    Should we end in between, the order is found without a process, and put before a person, like any other.
    """
    order_id = ids.order_of(command.fulfilment_id)
    await durable.reach()
    async with engine.begin() as connection:
        await backorders.lock_order(connection, order_id)
        before = await orders.find(connection, order_id)
        over = before is not None and before.status in FINAL_ORDER
        changed = await parcel_marks.mark(connection, command, Writing(webhook=webhooks, notify=True))
    if (over or changed.repeated) and changed.state.status() not in FINAL_ORDER:
        await _begin_anew(durable, engine, order_id, changed.state.status(), command.actor)
    return changed


async def _begin_anew(durable: Durable, engine: AsyncEngine, order_id: str, status: str, by: str) -> None:
    workflow_id = ids.order_workflow_id(order_id)
    fault = Fault(workflow_id, ExceptionKind.NO_PROCESS, status, await durable.last_run(workflow_id))
    with suppress(WorkflowAlreadyStartedError):  # it has not ended yet: it hears of it
        await revive(engine, durable.client, durable.task_queue, fault, by)
        return
    await signals.send(durable.client, workflow_id, OrderWorkflow.order_changed, OrderNews())
