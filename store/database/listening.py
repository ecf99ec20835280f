"""Listening to what PostgreSQL is notified of, on a connection of its own."""

import asyncio
from collections.abc import Callable
from typing import Final, NoReturn

import psycopg
import structlog
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from store.database import engine as database

AGAIN_SECONDS: Final = 1.0
"""Pause before a lost connection is made again."""

_log = structlog.get_logger("database")


async def listen(engine: AsyncEngine, channel: str, heard: Callable[[], None]) -> NoReturn:
    """Call `heard` when the channel is notified, until cancelled; and when listening begins, for what came before.

    A database that goes away is waited for. It may go away unnoticed, so who listens also looks now and then.
    """
    while True:
        try:
            async with await database.connect_alone(engine) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                heard()
                async for _ in connection.notifies():
                    heard()
        except (psycopg.Error, OSError) as error:
            _log.warning("cannot listen", channel=channel, because=f"{type(error).__name__} {error}")
        await asyncio.sleep(AGAIN_SECONDS)
