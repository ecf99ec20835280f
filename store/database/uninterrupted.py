"""Database work that is not cut off in the middle when its caller is cancelled.

A connection cut off while it is taken from the pool or talks to the server is lost to the pool, until the garbage
collector finds it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

WITHIN: Final = 0.2
"""Seconds cancelled work gets to come to its end."""

T = TypeVar("T")


async def unbroken(work: Coroutine[Any, Any, T], within: float = WITHIN) -> T:
    """The work's outcome. If the caller is cancelled meanwhile, the work first gets `within` seconds to end."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=within)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


class Shared(Generic[T]):
    """Work that is done once at a time for all who wait for it, and comes to its end also when none of them waits any
    longer: so many ask, one connection is taken.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None

    async def within(self, seconds: float) -> T:
        """The outcome of the work that is under way, or of new work. Raises what it raises, TimeoutError in time."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        task = self._task
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise TimeoutError(f"no answer within {seconds} s")
        return task.result()

    async def close(self) -> None:
        """Wait until nothing is under way, then end what does not end by itself."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=WITHIN)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
