"""What somebody at the command line does, with its entry in the audit log; to an order in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.calling import environment, problems_as_one_line
from cli.refusals import refusals_in_words

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from services.change_orders import Writing
    from services.database import Database
    from store.access.audit import AuditEntry

Result = TypeVar("Result")

By = Annotated[str, typer.Option("--by", help="Who does it; stands in the timeline.", envvar="USER")]
Why = Annotated[str, typer.Option("--reason", help="Why; stands in the timeline.")]


def audited(command: str, about: str, by: str, reason: str = "") -> AuditEntry:
    """The entry in the audit log of what somebody does at the command line. Refuses a name that no caller can have."""
    from uuid import uuid4

    from dom.shared.access import Role, is_name
    from store.access import audit

    if not is_name(by):
        raise typer.BadParameter("--by is no name of a caller")
    return audit.AuditEntry(
        request_id=str(uuid4()),
        principal=by,
        key_id=None,
        roles=[Role.OPERATOR],
        method="CLI",
        route=command,
        object=about,
        status=200,
        reason=reason,
        source="",
    )


def written(
    command: str,
    about: str,
    by: str,
    work: Callable[[AsyncConnection, Writing], Awaitable[Result]],
    reason: str = "",
) -> Result:
    """What `work` answers, which writes in the transaction it is given. What is refused is shown as one line."""
    from services.change_orders import Writing

    async def told(database: Database, connection: AsyncConnection) -> Result:
        return await work(connection, Writing(webhook=database.webhooks, notify=True))

    return sourced(command, about, by, told, reason)


def sourced(
    command: str,
    about: str,
    by: str,
    work: Callable[[Database, AsyncConnection], Awaitable[Result]],
    reason: str = "",
    *,
    keep: bool = True,
) -> Result:
    """As `written`, of work that plans: it is done again while others take the stock it planned with. Without `keep`
    nothing of it is kept, and nothing stands in the audit log.
    """
    from cli.records import on_database
    from services import sourcing
    from services.database import Database
    from store.access import audit
    from store.stock import OutOfReach

    entry = audited(f"dom order {command}", about, by, reason)
    with problems_as_one_line(), refusals_in_words():
        settings, folder = environment()

        async def both(engine: AsyncEngine) -> Result:
            database = Database(engine, replaying=settings.replay_orders, webhooks=bool(settings.webhook_url))

            async def transaction() -> Result:
                async with database.transaction() as connection:
                    done = await work(database, connection)
                    await (audit.write(connection, entry) if keep else connection.rollback())
                    return done

            try:
                return await sourcing.in_reach(transaction)
            except OutOfReach as taken:
                raise sourcing.taken_meanwhile(about) from taken

        return on_database(settings, folder, both)
