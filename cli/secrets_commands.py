"""`dom secrets`: what carriers sign their messages with, made by whoever can reach the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console, environment, problems_as_one_line
from cli.keys_commands import DAY_HOURS, SHOWN, Expires, day, ending, refusals_as_one_line, utc

if TYPE_CHECKING:
    from services.signing_secrets import MadeSecret

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
    from cli.records import in_database
    from services import api_keys, signing_secrets

    with problems_as_one_line(), refusals_as_one_line():
        made = in_database(
            *environment(),
            lambda connection: signing_secrets.create(
                connection, api_keys.COMMAND_LINE, carrier, expires_at=utc(expires)
            ),
        )
    show_made(made)


@app.command("list")
def list_secrets() -> None:
    """The newest thousand secrets, with whose they are, when they end, and when they were used last."""
    from cli.records import in_database
    from cli.tables import numbers
    from store.access import signing_secrets as rows

    with problems_as_one_line():
        found = in_database(*environment(), lambda connection: rows.page(connection, None, None, SHOWN))
    columns = ("secret", "carrier", "ends", "last used")
    shown = ((each["id"], each["carrier"], ending(each), day(each["last_used_at"])) for each in found)
    console().print(numbers(f"{len(found)} secrets", columns, (), shown))


@app.command()
def rotate(
    secret_id: SecretId,
    overlap_hours: Annotated[
        float,
        typer.Option("--overlap-hours", min=0, max=720, help="How long the old secret counts beside the new."),
    ] = DAY_HOURS,
    expires: Expires = None,
) -> None:
    """Make a secret of the same carrier in place of another, and print it: this is the only time that it is shown."""
    from cli.records import in_database
    from services import api_keys, signing_secrets

    with problems_as_one_line(), refusals_as_one_line():
        made = in_database(
            *environment(),
            lambda connection: signing_secrets.rotate(
                connection,
                api_keys.COMMAND_LINE,
                secret_id,
                overlap_seconds=int(overlap_hours * 3600),
                expires_at=utc(expires),
            ),
        )
    show_made(made)


@app.command()
def revoke(secret_id: SecretId) -> None:
    """End a secret at once. A carrier whose last secret was revoked need not sign its messages any more."""
    from cli.records import in_database
    from services import api_keys, signing_secrets

    with problems_as_one_line(), refusals_as_one_line():
        in_database(
            *environment(), lambda connection: signing_secrets.revoke(connection, api_keys.COMMAND_LINE, secret_id)
        )
    typer.echo(f"{secret_id} is revoked")


def show_made(made: MadeSecret) -> None:
    """The secret alone on standard output, so that it can be put into a file; what it is, on standard error."""
    typer.echo(f"the secret {made.row['id']} of {made.row['carrier']}; it is shown this once", err=True)
    typer.echo(made.secret)
