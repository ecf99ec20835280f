"""`dom inbox`: what channels sent and what became of it, by who can reach the database."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from cli.refusals import refusals_in_words
from cli.staff_writing import audited
from dom.channels.outcomes import MessageOutcome

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

app = typer.Typer(no_args_is_help=True, help="What channels sent: as it came, what became of it, repair and replay.")

Number = Annotated[int, typer.Argument(min=1, help="The message's number, as `dom inbox list` gives it.")]
OfChannel = Annotated[str | None, typer.Option("--channel", help="Only this channel's.")]
Outcomes = Annotated[
    list[MessageOutcome] | None,
    typer.Option("--outcome", help="Any of these; repeatable. `quarantined` waits for you.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
Repairs = Annotated[
    list[str] | None,
    typer.Option("--repair", help="FIELD=VALUE in place of what it says, such as lines[0].sku=85123A; repeatable."),
]
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the audit log.", envvar="USER")]


@app.command("list")
def list_messages(
    *,
    channel: OfChannel = None,
    outcome: Outcomes = None,
    order: Annotated[str | None, typer.Option("--order", help="Only those about this number of the channel.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Messages, the newest first."""
    from cli.tables import numbers
    from store.inbox import messages

    channels = None if channel is None else [channel]
    found = _read(
        lambda connection: messages.find(
            connection, channels=channels, outcomes=outcome or (), number=order, before=None, limit=limit
        ),
        as_json=as_json,
    )
    if as_json:
        print(json.dumps([dict(row) for row in found], default=str, indent=2))
        return
    columns = ("message", "channel", "order", "received", "outcome", "why")
    listed = (
        (
            row["id"],
            row["channel"],
            row["order_number"],
            f"{row['received_at']:%m-%d %H:%M}",
            row["outcome"],
            row["detail"],
        )
        for row in found
    )
    console().print(numbers(f"{len(found)} messages", columns, (), listed))


@app.command()
def show(message: Number, as_json: AsJson = False) -> None:
    """A message as it came, what is wrong with it, and what became of it."""
    from store.inbox import messages

    row = dict(_read(lambda connection: messages.get(connection, message, None), as_json=as_json))
    for raw in ("body", "fetched"):
        row[raw] = None if row[raw] is None else bytes(row[raw]).decode(errors="backslashreplace")
    if as_json:
        print(json.dumps(row, default=str, indent=2))
        return
    screen = console()
    for name, value in row.items():
        if value not in (None, "", [], {}) and name not in {"body", "fetched", "faults"}:
            screen.print(f"{name.replace('_', ' ')}: {value}", markup=False)
    for fault in row["faults"]:
        stood = f" ({fault['value']})" if fault["value"] else ""
        screen.print(f"fault: {fault['field'] or 'the message'}: {fault['message']}{stood}", markup=False)
    screen.print(row["body"], markup=False)
    if row["fetched"] is not None:
        screen.print(f"read in its place, as the platform had it:\n{row['fetched']}", markup=False)


@app.command()
def replay(message: Number, repair: Repairs = None, by: By = "operator") -> None:
    """Take a message in once more, with values in place of fields."""
    from cli.records import on_database
    from services import channel_inbox
    from services.database import Database
    from store.access import audit

    repairs = dict(map(_repair, repair or []))
    entry = audited("dom inbox replay", str(message), by)

    async def both(engine: AsyncEngine) -> channel_inbox.Replayed:
        replayed = await channel_inbox.replay(Database(engine), message, repairs)
        async with engine.begin() as connection:
            await audit.write(connection, entry)
        return replayed

    with problems_as_one_line(), refusals_in_words():
        replayed = on_database(*environment(), both)
    waits = replayed.outcome is MessageOutcome.RECEIVED
    print(f"message {message} " + ("waits for its turn" if waits else f"is {replayed.outcome}"))


@app.command()
def balance(
    *,
    channel: OfChannel = None,
    days: Annotated[int, typer.Option("--days", min=1, help="So many days, today among them (UTC).")] = 7,
    as_json: AsJson = False,
) -> None:
    """What became of all that came, by channel and day: each message is in one column."""
    from cli.tables import numbers
    from store.inbox import messages

    since = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    channels = None if channel is None else [channel]
    rows = _read(lambda connection: messages.balance(connection, since, channels), as_json=as_json)
    if as_json:
        print(json.dumps([dict(row) for row in rows], default=str, indent=2))
        return
    columns = ("day", "channel", "outcome", "messages", "repeats")
    listed = ((row["day"], row["channel"], row["outcome"], row["messages"], row["repeats"]) for row in rows)
    total = sum(row["messages"] + int(row["repeats"]) for row in rows)
    console().print(numbers(f"{total} came", columns[:3], columns[3:], listed))


def _repair(text: str) -> tuple[str, Any]:
    """A field and its value: a number or truth value as JSON has them, else a text."""
    field, given, value = text.partition("=")
    if not given or not field:
        raise typer.BadParameter(f"{text} is not FIELD=VALUE")
    try:
        read = json.loads(value)
    except ValueError:
        return field, value
    return field, read if isinstance(read, bool | int | list) else value


def _read(work: Callable[[AsyncConnection], Awaitable[Any]], *, as_json: bool) -> Any:
    from cli.records import in_database

    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        return in_database(*environment(), work)
