"""What activities share that last for minutes: a queue of their own, a heartbeat, and a stop between two steps."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import Field
from temporalio import activity
from temporalio.exceptions import ApplicationError

AT_ONCE: Final[Mapping[str, int]] = {
    "apply_import": 2,
    "run_rehearsal": 1,
    "apply_bulk": 1,
    "read_channel_feed": 4,
}
"""How many of each a worker does at the same time: an import keeps a connection busy, a rehearsal a processor, a bulk
run some connections; a feed mostly waits for its platform. Each has a task queue of its own, so that those that wait
take no place of bookings, and the oldest is next.
"""
_LAST_SECONDS: Final = 12.0
"""What is under way gets, at most, when its activity must stop: longer than mail and webhooks wait for an answer."""
_RESERVE_SECONDS: Final = 2.0
"""So long before the worker cuts its activities off all is written down."""

Seconds = Annotated[float, Field(gt=0)]
R = TypeVar("R")


def own_queue(task_queue: str, name: str) -> str:
    """The task queue of an activity that lasts, beside that of the workflows."""
    return f"{task_queue}-{name}"


def time_to_stop(drain_seconds: float) -> float:
    """Seconds that what is under way gets to end, where a worker that drains gives its activities `drain_seconds`."""
    return max(min(_LAST_SECONDS, drain_seconds - _RESERVE_SECONDS), 0.0)


async def lasting(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, R]],
    progress: Callable[[], object],
    *,
    beat: float,
    drain_seconds: float,
) -> R:
    """Do the work, and tell Temporal its `progress` every `beat` seconds.

    The work is handed an event that is set when the activity is cancelled or its worker drains. It gets
    `time_to_stop` then, so that it is not cut off in the middle of a statement; what takes longer is cut off, and
    another attempt goes on.
    """
    stop = asyncio.Event()
    running = asyncio.create_task(work(stop))
    others = [asyncio.create_task(_beat(progress, beat)), asyncio.create_task(activity.wait_for_worker_shutdown())]
    try:
        await asyncio.wait({running, others[1]}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        try:
            await asyncio.wait({running}, timeout=time_to_stop(drain_seconds))
        finally:
            for task in (running, *others):
                task.cancel()
            await asyncio.gather(running, *others, return_exceptions=True)
    if running.cancelled():
        raise stopped()
    return running.result()


async def _beat(progress: Callable[[], object], every: float) -> NoReturn:
    while True:
        activity.heartbeat(progress())
        await asyncio.sleep(every)


def stopped() -> ApplicationError:
    """The work stopped before its end, and another attempt goes on."""
    return ApplicationError("the worker drains; another one goes on", type="WorkerDrains")
