"""`dom keys`: API keys of channels, nodes, carriers, people and programs, made by whoever can reach the database."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from dom.shared.access import Limits, Role, Scope

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from services.api_keys import MadeKey

app = typer.Typer(no_args_is_help=True, help="API keys: who may call, and what they may do.")

DAY_HOURS = 24.0
SHOWN = 1000

KeyId = Annotated[str, typer.Argument(help="The key's id: what stands between `dom_` and the next underscore.")]
Expires = Annotated[datetime | None, typer.Option("--expires", help="UTC; never, if absent.")]


def utc(at: datetime | None) -> datetime | None:
    """What was typed, as the UTC that it means."""
    from datetime import UTC

    return None if at is None else at.replace(tzinfo=UTC)


@app.callback()
def about() -> None:
    """API keys: who may call, and what they may do."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is; written down with what is done with it.")],
    role: Annotated[Role, typer.Option("--role", help="What it may do.")],
    *,
    channel: Annotated[list[str] | None, typer.Option("--channel", help="Only this channel's; repeatable.")] = None,
    node: Annotated[list[str] | None, typer.Option("--node", help="Only this node's; repeatable.")] = None,
    carrier: Annotated[list[str] | None, typer.Option("--carrier", help="Only this carrier's; repeatable.")] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="Only this of what the role may do; repeatable.")
    ] = None,
    expires: Expires = None,
) -> None:
    """Make a key and print it: this is the only time that it is shown."""
    from cli.records import in_database
    from services import api_keys

    asked = api_keys.NewKey(
        name,
        role,
        Limits.of(channel or None, node or None, carrier or None),
        frozenset(scope) if scope else None,
        utc(expires),
    )
    with problems_as_one_line(), refusals_as_one_line():
        made = in_database(*environment(), lambda connection: api_keys.create(connection, api_keys.COMMAND_LINE, asked))
    show_made(made)


@app.command("list")
def list_keys() -> None:
    """The newest thousand keys, with what they may do, when they end, and when they were used last."""
    from cli.records import in_database
    from cli.tables import numbers
    from store.access import api_keys as rows

    with problems_as_one_line():
        found = in_database(*environment(), lambda connection: rows.page(connection, None, SHOWN))
    columns = ("key", "role", "name", "limited to", "ends", "last used")
    console().print(numbers(f"{len(found)} keys", columns, (), (_row(each) for each in found)))


@app.command()
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option("--overlap-hours", min=0, max=720, help="How long the old key works beside the new one.")
    ] = DAY_HOURS,
    expires: Expires = None,
) -> None:
    """Make a key that may do the same in place of another, and print it: this is the only time that it is shown."""
    from cli.records import in_database
    from services import api_keys

    with problems_as_one_line(), refusals_as_one_line():
        made = in_database(
            *environment(),
            lambda connection: api_keys.rotate(
                connection,
                api_keys.COMMAND_LINE,
                key_id,
                overlap_seconds=int(overlap_hours * 3600),
                expires_at=utc(expires),
            ),
        )
    show_made(made)


@app.command()
def revoke(key_id: KeyId) -> None:
    """End a key. Processes of the API know of it within five seconds."""
    from cli.records import in_database
    from services import api_keys

    with problems_as_one_line(), refusals_as_one_line():
        in_database(*environment(), lambda connection: api_keys.revoke(connection, api_keys.COMMAND_LINE, key_id))
    typer.echo(f"{key_id} is revoked")


def show_made(made: MadeKey) -> None:
    """The key alone on standard output, so that it can be put into a file; what it is, on standard error."""
    typer.echo(f"a {made.row['role']}'s key of {made.row['subject']}; it is shown this once", err=True)
    typer.echo(made.key)


def refusals_as_one_line() -> Any:
    """Shows what is refused as one line, and ends with exit code 1."""
    from contextlib import contextmanager

    from dom.shared.errors import DomError

    @contextmanager
    def shown() -> Any:
        try:
            yield
        except DomError as error:
            typer.echo(f"dom: {f'{error.field}: ' if error.field else ''}{error.detail}", err=True)
            raise typer.Exit(1) from error

    return shown()


def _row(key: RowMapping) -> tuple[object, ...]:
    limits = [f"{name}: {', '.join(key[name])}" for name in Limits.NAMES if key[name] is not None]
    if key["scopes"] is not None:
        limits.append(f"scopes: {', '.join(key['scopes'])}")
    return key["id"], key["role"], key["subject"], "; ".join(limits) or None, ending(key), day(key["last_used_at"])


def ending(row: RowMapping) -> str | None:
    """When a key or secret ends, or was ended."""
    return f"revoked {day(row['revoked_at'])}" if row["revoked_at"] else day(row["expires_at"])


def day(at: datetime | None) -> str | None:
    """A moment, to the minute."""
    return None if at is None else f"{at:%Y-%m-%d %H:%M}Z"
