"""Listening to what PostgreSQL is notified of, on a connection of its own."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NoReturn

import psycopg
import structlog
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from store.database import engine as database

AGAIN_SECONDS: Final = 1.0
"""Pause before a lost connection is made again."""

_log = structlog.get_logger("database")


async def listen(engine: AsyncEngine, heard: Mapping[str, Callable[[], None]]) -> NoReturn:
    """Call what a channel has when it is notified, until cancelled; all when listening begins, for what came before.

    A database that goes away is waited for. It may go away unnoticed, so who listens also looks now and then.
    """
    while True:
        try:
            async with await _connected(engine) as connection:
                for channel in heard:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                for call in heard.values():
                    call()
                async for notice in connection.notifies():
                    heard[notice.channel]()
        except (psycopg.Error, OSError) as error:
            _log.warning("cannot listen", channels=sorted(heard), because=f"{type(error).__name__} {error}")
        await asyncio.sleep(AGAIN_SECONDS)


async def _connected(engine: AsyncEngine) -> psycopg.AsyncConnection[Any]:
    """A connection of its own. One that comes about while we are cancelled is closed."""
    connecting = asyncio.ensure_future(database.connect_alone(engine))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        with suppress(psycopg.Error, OSError):
            await (await connecting).close()
        raise
