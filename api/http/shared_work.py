"""Work that many requests wait for at once, and that is done once for all of them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

_END_WITHIN: Final = 0.2
"""Seconds that work under way gets to end when the process does."""

T = TypeVar("T")


class Shared(Generic[T]):
    """Work that is done once at a time for all who wait for it, and comes to its end also when none of them waits any
    longer: so many ask, one connection is taken.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether somebody who asks now waits for work that has begun."""
        return self._task is not None and not self._task.done()

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
            await asyncio.wait({self._task}, timeout=_END_WITHIN)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
