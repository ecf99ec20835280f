"""`dom secrets`: what carriers sign their messages with, made by whoever can reach the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli import credentials
from cli.calling import console
from cli.credentials import DAY_HOURS, SHOWN, Expires, OverlapHours, day, done, ending, show_once, utc

if TYPE_CHECKING:
    from services.credentials import Issued

app = typer.Typer(no_args_is_help=True, help="Secrets that carriers sign their messages with.")

SecretId = Annotated[str, typer.Argument(help="The secret's id, as `dom secrets list` shows it.")]


@app.callback()
def about() -> None:
    """Secrets that carriers sign their messages with."""


@app.command()
def create(carrier: Annotated[str, typer.Argument(help="The carrier's code.")], expires: Expires = None) -> None:
    """Make a secret and print it: this is the only time that it is shown. From now on the carrier's messages must be
    signed.
    """
    from services.credentials import COMMAND_LINE
    from services.signing_secrets import SECRETS

    _show(done(lambda connection: SECRETS.create(connection, COMMAND_LINE, carrier, expires_at=utc(expires))))


@app.command("list")
def list_secrets() -> None:
    """The newest thousand secrets, with whose they are, when they end, and when they were used last."""
    from cli.tables import numbers
    from services.signing_secrets import SECRETS

    found = done(lambda connection: SECRETS.rows.page(connection, None, SHOWN))
    columns = ("secret", "carrier", "ends", "last used")
    shown = ((each["id"], each["carrier"], ending(each), day(each["last_used_at"])) for each in found)
    console().print(numbers(f"{len(found)} secrets", columns, (), shown))


@app.command()
def rotate(secret_id: SecretId, overlap_hours: OverlapHours = DAY_HOURS, expires: Expires = None) -> None:
    """Make a secret of the same carrier in place of another, and print it: this is the only time that it is shown."""
    from services.signing_secrets import SECRETS

    _show(credentials.rotated(SECRETS, secret_id, overlap_hours, expires))


@app.command()
def revoke(secret_id: SecretId) -> None:
    """End a secret at once. A carrier whose last secret was revoked need not sign its messages any more."""
    from services.signing_secrets import SECRETS

    credentials.revoke(SECRETS, secret_id)


def _show(made: Issued) -> None:
    show_once(made, f"the secret {made.row['id']} of {made.row['carrier']}")
