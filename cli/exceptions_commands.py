"""`dom exceptions`: what a person must look at, and what may be done about it, by whoever can reach the servers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from cli.credentials import day
from cli.refusals import refusals_in_words
from cli.staff_writing import audited
from dom.exceptions import ExceptionAction, ExceptionKind, ExceptionSeverity, OwnerRole
from store.enums import ExceptionStatus

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.exceptions.desk import DeskCommand
    from services.exceptions_desk import Asked
    from store.desk.queue import ExceptionFilter

app = typer.Typer(no_args_is_help=True, help="Exceptions: what a person must look at.")

Number = Annotated[int, typer.Argument(help="The exception's number.", min=1)]
Seen = Annotated[int, typer.Option("--seen", min=1, help="The version that was seen, as `show` says it.")]
By = Annotated[str, typer.Option("--by", help="Who does it; stands in the timeline.", envvar="USER")]
Status = Annotated[ExceptionStatus | None, typer.Option("--status", help="Only these (open).")]
Kind = Annotated[ExceptionKind | None, typer.Option("--kind", help="Only of this kind.")]
Severity = Annotated[ExceptionSeverity | None, typer.Option("--severity", help="Only those as bad as this.")]
Role = Annotated[OwnerRole | None, typer.Option("--owner-role", help="Only those in this role's queue.")]
Owner = Annotated[str | None, typer.Option("--owner", help="Only those that this person looks after.")]
Unassigned = Annotated[bool, typer.Option("--unassigned", help="Only those that nobody looks after.")]
Overdue = Annotated[bool, typer.Option("--overdue", help="Only those past their due time and not put off.")]
Snoozed = Annotated[bool | None, typer.Option("--snoozed/--not-snoozed", help="Only those put off, or not put off.")]
ChannelName = Annotated[str | None, typer.Option("--channel", help="Only of this channel's orders.")]
Node = Annotated[str | None, typer.Option("--node", help="Only of orders with work of this node, or about it.")]
Order = Annotated[str | None, typer.Option("--order", help="Only this order's.")]
Hours = Annotated[float | None, typer.Option("--older-than-hours", min=0, help="Only those opened so long ago.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


@app.command("list")
def list_exceptions(
    *,
    status: Status = ExceptionStatus.OPEN,
    kind: Kind = None,
    severity: Severity = None,
    owner_role: Role = None,
    owner: Owner = None,
    unassigned: Unassigned = False,
    overdue: Overdue = False,
    snoozed: Snoozed = None,
    channel: ChannelName = None,
    node: Node = None,
    order: Order = None,
    older_than_hours: Hours = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Exceptions, the newest first."""
    from cli.tables import numbers
    from store.desk import queue

    wanted = _filter(locals())
    rows = _read(lambda connection: queue.page(connection, wanted, before=None, limit=limit), as_json=as_json)
    if as_json:
        print(json.dumps([dict(row) for row in rows], default=str, indent=2))
        return
    columns = ("number", "kind", "severity", "for", "owner", "due", "order", "detail")
    listed = (
        (
            row["id"], row["kind"], row["severity"], row["owner_role"], row["owner"],
            f"{day(row['due_at'])}{' overdue' if row['overdue'] else ''}", row["order_id"], row["detail"],
        )
        for row in rows
    )  # fmt: skip
    console().print(numbers(f"{len(rows)} exceptions", columns, (), listed))


@app.command()
def counts(
    *,
    status: Status = ExceptionStatus.OPEN,
    kind: Kind = None,
    severity: Severity = None,
    owner_role: Role = None,
    owner: Owner = None,
    unassigned: Unassigned = False,
    overdue: Overdue = False,
    snoozed: Snoozed = None,
    channel: ChannelName = None,
    node: Node = None,
    order: Order = None,
    older_than_hours: Hours = None,
    as_json: AsJson = False,
) -> None:
    """How many exceptions there are, by what divides the queue."""
    from dataclasses import asdict

    from cli.tables import numbers
    from store.desk import queue

    wanted = _filter(locals())
    found = asdict(_read(lambda connection: queue.count(connection, wanted), as_json=as_json))
    total = found.pop("total")
    if as_json:
        shown = {name: {str(value): n for value, n in each.items()} for name, each in found.items()}
        print(json.dumps({"total": total, **shown}, indent=2))
        return
    rows = [(name.replace("_", " "), value, units) for name, each in found.items() for value, units in each.items()]
    console().print(numbers("exceptions", ("by", "value"), ("count",), rows, [("all", "", total)]))


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """An exception with everything about it, its version, and what was written about it."""
    found = _read(lambda connection: _detail(connection, number), as_json=as_json)
    if as_json:
        print(json.dumps(found, default=str, indent=2))
        return
    screen = console()
    for name, value in found.items():
        if name != "comments" and value not in (None, [], {}):
            screen.print(f"{name.replace('_', ' ')}: {value}", markup=False)
    for each in found["comments"]:
        screen.print(f"{day(each['written_at'])} {each['author']}: {each['text']}", markup=False)


@app.command()
def assign(
    number: Number,
    *,
    seen: Seen,
    to: Annotated[str | None, typer.Option("--to", help="A person, by name.")] = None,
    role: Annotated[OwnerRole | None, typer.Option("--role", help="A role's queue.")] = None,
    back: Annotated[bool, typer.Option("--back", help="Back to the queue: nobody looks after it.")] = False,
    by: By = "operator",
) -> None:
    """Give an exception to a person or a role, or back to its queue."""
    from dom.exceptions.desk import Assign, HandOn

    if [to is not None, role is not None, back].count(True) != 1:
        raise typer.BadParameter("say --to, --role or --back")
    _change("assign", number, seen, by, HandOn(role) if role is not None else Assign(to))


