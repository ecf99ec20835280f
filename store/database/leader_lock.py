"""The keeper's seat: one a database, held by whoever has a lock that lives as long as its connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.database import engine as database
from store.database.uninterrupted import unbroken

_LOCK: Final = 0x6B656570
"""The advisory lock's number: "keep"."""
_TAKE = text("SELECT pg_try_advisory_lock(:lock)")
_LOOK = text("SELECT 1")


class Seat:
    """The seat as one connection sees it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self) -> bool:
        """Sit down if the seat is free; False if somebody has it. Take it once: it counts how often it was taken."""
        return bool(await unbroken(self._connection.scalar(_TAKE, {"lock": _LOCK})))

    async def look(self) -> None:
        """Raises what the database raises if the connection, and with it the seat, is gone."""
        await unbroken(self._connection.execute(_LOOK))


@asynccontextmanager
async def own_connection(engine: AsyncEngine) -> AsyncIterator[Seat]:
    """A connection for the seat alone, outside the pool of `engine`. When it is closed the seat is free."""
    url = engine.url.render_as_string(hide_password=False)
    own = database.reading(database.create(url, pool_size=1, kind=database.Kind.KEEPER))
    try:
        async with own.connect() as connection:
            yield Seat(connection)
    finally:
        await own.dispose()
