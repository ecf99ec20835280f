"""What `dom keys` and `dom secrets` share: credentials are shown once, listed, replaced and ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.calling import environment, problems_as_one_line
from cli.refusals import refusals_in_words

if TYPE_CHECKING:
    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.credentials import Issued, Issuer

Result = TypeVar("Result")

DAY_HOURS = 24.0
SHOWN = 1000

OverlapHours = Annotated[
    float, typer.Option("--overlap-hours", min=0, max=720, help="How long the old one counts beside the new one.")
]
Expires = Annotated[datetime | None, typer.Option("--expires", help="UTC; never, if absent.")]


def utc(at: datetime | None) -> datetime | None:
    """What was typed, as the UTC that it means."""
    from datetime import UTC

    return None if at is None else at.replace(tzinfo=UTC)


def done(work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """What `work` answers, in one transaction. What stands in its way, or is refused, is shown, and ends the command
    with exit code 1.
    """
    from cli.records import in_database

    with problems_as_one_line(), refusals_in_words():
        return in_database(*environment(), work)


def rotated(issuer: Issuer, credential_id: str, overlap_hours: float, expires: datetime | None) -> Issued:
    """The credential that was made in place of another."""
    from services.credentials import COMMAND_LINE

    seconds = int(overlap_hours * 3600)
    return done(
        lambda connection: issuer.rotate(
            connection, COMMAND_LINE, credential_id, overlap_seconds=seconds, expires_at=utc(expires)
        )
    )


def revoke(issuer: Issuer, credential_id: str) -> None:
    """End a credential, and say so."""
    from services.credentials import COMMAND_LINE

    done(lambda connection: issuer.revoke(connection, COMMAND_LINE, credential_id))
    typer.echo(f"{credential_id} is revoked")


def show_once(made: Issued, what: str) -> None:
    """The secret alone on standard output, so that it can be put into a file; what it is, on standard error."""
    typer.echo(f"{what}; it is shown this once", err=True)
    typer.echo(made.plaintext)


def ending(row: RowMapping) -> str | None:
    """When a credential ends, or was ended."""
    return f"revoked {day(row['revoked_at'])}" if row["revoked_at"] else day(row["expires_at"])


def day(at: datetime | None) -> str | None:
    """A moment, to the minute."""
    return None if at is None else f"{at:%Y-%m-%d %H:%M}Z"
