"""What somebody at the command line does to orders: in one transaction with its entry in the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.calling import environment, problems_as_one_line
from cli.credentials import refusals_as_one_line

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.change_orders import Writing

Result = TypeVar("Result")

By = Annotated[str, typer.Option("--by", help="Who does it; stands in the timeline.", envvar="USER")]
Why = Annotated[str, typer.Option("--reason", help="Why; stands in the timeline.")]


def written(
    command: str,
    about: str,
    by: str,
    work: Callable[[AsyncConnection, Writing], Awaitable[Result]],
    reason: str = "",
) -> Result:
    """What `work` answers, which writes in the transaction it is given. What is refused is shown as one line."""
    from uuid import uuid4

    from cli.records import in_database
    from dom.shared.access import Role, is_name
    from services.change_orders import Writing
    from store.access import audit

    if not is_name(by):
        raise typer.BadParameter("--by is no name of a caller")
    entry = audit.AuditEntry(
        request_id=str(uuid4()),
        principal=by,
        key_id=None,
        roles=[Role.OPERATOR],
        method="CLI",
        route=f"dom order {command}",
        object=about,
        status=200,
        reason=reason,
        source="",
    )
    with problems_as_one_line(), refusals_as_one_line():
        settings, folder = environment()
        writing = Writing(webhook=bool(settings.webhook_url), notify=True)

        async def both(connection: AsyncConnection) -> Result:
            done = await work(connection, writing)
            await audit.write(connection, entry)
            return done

        return in_database(settings, folder, both)
