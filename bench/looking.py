"""One look for everybody: a driver of many orders reads one list again and again, and wakes those who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

PAUSE_SECONDS = 0.1
"""Between two looks, for real orders and no-ops alike."""

Seen = TypeVar("Seen")
Found = TypeVar("Found")


class Looking(Generic[Seen]):
    """The list as it was seen last."""

    def __init__(self, look: Callable[[], Awaitable[Seen]]) -> None:
        self._look = look
        self._next: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()

    async def until(self, find: Callable[[Seen], Found | None]) -> Found:
        """What `find` finds in the first list that is read from now on and holds it."""
        while True:
            found = find(await asyncio.shield(self._next))
            if found is not None:
                return found

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Looks until the block ends; a look that fails ends the block with its error."""
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look_again_and_again())
            yield
            looking.cancel()

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            seen = await self._look()
            done, self._next = self._next, asyncio.get_running_loop().create_future()
            done.set_result(seen)


async def all_of(work: Iterator[Callable[[], Awaitable[Found]]], at_once: int) -> list[Found]:
    """The results of all pieces of work, so many at once: each that ends makes room for the next."""
    results: list[Found] = []

    async def take() -> None:
        while (piece := next(work, None)) is not None:
            results.append(await piece())

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(take())
    return results
