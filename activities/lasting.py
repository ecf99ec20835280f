"""What activities share that last for minutes: they say that they live, and stop between two steps when they must."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import Field
from temporalio import activity
from temporalio.exceptions import ApplicationError

_LAST_SECONDS: Final = 12.0
"""What a step under way gets when the activity must stop."""

Seconds = Annotated[float, Field(gt=0)]
R = TypeVar("R")


async def lasting(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, R]],
    progress: Callable[[], object],
    *,
    beat: float,
    at_once: asyncio.Semaphore,
) -> R:
    """Do the work when `at_once` lets it, and tell Temporal its `progress` every `beat` seconds.

    The work is handed an event that is set when the activity is cancelled or its worker drains: it should end soon
    then, for it is not cut off in the middle of a statement.
    """
    beating = asyncio.create_task(_beat(progress, beat))
    try:
        async with at_once:
            return await _until_stopped(work)
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _until_stopped(work: Callable[[asyncio.Event], Coroutine[Any, Any, R]]) -> R:
    stop = asyncio.Event()
    running = asyncio.create_task(work(stop))
    draining = asyncio.create_task(activity.wait_for_worker_shutdown())
    try:
        await asyncio.wait({running, draining}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        await asyncio.wait({running}, timeout=_LAST_SECONDS)
        for task in (running, draining):
            task.cancel()
        await asyncio.gather(running, draining, return_exceptions=True)
    return running.result()


async def _beat(progress: Callable[[], object], every: float) -> NoReturn:
    while True:
        activity.heartbeat(progress())
        await asyncio.sleep(every)


def stopped() -> ApplicationError:
    """The work stopped before its end, and another attempt goes on."""
    return ApplicationError("the worker drains; another one goes on", type="WorkerDrains")
