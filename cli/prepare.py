"""`dom prepare`: brings database and Temporal to where workers and APIs can start. Repeating it changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cli.problems import StartProblem
from settings import Settings

SETTLES_WITHIN_SECONDS = 30.0
"""A server's parts learn of a new namespace one after the other."""


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Migrations, namespace, search attributes, schedules, on servers that are given by address."""
    prepare_database(settings.database_url, say)
    prepare_engine(settings, say)
    asyncio.run(_put_schedules(settings))
    say("schedules: in place")


def prepare_database(database_url: str, say: Callable[[str], None]) -> None:
    """Runs the migrations that are missing; raises StartProblem where the database does not let us."""
    from sqlalchemy.exc import SQLAlchemyError

    from bootstrap import database
    from store.database import migrate
    from store.database.migrate import Schema

    database.require_writable(database_url)
    before = database.schema(database_url)
    if before is Schema.AHEAD:
        say("database: its schema is newer than this program; left as it is")
        return
    try:
        migrate.upgrade(database_url)
    except SQLAlchemyError as error:
        raise StartProblem(
            f"the migrations failed ({database.reason(error)})", "mend that, then run it again"
        ) from error
    say("database: " + ("up to date" if before is Schema.CURRENT else "migrated to the newest schema"))


def prepare_engine(settings: Settings, say: Callable[[str], None]) -> None:
    """Makes the namespace and registers the search attributes; raises StartProblem where the server refuses."""
    made = asyncio.run(_prepare_engine(settings))
    say(f"Temporal: made {'; '.join(made)}" if made else "Temporal: namespace and search attributes are there")


async def _prepare_engine(settings: Settings) -> list[str]:
    from bootstrap import namespace, temporal

    return await namespace.prepare(await temporal.connect(settings))


async def _put_schedules(settings: Settings) -> None:
    from temporalio.service import RPCError

    import worker
    from bootstrap import namespace, temporal

    client = await temporal.connect(settings)
    deadline = asyncio.get_running_loop().time() + SETTLES_WITHIN_SECONDS
    while True:
        try:
            await worker.put_pricing_schedule(client, settings)
        except RPCError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise temporal.refused(namespace.address_of(client), client.namespace, error) from error
            await asyncio.sleep(0.5)
        else:
            return
