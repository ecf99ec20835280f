"""A worker in a process of its own that kills itself at a boundary of an activity.

A boundary is before or after the nth call of an activity: after it means that what it did is done, and nobody was told.
Processes come from a fork server that has loaded everything: each begins within a second.
"""

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker

from activities.wiring import wired
from services.database import Database
from store.database import engine as database
from worker import WORKFLOWS

FORKS: Final = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True)
class Boundary:
    """Before (or after) the `number`th call of an activity, counted from 1."""

    activity: str
    number: int
    after: bool

    def __str__(self) -> str:
        """As a test names it."""
        return f"{'after' if self.after else 'before'} {self.activity} {self.number}"


class _Counting(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, boundary: Boundary | None, calls: Path) -> None:
        super().__init__(inner)
        self._boundary = boundary
        self._calls = calls

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  the SDK's name
        """Write the call down, carry it out, and die before or after it if this is the boundary."""
        name = input.fn.__name__
        with self._calls.open("a") as calls:
            calls.write(f"{name}\n")
        number = self._calls.read_text().split().count(name)
        self._die_at(Boundary(name, number, after=False))
        answer = await super().execute_activity(input)
        self._die_at(Boundary(name, number, after=True))
        return answer

    def _die_at(self, boundary: Boundary) -> None:
        if boundary == self._boundary:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class _Dying(Interceptor):
    boundary: Boundary | None
    calls: Path

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Count the calls."""
        return _Counting(next, self.boundary, self.calls)


async def _serve(url: str, address: str, task_queue: str, boundary: Boundary | None, calls: Path) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    served = wired(Database(engine=database.create(url, 4), replaying=True), {}, {})
    interceptors = [_Dying(boundary, calls)]
    await Worker(client, task_queue=task_queue, workflows=WORKFLOWS, activities=served, interceptors=interceptors).run()


def _main(*asked: Any) -> None:
    asyncio.run(_serve(*asked))


@dataclass
class DyingWorker:
    """Serves a task queue; when it dies at its boundary, another that lives takes its place."""

    url: str
    address: str
    task_queue: str
    boundary: Boundary | None
    calls: Path
    died: bool = False

    async def serve(self) -> None:
        """Until the task is cancelled. AssertionError if a process ends otherwise than by the kill it was made for."""
        process = self._begin(self.boundary)
        try:
            while True:
                await asyncio.sleep(0.05)
                if process.exitcode is not None:
                    assert process.exitcode == -signal.SIGKILL, f"the worker ended with {process.exitcode}"
                    self.died = True
                    process = self._begin(None)
        finally:
            process.kill()
            process.join()

    def _begin(self, boundary: Boundary | None) -> ForkServerProcess:
        asked = (self.url, self.address, self.task_queue, boundary, self.calls)
        process = FORKS.Process(target=_main, args=asked, daemon=True)
        process.start()
        return process
