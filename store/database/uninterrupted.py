"""Database work that is not cut off in the middle when its caller is cancelled.

A connection cut off while it is taken from the pool or talks to the server is lost to the pool, until the garbage
collector finds it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

WITHIN: Final = 0.2
"""Seconds cancelled work gets to come to its end."""

T = TypeVar("T")


async def uninterrupted(work: Coroutine[Any, Any, T], within: float = WITHIN) -> T:
    """The work's outcome. If the caller is cancelled meanwhile, the work first gets `within` seconds to end."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=within)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
