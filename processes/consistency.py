"""Orders and returns beside their processes: which are open and have none, which processes do not agree with the store.

Temporal is asked what runs, a thousand at a time, the store what is open; both are compared in memory. What Temporal
lists is a moment old, so whatever seems wrong is looked at again, by itself, before it is called so. What has ended in
Temporal and is not in the store is looked for too: a restore of an older store loses it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from dom.exceptions import ExceptionKind
from dom.orders.lifecycle import followed
from dom.orders.status import FINAL_ORDER, FulfilmentStatus
from dom.shared import ids
from processes.runs import last_run
from store.database.engine import reading
from store.orders import processes
from workflows import attributes
from workflows.messages import REFUSED, OrderStanding, ReturnStanding
from workflows.order.process import OrderWorkflow
from workflows.returns import ReturnWorkflow

AT_ONCE: Final = 16
"""Questions to Temporal that are under way at the same time."""
SETTLE_SECONDS: Final = 1.0
"""A process is ahead of the store while a step is written down: only a difference that outlasts this is one."""
LATELY: Final = timedelta(days=3)
"""What ended before is looked for only thoroughly: it may be a million."""
_ANSWER_WITHIN: Final = timedelta(seconds=5)
_PAGE: Final = 1000
_MOST_UNASKED: Final = 32
"""After so many without an answer nobody else is asked: no worker is there."""
_UNKNOWN: Final = "not known"
_ENDED: Final = "ExecutionStatus != 'Running' AND ExecutionStatus != 'ContinuedAsNew'"
"""A run that was continued has not ended: the next one is the same process."""
_ORDERS: Final = ids.order_workflow_id("")
_RETURNS: Final = ids.return_workflow_id("")

Each = TypeVar("Each")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """An order or a return whose process is missing, or does not agree with the store.

    `status` is the store's, empty where the store does not hold it; `run_id` the last run, empty where Temporal knows
    none.
    """

    workflow_id: str
    kind: ExceptionKind
    status: str
    run_id: str
    words: str = ""

    @property
    def is_return(self) -> bool:
        """Whether it is a return."""
        return self.workflow_id.startswith(_RETURNS)

    @property
    def about(self) -> str:
        """The order's or the return's own id."""
        return self.workflow_id.removeprefix(_RETURNS if self.is_return else _ORDERS)

    @property
    def order_id(self) -> str:
        """The order it is, or belongs to."""
        return ids.order_of(self.about) if self.is_return else self.about

    @property
    def detail(self) -> str:
        """What a person is told."""
        return processes.in_words(self.kind, self.about, self.status or "unknown to the store", self.words)


@dataclass(slots=True)
class Comparison:
    """What was compared, and what is wrong.

    `ended` processes were looked for in the store. `unasked` processes gave no answer: no worker works their task
    queue.
    """

    open: int = 0
    running: int = 0
    ended: int = 0
    asked: int = 0
    unasked: int = 0
    faults: list[Fault] = field(default_factory=list)

    def of(self, kind: ExceptionKind) -> list[Fault]:
        """The faults of a kind."""
        return [fault for fault in self.faults if fault.kind == kind]

    @property
    def is_complete(self) -> bool:
        """Whether everything that seemed wrong could be looked at."""
        return not self.unasked

    @property
    def in_words(self) -> str:
        """The comparison in one line."""
        missing, differ = len(self.of(ExceptionKind.NO_PROCESS)), len(self.of(ExceptionKind.PROCESS_DIFFERS))
        lost = len(self.of(ExceptionKind.NOT_IN_STORE))
        words = f"{self.open} open orders and returns, {self.running} processes"
        if self.faults:
            words += f": {missing} have no process, {differ} processes do not agree with the store"
            words += f", {lost} have ended and are not in the store" if lost else ""
        elif not self.unasked:
            words += ": each has its own"
        if self.unasked:
            words += f"; {self.unasked} processes gave no answer (does a worker run?)"
        return words


class Living:
    """Compares a store with the processes of a task queue."""

    def __init__(self, engine: AsyncEngine, client: Client, task_queue: str) -> None:
        self._reads = reading(engine)
        self._client = client
        self._task_queue = task_queue
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def compare(self, *, thoroughly: bool = False, ended: bool = True) -> Comparison:
        """Compare everything. Raises RPCError and SQLAlchemyError while a server is away.

        By default a running process is asked only where its `DomStatus` is not the store's status; `thoroughly` asks
        every one of them about each line and fulfilment, which a worker has to answer. `ended`: what has ended is
        looked for in the store, of the last three days, `thoroughly` all that Temporal still keeps.
        """
        found = Comparison()
        running = await self._running()
        async with self._reads.connect() as connection:
            orders, returns = await processes.open_orders(connection), await processes.open_returns(connection)
        open_ = {ids.order_workflow_id(i): s for i, s in orders.items()}
        open_ |= {ids.return_workflow_id(i): s for i, s in returns.items()}
        found.open, found.running = len(open_), len(running)
        found.faults += await self._each((w for w in open_ if w not in running), self._missing)
        doubtful = [w for w, status in running.items() if thoroughly or w not in open_ or open_[w] != status]
        found.asked = len(doubtful)
        found.faults += await self._each(doubtful, lambda workflow_id: self._differs(workflow_id, found))
        if ended:
            lately = f" AND CloseTime > '{(datetime.now(UTC) - LATELY).isoformat()}'"
            lost = await self._ended_and_not_held(self._everything + ("" if thoroughly else lately), found)
            found.faults += await self._each(lost.values(), lambda run: self._lost(run, found))
        found.faults.sort(key=lambda fault: (fault.kind, fault.about))
        return found

    async def of(self, about: str) -> Fault | None:
        """What is wrong with an order or a return; None if nothing is."""
        return await self._of(about, Comparison())

    async def agrees(self, about: str) -> bool:
        """Whether the store holds the order or the return, and its process, if it must have one, says the same."""
        found = Comparison()
        return await self._of(about, found) is None and found.is_complete and await self._is_held(about)

    async def _of(self, about: str, found: Comparison) -> Fault | None:
        for workflow_id in (ids.order_workflow_id(about), ids.return_workflow_id(about)):
            fault = await self._missing(workflow_id) or await self._differs(workflow_id, found)
            if fault is None:
                only_this = f"{self._everything} AND WorkflowId = '{workflow_id.replace(chr(39), '')}'"
                run = (await self._ended_and_not_held(only_this, found)).get(workflow_id)
                fault = await self._lost(run, found) if run else None
            if fault is not None:
                return fault
        return None

    async def _is_held(self, about: str) -> bool:
        async with self._reads.connect() as connection:
            return any([not await processes.not_held(connection, [about], returns=each) for each in (False, True)])

    async def _each(self, them: Iterable[Each], look: Callable[[Each], Awaitable[T | None]]) -> list[T]:
        async def bounded(each: Each) -> T | None:
            async with self._at_once:
                return await look(each)

        return [each for each in await asyncio.gather(*map(bounded, them)) if each is not None]

    async def _running(self) -> dict[str, str | None]:
        """Every running process with its `DomStatus`."""
        found = {}
        query = f"{self._everything} AND ExecutionStatus = 'Running'"
        async for each in self._client.list_workflows(query, page_size=_PAGE):
            found[each.id] = each.typed_search_attributes.get(attributes.STATUS)
        return found

    @property
    def _everything(self) -> str:
        return f"TaskQueue = '{self._task_queue}' AND WorkflowType IN ('Order', 'Return')"

    async def _ended_and_not_held(self, query: str, found: Comparison) -> dict[str, WorkflowExecution]:
        """The last run of each process of a query that ended, was not refused, and is not in the store."""
        lost: dict[str, WorkflowExecution] = {}
        page: dict[str, WorkflowExecution] = {}
        async for each in self._client.list_workflows(f"{query} AND {_ENDED}", page_size=_PAGE):
            found.ended += 1
            if each.typed_search_attributes.get(attributes.STATUS) != REFUSED:
                page.setdefault(each.id, each)
            if len(page) == _PAGE:
                lost = await self._without_held(page) | lost
                page = {}
        return await self._without_held(page) | lost

    async def _without_held(self, runs: Mapping[str, WorkflowExecution]) -> dict[str, WorkflowExecution]:
        async with self._reads.connect() as connection:
            orders = await processes.not_held(connection, _abouts(runs, _ORDERS), returns=False)
            returns = await processes.not_held(connection, _abouts(runs, _RETURNS), returns=True)
        lost = {ids.order_workflow_id(each) for each in orders} | {ids.return_workflow_id(each) for each in returns}
        return {workflow_id: run for workflow_id, run in runs.items() if workflow_id in lost}

    async def _lost(self, run: WorkflowExecution, found: Comparison) -> Fault | None:
        """Whether a process that ended had captured what the store does not hold. One that runs speaks for itself."""
        last = await last_run(self._client, run.id)
        if last is None or last.status is WorkflowExecutionStatus.RUNNING:
            return None
        fault = Fault(run.id, ExceptionKind.NOT_IN_STORE, "", run.run_id)
        says = await self._ask(fault, found)
        if says is None or not says.captured:
            return None
        how = run.status.name.lower() if run.status else "unknown"
        return replace(fault, words=f"ended as {says.status} ({how})")

    async def _missing(self, workflow_id: str) -> Fault | None:
        """Whether an order that was open has no process, and is open still."""
        process = await last_run(self._client, workflow_id)
        if process is not None and process.status is WorkflowExecutionStatus.RUNNING:
            return None
        found = Fault(workflow_id, ExceptionKind.NO_PROCESS, "", process.run_id if process else "")
        async with self._reads.connect() as connection:
            is_open = processes.must_live_return if found.is_return else processes.must_live
            status = await is_open(connection, found.about)
        return None if status is None else replace(found, status=status)

    async def _differs(self, workflow_id: str, found: Comparison) -> Fault | None:
        """Whether a running process and the store say different things, and go on doing so."""
        first = await self._difference(workflow_id, found)
        if first is None:
            return None
        await asyncio.sleep(SETTLE_SECONDS)
        return first if await self._difference(workflow_id, found) == first else None

    async def _difference(self, workflow_id: str, found: Comparison) -> Fault | None:
        process = await last_run(self._client, workflow_id)
        if process is None or process.status is not WorkflowExecutionStatus.RUNNING:
            return None
        fault = Fault(workflow_id, ExceptionKind.PROCESS_DIFFERS, "", process.run_id)
        says = await self._ask(fault, found)
        if says is None or not says.captured:
            return None
        if isinstance(says, ReturnStanding):
            async with self._reads.connect() as connection:
                status = await processes.status_of_return(connection, fault.about)
            words = "" if status == says.status else f"the process says {says.status}"
            return replace(fault, status=status or "", words=words) if words else None
        async with self._reads.connect() as connection:
            row = await processes.standing(connection, fault.about)
        words = _compared(says, row) if row else f"the process says {says.status}"
        return replace(fault, status=row["status"] if row else "", words=words) if words else None

    async def _ask(self, fault: Fault, found: Comparison) -> OrderStanding | ReturnStanding | None:
        """What a process says of itself, one that ended too; None if nobody answers for it."""
        if found.unasked >= _MOST_UNASKED:
            found.unasked += 1
            return None
        handle = self._client.get_workflow_handle(fault.workflow_id, run_id=fault.run_id)
        try:
            if fault.is_return:
                return await handle.query(ReturnWorkflow.standing, rpc_timeout=_ANSWER_WITHIN)
            return await handle.query(OrderWorkflow.standing, rpc_timeout=_ANSWER_WITHIN)
        except (WorkflowQueryFailedError, RPCError) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.UNAVAILABLE:
                raise
            found.unasked += 1
            return None


def _abouts(workflow_ids: Collection[str], prefix: str) -> list[str]:
    return [each.removeprefix(prefix) for each in workflow_ids if each.startswith(prefix)]


def _compared(says: OrderStanding, row: Mapping[str, Any]) -> str:
    """What the process says otherwise than the store, in words; empty if nothing."""
    if row["status"] in FINAL_ORDER and says.status == row["status"]:
        return ""
    words = [] if says.status == row["status"] else [f"the process says {says.status}"]
    for name in sorted({*says.fulfilments, *row["fulfilments"]}):
        ours, its = row["fulfilments"].get(name, _UNKNOWN), says.fulfilments.get(name, _UNKNOWN)
        if _followed(ours) != _followed(its):
            words.append(f"{name} is {ours}, the process says {its}")
    for line_id, units in sorted((row["lines"] or {}).items()):
        line = says.lines.get(line_id)
        if line is not None and units != line.model_dump():
            words.append(f"line {line_id}: {units}, the process says {line.model_dump()}")
    return "; ".join(words)


def _followed(status: str) -> str:
    """A process does not hear of each step at the node."""
    return followed(FulfilmentStatus(status)) if status != _UNKNOWN else status
