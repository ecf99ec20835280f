"""The leader lock: an advisory lock, one a database, that lives as long as the connection that holds it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.database import engine as database
from store.database.uninterrupted import uninterrupted

_LOCK: Final = 0x6B656570
"""The advisory lock's number: "keep"."""
_TAKE = text("SELECT pg_try_advisory_lock(:lock)")
_LOOK = text("SELECT 1")


class LeaderLock:
    """The lock as one connection sees it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self) -> bool:
        """Take the lock if it is free; False if somebody has it. Take it once: it counts how often it was taken."""
        return bool(await uninterrupted(self._connection.scalar(_TAKE, {"lock": _LOCK})))

    async def look(self) -> None:
        """Raises what the database raises if the connection, and with it the lock, is gone."""
        await uninterrupted(self._connection.execute(_LOOK))


@asynccontextmanager
async def own_connection(engine: AsyncEngine) -> AsyncIterator[LeaderLock]:
    """A connection for the lock alone, outside the pool of `engine`. When it is closed the lock is free."""
    url = engine.url.render_as_string(hide_password=False)
    own = database.reading(database.create(url, pool_size=1, kind=database.ProcessKind.JOBS))
    try:
        async with own.connect() as connection:
            yield LeaderLock(connection)
    finally:
        await own.dispose()
