"""Drives no-op orders with a Temporal client, in the rhythm in which `bench.orders` drives real ones."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from bench.looking import Looking
from bench.noop import EmptyWorkflow, NoOpInput, NoOpWorkflow
from bench.orders import STEP_SECONDS, Walked
from bench.servers import NOOP_QUEUE
from bench.shape import Shape


@dataclass(frozen=True, slots=True)
class EmptyDriver:
    """Starts workflows that end at once."""

    temporal: Client
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def walk(self) -> Walked:
        """From start to result."""
        workflow_id = f"empty-{next(self._numbers)}"
        began = perf_counter()
        await self.temporal.execute_workflow(EmptyWorkflow.run, id=workflow_id, task_queue=NOOP_QUEUE)
        seconds = perf_counter() - began
        return Walked(workflow_id, seconds, seconds)


class Ledger:
    """Which no-op orders are booked: the file their worker writes, read on from where it was read last."""

    def __init__(self, file: Path) -> None:
        self._file = file.open()
        self._booked: set[str] = set()

    async def look(self) -> set[str]:
        """All that are booked by now."""
        self._booked.update(line.rstrip("\n") for line in self._file)
        return self._booked

    def close(self) -> None:
        """Reads no more."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class NoOpWalker:
    """Takes no-op orders to their end."""

    temporal: Client
    looking: Looking[set[str]]
    shape: Shape
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def walk(self) -> Walked:
        """Start, answer, and all that follows."""
        began = perf_counter()
        order_id, accept_seconds = await self.accept()
        await self.finish(order_id)
        return Walked(order_id, accept_seconds, perf_counter() - began)

    async def accept(self) -> tuple[str, float]:
        """Starts a no-op order; its id, and seconds to its answer."""
        order_id = f"noop-{next(self._numbers)}"
        began = perf_counter()
        start = WithStartWorkflowOperation(
            NoOpWorkflow.run,
            NoOpInput(order_id=order_id, shape=self.shape),
            id=order_id,
            task_queue=NOOP_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        await self.temporal.execute_update_with_start_workflow(NoOpWorkflow.accept, start_workflow_operation=start)
        return order_id, perf_counter() - began

    async def finish(self, order_id: str) -> None:
        """A look; the signals before the booking; a look that shows it; the signals after it."""
        await self.looking.until(lambda _: True)
        await self._signal(order_id, self.shape.booked_at)
        await self.looking.until(lambda booked: order_id in booked or None)
        await self._signal(order_id, self.shape.signals - self.shape.booked_at)
        await self.temporal.get_workflow_handle(order_id).result()

    async def _signal(self, order_id: str, times: int) -> None:
        handle: WorkflowHandle[NoOpWorkflow, None] = self.temporal.get_workflow_handle(order_id)
        for _ in range(times):
            await handle.signal(NoOpWorkflow.report, order_id)
            await asyncio.sleep(STEP_SECONDS)
