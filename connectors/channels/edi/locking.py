"""A lock of the operating system, which keeps processes apart and ends with the one that holds it."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_LOCK_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.01


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Nobody else holds the lock of this file meanwhile. Raises TimeoutError, OSError where it cannot be made."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        async with asyncio.timeout(_LOCK_SECONDS):
            while not _is_taken(descriptor):  # noqa: ASYNC110 - another process has it
                await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
