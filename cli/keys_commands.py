"""`dom keys`: API keys of channels, nodes, carriers, people and programs, made by whoever can reach the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli import credentials
from cli.calling import console
from cli.credentials import DAY_HOURS, SHOWN, Expires, OverlapHours, day, done, ending, show_once, utc
from dom.shared.access import Limits, Role, Scope

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from services.credentials import Issued

app = typer.Typer(no_args_is_help=True, help="API keys: who may call, and what they may do.")

KeyId = Annotated[str, typer.Argument(help="The key's id: what stands between `dom_` and the next underscore.")]


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
    from services.api_keys import KEYS, NewKey
    from services.credentials import COMMAND_LINE

    asked = NewKey(
        name,
        role,
        Limits.of(channel or None, node or None, carrier or None),
        frozenset(scope) if scope else None,
        utc(expires),
    )
    _show(done(lambda connection: KEYS.create(connection, COMMAND_LINE, asked)))


@app.command("list")
def list_keys() -> None:
    """The newest thousand keys, with what they may do, when they end, and when they were used last."""
    from cli.tables import numbers
    from services.api_keys import KEYS

    found = done(lambda connection: KEYS.rows.page(connection, None, SHOWN))
    columns = ("key", "role", "name", "limited to", "ends", "last used")
    console().print(numbers(f"{len(found)} keys", columns, (), (_row(each) for each in found)))


@app.command()
def rotate(key_id: KeyId, overlap_hours: OverlapHours = DAY_HOURS, expires: Expires = None) -> None:
    """Make a key that may do the same in place of another, and print it: this is the only time that it is shown."""
    from services.api_keys import KEYS

    _show(credentials.rotated(KEYS, key_id, overlap_hours, expires))


@app.command()
def revoke(key_id: KeyId) -> None:
    """End a key. Processes of the API know of it within five seconds."""
    from services.api_keys import KEYS

    credentials.revoke(KEYS, key_id)


def _show(made: Issued) -> None:
    show_once(made, f"a {made.row['role']}'s key of {made.row['subject']}")


def _row(key: RowMapping) -> tuple[object, ...]:
    limits = [f"{name}: {', '.join(key[name])}" for name in Limits.NAMES if key[name] is not None]
    if key["scopes"] is not None:
        limits.append(f"scopes: {', '.join(key['scopes'])}")
    return key["id"], key["role"], key["subject"], "; ".join(limits) or None, ending(key), day(key["last_used_at"])
