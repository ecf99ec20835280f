"""Orders and returns beside their processes: which are open and have none, which processes do not agree with the store.

Temporal is asked what runs, a thousand at a time, the store what is open; both are compared in memory. What Temporal
lists is a moment old, so whatever seems wrong is looked at again, by itself, before it is called so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from dom import ids
from dom.status import FINAL_ORDER, ReturnStatus
from store import processes
from store.engine import reading
from workflows import attributes
from workflows.messages import OrderStanding
from workflows.order import OrderWorkflow

AT_ONCE: Final = 16
"""Questions to Temporal that are under way at the same time."""
SETTLE_SECONDS: Final = 1.0
"""A process is ahead of the store while a step is written down: only a difference that outlasts this is one."""
_ANSWER_WITHIN: Final = timedelta(seconds=5)
_MOST_UNASKED: Final = 32
"""After so many without an answer nobody else is asked: no worker is there."""
_ORDERS: Final = ids.order_workflow_id("")
_RETURNS: Final = ids.return_workflow_id("")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """An order or a return whose process is missing, or does not agree with the store.

    `status` is the store's, empty where the store does not hold it; `run_id` the last run, empty where Temporal knows
    none.
    """

    workflow_id: str
    kind: str
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
    """What was compared, and what is wrong. `unasked` processes gave no answer: no worker works their task queue."""

    open: int = 0
    running: int = 0
    asked: int = 0
    unasked: int = 0
    faults: list[Fault] = field(default_factory=list)

    def of(self, kind: str) -> list[Fault]:
        """The faults of a kind."""
        return [fault for fault in self.faults if fault.kind == kind]

    @property
    def in_words(self) -> str:
        """The comparison in one line."""
        missing, differ = len(self.of(processes.MISSING)), len(self.of(processes.DIFFERS))
        words = f"{self.open} open orders and returns, {self.running} processes"
        if missing or differ:
            words += f": {missing} have no process, {differ} processes do not agree with the store"
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

    async def compare(self, *, thoroughly: bool = False) -> Comparison:
        """Compare everything. Raises RPCError and SQLAlchemyError while a server is away.

        By default a running process is asked only where its `DomStatus` is not the store's status; `thoroughly` asks
        every one of them about each line and fulfilment, which a worker has to answer.
        """
        found = Comparison()
        running = await self._running()
        async with self._reads.connect() as connection:
            orders, returns = await processes.open_orders(connection), await processes.open_returns(connection)
        open_ = {ids.order_workflow_id(i): s for i, s in orders.items()}
        open_ |= {ids.return_workflow_id(i): s for i, s in returns.items()}
        found.open, found.running = len(open_), len(running)
        found.faults += await self._each((w for w in open_ if w not in running), self._missing)
        doubtful = [w for w, status in running.items() if thoroughly or open_.get(w) != status]
        found.asked = len(doubtful)
        found.faults += await self._each(doubtful, lambda workflow_id: self._differs(workflow_id, found))
        found.faults.sort(key=lambda fault: (fault.kind, fault.about))
        return found

    async def of(self, about: str) -> Fault | None:
        """What is wrong with an order or a return; None if nothing is."""
        for workflow_id in (ids.order_workflow_id(about), ids.return_workflow_id(about)):
            if fault := await self._missing(workflow_id) or await self._differs(workflow_id, Comparison()):
                return fault
        return None

    async def _each(self, them: Iterable[str], look: Callable[[str], Awaitable[T | None]]) -> list[T]:
        async def bounded(workflow_id: str) -> T | None:
            async with self._at_once:
                return await look(workflow_id)

        return [each for each in await asyncio.gather(*map(bounded, them)) if each is not None]

    async def _running(self) -> dict[str, str | None]:
        """Every running process with its `DomStatus`."""
        query = (
            f"TaskQueue = '{self._task_queue}' AND ExecutionStatus = 'Running' AND WorkflowType IN ('Order', 'Return')"
        )
        found = {}
        async for each in self._client.list_workflows(query, page_size=1000):
            found[each.id] = each.typed_search_attributes.get(attributes.STATUS)
        return found

    async def _described(self, workflow_id: str) -> WorkflowExecution | None:
        try:
            return await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None

    async def _missing(self, workflow_id: str) -> Fault | None:
        """Whether an order that was open has no process, and is open still."""
        process = await self._described(workflow_id)
        if process is not None and process.status is WorkflowExecutionStatus.RUNNING:
            return None
        found = Fault(workflow_id, processes.MISSING, "", process.run_id if process else "")
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
        process = await self._described(workflow_id)
        if process is None or process.status is not WorkflowExecutionStatus.RUNNING:
            return None
        fault = Fault(workflow_id, processes.DIFFERS, "", process.run_id)
        if fault.is_return:
            async with self._reads.connect() as connection:
                status = await processes.status_of_return(connection, fault.about)
            says = process.typed_search_attributes.get(attributes.STATUS) or ReturnStatus.REQUESTED
            if status is None or status == says:
                return None
            return replace(fault, status=status, words=f"the process says {says}")
        stands = await self._ask(workflow_id, process.run_id, found)
        if stands is None or not stands.captured:
            return None
        async with self._reads.connect() as connection:
            row = await processes.standing(connection, fault.about)
        words = _compared(stands, row) if row else f"the process says {stands.status}"
        return replace(fault, status=row["status"] if row else "", words=words) if words else None

    async def _ask(self, workflow_id: str, run_id: str, found: Comparison) -> OrderStanding | None:
        if found.unasked >= _MOST_UNASKED:
            found.unasked += 1
            return None
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(workflow_id, run_id=run_id)
        try:
            return await handle.query(OrderWorkflow.standing, rpc_timeout=_ANSWER_WITHIN)
        except (WorkflowQueryFailedError, RPCError) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.UNAVAILABLE:
                raise
            found.unasked += 1
            return None


def _compared(says: OrderStanding, row: Mapping[str, Any]) -> str:
    """What the process says otherwise than the store, in words; empty if nothing."""
    if row["status"] in FINAL_ORDER and says.status == row["status"]:
        return ""
    words = [] if says.status == row["status"] else [f"the process says {says.status}"]
    for name in sorted({*says.fulfilments, *row["fulfilments"]}):
        ours, its = row["fulfilments"].get(name, "not known"), says.fulfilments.get(name, "not known")
        if ours != its:
            words.append(f"{name} is {ours}, the process says {its}")
    for line_id, units in sorted((row["lines"] or {}).items()):
        line = says.lines.get(line_id)
        if line is not None and units != line.model_dump():
            words.append(f"line {line_id}: {units}, the process says {line.model_dump()}")
    return "; ".join(words)
