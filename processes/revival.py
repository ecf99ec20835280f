"""Starting the process of an order or a return anew, where the store stands."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.client import Client
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from dom import returns as rules
from dom.exceptions import ExceptionKind
from dom.shared.errors import NotFound
from processes.brought_back import stored_request
from processes.consistency import Fault
from services.clock import utc_now
from store import returns
from store.database.engine import reading
from store.orders import orders, reads
from workflows import attributes
from workflows.messages import EDITION, MOST_EVENTS, OrderInput, ReturnInput
from workflows.order.process import OrderWorkflow
from workflows.order.temporal_view import start_summary
from workflows.returns import ReturnWorkflow
from workflows.returns import start_summary as return_summary

Start = TypeVar("Start", OrderInput, ReturnInput)

_CONFLICT: Final = {
    ExceptionKind.NO_PROCESS: WorkflowIDConflictPolicy.FAIL,
    ExceptionKind.NOT_IN_STORE: WorkflowIDConflictPolicy.FAIL,
    ExceptionKind.PROCESS_DIFFERS: WorkflowIDConflictPolicy.TERMINATE_EXISTING,
}


async def revive(engine: AsyncEngine, client: Client, task_queue: str, fault: Fault, by: str) -> None:
    """Start a process that reads from the store how far the order or return is, and goes on from there.

    One that does not agree with the store is terminated first. An order that the store lost is captured anew, a return
    allowed anew, from what its process was started with. Raises WorkflowAlreadyStartedError if a process was there
    after all, NotFound for what neither side knows; and NotFound or NothingToReturn for a return that the store lost,
    while its order is not in the store or not delivered there: nothing is terminated then.
    """
    if fault.is_return:
        await _revive_return(engine, client, task_queue, fault, by)
        return
    start = await _order_input(engine, client, fault, by)
    order = start.order
    await _start(client, task_queue, fault, OrderWorkflow.run, start, attributes.of_order(order), start_summary(order))


async def _order_input(engine: AsyncEngine, client: Client, fault: Fault, by: str) -> OrderInput:
    async with reading(engine).connect() as connection:
        if await orders.find(connection, fault.about) is not None:
            document = await orders.document(connection, fault.about)
            return OrderInput(order=document, edition=EDITION, revived_by=by, most_events=MOST_EVENTS)
    return await _started_with(client, fault, by, OrderInput)


async def _started_with(client: Client, fault: Fault, by: str, kind: type[Start]) -> Start:
    """What the process was started with, for the next one, which is revived by somebody."""
    history = client.get_workflow_handle(fault.workflow_id, run_id=fault.run_id or None).fetch_history_events(
        page_size=1
    )
    first = await anext(history)
    payloads = first.workflow_execution_started_event_attributes.input.payloads
    started: Start = (await client.data_converter.decode(payloads, [kind]))[0]
    anew = {"edition": EDITION, "revived_by": by, "most_events": MOST_EVENTS, "continued": False}
    of_an_order = {"cause": None, "as_of": None} if kind is OrderInput else {}
    return started.model_copy(update=anew | of_an_order)


async def _revive_return(engine: AsyncEngine, client: Client, task_queue: str, fault: Fault, by: str) -> None:
    start = await _return_input(engine, client, fault, by)
    summary = return_summary(start.request)
    await _start(client, task_queue, fault, ReturnWorkflow.run, start, attributes.of_return(), summary)


async def _start(
    client: Client,
    task_queue: str,
    fault: Fault,
    run: Callable[[Any, Start], Awaitable[Any]],
    start: Start,
    search_attributes: TypedSearchAttributes,
    summary: str,
) -> None:
    await client.start_workflow(
        run,
        start,
        id=fault.workflow_id,
        task_queue=task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=_CONFLICT[fault.kind],
        search_attributes=search_attributes,
        static_summary=summary,
    )


async def _return_input(engine: AsyncEngine, client: Client, fault: Fault, by: str) -> ReturnInput:
    async with reading(engine).connect() as connection:
        row = await reads.return_(connection, fault.about)
        if row is None:
            start = await _started_with(client, fault, by, ReturnInput)
            await _must_be_returnable(connection, start)
            return start
    anew = {"edition": EDITION, "revived_by": by, "most_events": MOST_EVENTS, "restored": True}
    return ReturnInput.model_validate({"return_id": fault.about, "request": stored_request(row), **anew})


async def _must_be_returnable(connection: AsyncConnection, start: ReturnInput) -> None:
    request = start.request
    found = await returns.lock(connection, request.order_id, start.return_id)
    if found is None:
        raise NotFound(f"there is no order {request.order_id}: revive it first")
    asked = rules.Announce(lines=tuple((line.line_id, line.quantity) for line in request.lines))
    rules.decide(found.state, asked, now=utc_now())
