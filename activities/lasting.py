"""What activities share that last for minutes: a queue of their own, a heartbeat, and a stop between two steps."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import Field
from temporalio import activity
from temporalio.exceptions import ApplicationError

AT_ONCE: Final[Mapping[str, int]] = {"apply_import": 2, "run_rehearsal": 1}
"""How many of each a worker does at the same time: an import keeps a connection busy, a rehearsal a processor. Each has
a task queue of its own, so that those that wait take no place of bookings, and the oldest is next.
"""
_LAST_SECONDS: Final = 12.0
"""What a step under way gets when the activity must stop."""

Seconds = Annotated[float, Field(gt=0)]
R = TypeVar("R")


def own_queue(task_queue: str, name: str) -> str:
    """The task queue of an activity that lasts, beside that of the workflows."""
    return f"{task_queue}-{name}"


async def lasting(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, R]], progress: Callable[[], object], *, beat: float
) -> R:
    """Do the work, and tell Temporal its `progress` every `beat` seconds.

    The work is handed an event that is set when the activity is cancelled or its worker drains: it should end soon
    then, for it is not cut off in the middle of a statement.
    """
    stop = asyncio.Event()
    running = asyncio.create_task(work(stop))
    others = [asyncio.create_task(_beat(progress, beat)), asyncio.create_task(activity.wait_for_worker_shutdown())]
    try:
        await asyncio.wait({running, others[1]}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        await asyncio.wait({running}, timeout=_LAST_SECONDS)
        for task in (running, *others):
            task.cancel()
        await asyncio.gather(running, *others, return_exceptions=True)
    return running.result()


async def _beat(progress: Callable[[], object], every: float) -> NoReturn:
    while True:
        activity.heartbeat(progress())
        await asyncio.sleep(every)


def stopped() -> ApplicationError:
    """The work stopped before its end, and another attempt goes on."""
    return ApplicationError("the worker drains; another one goes on", type="WorkerDrains")
