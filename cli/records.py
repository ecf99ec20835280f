"""Work on the database that is configured, that runs, or that is started for the duration."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bootstrap.database import require_schema
from cli.embedded import postgres
from cli.folder import DataFolder
from cli.problems import StartProblem
from cli.schema import database
from settings import Settings
from store.database import engine

Result = TypeVar("Result")


def in_database(settings: Settings, folder: DataFolder, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """What `work` answers, in one transaction; raises StartProblem where there is no database to work on yet."""

    async def in_transaction(pool: AsyncEngine) -> Result:
        async with pool.begin() as connection:
            return await work(connection)

    return on_database(settings, folder, in_transaction)


def on_database(settings: Settings, folder: DataFolder, work: Callable[[AsyncEngine], Awaitable[Result]]) -> Result:
    """What `work` answers, which opens its transactions itself; raises StartProblem like `in_database`."""
    if not settings.database_url and not postgres.files(folder).data.exists():
        raise StartProblem(f"{folder.root} holds no database yet", "start `dom up`, or set DOM_DATA_DIR to its folder")
    with database(settings, folder) as url:
        require_schema(url)
        return asyncio.run(_on_pool(url, work))


async def _on_pool(url: str, work: Callable[[AsyncEngine], Awaitable[Result]]) -> Result:
    pool = engine.create(url, 1)
    try:
        return await work(pool)
    except DBAPIError as error:
        if not engine.is_unavailable(error):
            raise
        raise StartProblem("the database went away", "try again when it is back; `dom doctor` looks") from error
    finally:
        await pool.dispose()