@app.command()
def snooze(
    number: Number,
    *,
    seen: Seen,
    hours: Annotated[float | None, typer.Option("--hours", min=0.1, help="For how long.")] = None,
    end: Annotated[bool, typer.Option("--end", help="It is not put off any more.")] = False,
    by: By = "operator",
) -> None:
    """Put an exception off; it comes back by itself."""
    from dom.exceptions.desk import Snooze
    from services.clock import utc_now

    if (hours is None) != end:
        raise typer.BadParameter("say --hours or --end")
    until = None if hours is None else utc_now().replace(microsecond=0) + timedelta(hours=hours)
    _change("snooze", number, seen, by, Snooze(until))


@app.command()
def comment(
    number: Number, text: Annotated[str, typer.Argument(help="What is to be written.")], *, seen: Seen,
    by: By = "operator",
) -> None:  # fmt: skip
    """Write a comment on an exception."""
    from services import exceptions_desk

    _write(
        "comment", number, seen, by, lambda connection, asked: exceptions_desk.comment(connection, asked, text), text
    )


@app.command()
def resolve(
    number: Number, text: Annotated[str, typer.Argument(help="What was done about it.")], *, seen: Seen,
    by: By = "operator",
) -> None:  # fmt: skip
    """Resolve an exception."""
    from dom.exceptions.desk import Resolve

    _change("resolve", number, seen, by, Resolve(text, by), text)


@app.command()
def reopen(number: Number, *, seen: Seen, by: By = "operator") -> None:
    """Open an exception again."""
    from dom.exceptions.desk import Reopen

    _change("reopen", number, seen, by, Reopen())


@app.command()
def do(
    number: Number, action: Annotated[ExceptionAction, typer.Argument(help="One of its actions.")], *, seen: Seen,
    by: By = "operator",
) -> None:  # fmt: skip
    """Do something about an exception in one call, on the database and the Temporal server."""
    from cli.orders_commands import on_servers
    from dom.shared.access import Role as CallerRole
    from dom.shared.access import principal
    from services.clock import utc_now
    from services.exceptions_desk import Asked

    who = principal(by, [CallerRole.OPERATOR])
    with problems_as_one_line(), refusals_in_words():
        settings, folder = environment()
        asked, webhooks = Asked(number, seen, by, utc_now()), bool(settings.webhook_url)
        on_servers(settings, folder, lambda servers: servers.act(asked, action, who, webhooks=webhooks))
        _write("do", number, seen, by, _nothing, action)


async def _nothing(connection: AsyncConnection, asked: Asked) -> None:
    """What is left to do is the entry in the audit log."""


def _change(command: str, number: int, seen: int, by: str, change: DeskCommand, reason: str = "") -> None:
    from services import exceptions_desk

    _write(
        command, number, seen, by, lambda connection, asked: exceptions_desk.change(connection, asked, change), reason
    )


def _write(
    command: str,
    number: int,
    seen: int,
    by: str,
    write: Callable[[AsyncConnection, Asked], Awaitable[object]],
    reason: str = "",
) -> None:
    """Do it and write it into the audit log, in one transaction; then say how the exception stands."""
    from cli.records import in_database
    from services.clock import utc_now
    from services.exceptions_desk import Asked
    from store.access import audit

    entry = audited(f"dom exceptions {command}", f"{number}", by, reason)

    async def written(connection: AsyncConnection) -> Mapping[str, Any]:
        await write(connection, Asked(number, seen, by, utc_now()))
        await audit.write(connection, entry)
        return await _detail(connection, number)

    with problems_as_one_line(), refusals_in_words():
        found = in_database(*environment(), written)
    with_whom = found["owner"] or found["owner_role"]
    typer.echo(f"exception {number} is {found['status']}, at version {found['version']}, with {with_whom}")


def _read(work: Callable[[AsyncConnection], Awaitable[Any]], *, as_json: bool) -> Any:
    from cli.records import in_database

    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        return in_database(*environment(), work)


async def _detail(connection: AsyncConnection, number: int) -> dict[str, Any]:
    from dom.exceptions import info_of
    from dom.exceptions.actions import possible
    from services.clock import utc_now
    from services.exceptions_desk import no_such
    from store.desk import queue
    from store.desk.queue import ExceptionFilter

    row = await queue.one(connection, number, ExceptionFilter(utc_now()))
    if row is None:
        raise no_such(number)
    info = info_of(row["kind"])
    return {
        **row,
        "meaning": info.meaning,
        "next_steps": info.next_steps,
        "actions": [str(each) for each in possible(info.actions, row["data"])],
        "comments": [dict(each) for each in await queue.comments(connection, number)],
    }


def _filter(given: Mapping[str, Any]) -> ExceptionFilter:
    """The options of `list` and `counts` as the queue takes them."""
    from services.clock import utc_now
    from store.desk.queue import ExceptionFilter

    hours = given["older_than_hours"]
    return ExceptionFilter(
        now=utc_now(),
        order_id=given["order"],
        kind=given["kind"],
        severity=given["severity"],
        owner_role=given["owner_role"],
        owner=given["owner"],
        unassigned=given["unassigned"] or None,
        overdue=given["overdue"] or None,
        snoozed=given["snoozed"],
        status=given["status"],
        channel=given["channel"],
        node_id=given["node"],
        older_than=None if hours is None else timedelta(hours=hours),
    )
