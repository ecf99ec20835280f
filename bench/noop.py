"""Workflows that do nothing: an empty one, and one of a given shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from bench.shape import Shape
    from dom.shared.base import Value

_WITHIN = timedelta(seconds=60)


class Task(Value):
    """A remote activity of a no-op order; `noted` ones are written into the ledger, as a booking is."""

    order_id: str
    noted: bool


class NoOpInput(Value):
    """What starts a no-op order."""

    order_id: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class NoOpActivities:
    """Activities that do nothing, but for the ledger the driver looks into instead of a work list."""

    ledger: Path

    @activity.defn(name="noop_local")
    async def local(self, _order_id: str) -> None:
        """Nothing, in the worker itself."""

    @activity.defn(name="noop_remote")
    async def remote(self, task: Task) -> None:
        """Nothing, by way of the server."""
        if task.noted:
            with self.ledger.open("a") as ledger:
                ledger.write(f"{task.order_id}\n")


@workflow.defn(name="Empty")
class EmptyWorkflow:
    """Started and over."""

    @workflow.run
    async def run(self) -> None:
        """Nothing."""


@workflow.defn(name="NoOp")
class NoOpWorkflow:
    """As many activities, signals and updates as an order, in the same sequence, and nothing in them."""

    @workflow.init
    def __init__(self, start: NoOpInput) -> None:
        """Nothing has come yet."""
        self._start = start
        self._signals = 0
        self._accepted = False
        self._remotes: list[workflow.ActivityHandle[None]] = []

    @workflow.run
    async def run(self, start: NoOpInput) -> None:
        """Stage by stage, each begun by a signal but the first, which the update waits for."""
        for number in range(len(start.shape.stages)):
            await workflow.wait_condition(lambda number=number: self._signals >= number)  # type: ignore[misc]
            await self._stage(number)
            self._accepted = True
        for remote in self._remotes:
            await remote
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _stage(self, number: int) -> None:
        stage = self._start.shape.stages[number]
        for _ in range(stage.local):
            await workflow.execute_local_activity_method(
                NoOpActivities.local, self._start.order_id, start_to_close_timeout=_WITHIN
            )
        for position in range(stage.remote):
            noted = number == self._start.shape.booked_at and position == 0
            task = Task(order_id=self._start.order_id, noted=noted)
            self._remotes.append(
                workflow.start_activity_method(NoOpActivities.remote, task, start_to_close_timeout=_WITHIN)
            )

    @workflow.update
    async def accept(self) -> str:
        """Answered after the first stage, as an order is."""
        await workflow.wait_condition(lambda: self._accepted)
        return self._start.order_id

    @workflow.signal
    def report(self, _text: str) -> None:
        """Begins the next stage."""
        self._signals += 1
