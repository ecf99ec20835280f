"""`dom channels`: how channels are connected, by who can reach the database."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from cli.refusals import refusals_in_words
from cli.staff_writing import audited
from dom.channels.connection import Connection, Feed, Platform

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

app = typer.Typer(no_args_is_help=True, help="How channels are connected: set up, health, pause, reading now, secrets.")

ToChannel = Annotated[str, typer.Argument(help="The channel's code.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the audit log.", envvar="USER")]
Setting = Annotated[
    list[str] | None, typer.Option("--setting", help="NAME=VALUE that the platform's connector needs; repeatable.")
]


@app.command("list")
def list_channels(as_json: AsJson = False) -> None:
    """Channels that are connected: health, when they were read last, what waits."""
    from cli.tables import numbers

    found = _standings(None, as_json=as_json)
    if as_json:
        print(json.dumps(found, default=_plain, indent=2))
        return
    columns = ("channel", "platform", "health", "orders read", "waiting", "quarantined", "untold")
    rows = (
        (
            each["channel"],
            each["connection"].platform,
            _health(each),
            next((_at(feed["finished_at"]) for feed in each["feeds"] if feed["feed"] == Feed.ORDERS), ""),
            each["waiting"],
            each["quarantined"],
            each["untold"],
        )
        for each in found
    )
    console().print(numbers(f"{len(found)} channels are connected", columns[:4], columns[4:], rows))


@app.command()
def show(channel: ToChannel, as_json: AsJson = False) -> None:
    """How a channel is connected, how far each feed is read, and what went wrong last."""
    from cli.tables import numbers

    (found,) = _standings(channel, as_json=as_json)
    if as_json:
        print(json.dumps(found, default=_plain, indent=2))
        return
    screen = console()
    how: Connection = found["connection"]
    screen.print(f"{channel}: {how.platform}, {_health(found)}", markup=False)
    if found["pause_reason"]:
        screen.print(f"paused because: {found['pause_reason']}", markup=False)
    counts = ("waiting", "quarantined", "untold")
    screen.print(", ".join(f"{found[name]} {name}" for name in counts), markup=False)
    for name, value in how.model_dump(exclude_defaults=True, exclude={"platform"}).items():
        screen.print(f"{name}: {value}", markup=False)
    for name, there in found["secrets"].items():
        screen.print(f"secret {name}: {'there' if there else 'missing'}", markup=False)
    stock = found["stock"]
    if how.stock:
        screen.print(f"stock: {stock['told']} of {stock['skus']} SKUs taken, the oldest at {_at(stock['oldest'])}")
    rows = (
        (each["feed"], _at(each["due_at"]), _at(each["finished_at"]), each["error"], each["read"], each["failures"])
        for each in found["feeds"]
    )
    screen.print(numbers("feeds", ("feed", "due", "read at", "error"), ("read", "failures"), rows))


@app.command()
def connect(
    channel: ToChannel,
    platform: Annotated[Platform, typer.Argument(help="What it runs on.")],
    *,
    setting: Setting = None,
    pull_seconds: Annotated[int | None, typer.Option("--pull-seconds", help="Ask for changes so often.")] = None,
    reconcile_hours: Annotated[int | None, typer.Option("--reconcile-hours", help="Compare all so often.")] = None,
    tells: Annotated[bool | None, typer.Option("--tells/--no-tells", help="Tell it what became of its orders.")] = None,
    stock: Annotated[bool | None, typer.Option("--stock/--no-stock", help="Tell it what it may sell.")] = None,
    stock_cap: Annotated[int | None, typer.Option("--stock-cap", help="The most units it is told of.")] = None,
    by: By = "operator",
) -> None:
    """Connect a channel, or change how it is connected, and publish its platform's mapping if it has none yet. What is
    not named stays as it is.
    """
    from dom.channels.mapping.reading import check
    from services import channel_connections, channel_mappings
    from store.connections import connections
    from store.inbox import mappings

    named = {
        "pull_seconds": pull_seconds,
        "reconcile_hours": reconcile_hours,
        "tells": tells,
        "stock": stock,
        "stock_cap": stock_cap,
    }
    said = {name: value for name, value in named.items() if value is not None}
    given = dict(map(_setting, setting or []))
    _checked(platform=platform, settings=given, **said)  # what is typed wrong is said before a database is asked

    async def work(connection: AsyncConnection) -> tuple[bool, bool]:
        kept = await connections.find(connection, channel)
        before: dict[str, Any] = {"platform": platform, "settings": {}}
        if kept is not None and kept.connection.platform is platform:
            before = kept.connection.model_dump()
        wanted = _checked(**{**before, **said, "settings": {**before["settings"], **given}})
        is_new = await channel_connections.connect(connection, channel, wanted, datetime.now(UTC))
        template = channel_connections.template(platform)
        if template is None or await mappings.live(connection, channel) is not None:
            return is_new, False
        comment = f"as delivered for {platform}"
        await channel_mappings.publish(connection, channel, check(template), by, comment)
        return is_new, True

    is_new, mapped = _write("connect", channel, by, work)
    print(f"{channel} is {'connected' if is_new else 'connected anew'} to {platform}")
    if mapped:
        print(f"the mapping for {platform} is published; `dom mapping publish {channel} FILE` puts yours in its place")


@app.command()
def disconnect(channel: ToChannel, by: By = "operator") -> None:
    """Connect a channel no more: its cursors are forgotten, its messages and orders stay."""
    from store.connections import connections

    _write("disconnect", channel, by, lambda connection: connections.delete(connection, channel))
    print(f"{channel} is not connected any more")


@app.command()
def pause(
    channel: ToChannel,
    reason: Annotated[str, typer.Option("--reason", help="For the record.")] = "",
    by: By = "operator",
) -> None:
    """Read nothing of a channel and tell it nothing until it is resumed; what it sends is kept and taken in."""
    from store.connections import connections

    _write("pause", channel, by, lambda connection: connections.pause(connection, channel, by, reason), reason)
    print(f"{channel} is paused")


@app.command()
def resume(channel: ToChannel, by: By = "operator") -> None:
    """Go on with a channel: what changed meanwhile is read, and what is untold is told."""
    from services import channel_connections

    _write("resume", channel, by, lambda connection: channel_connections.resume(connection, channel, datetime.now(UTC)))
    print(f"{channel} goes on")


@app.command()
def read(
    channel: ToChannel,
    feed: Annotated[Feed, typer.Argument(help="What to read now.")] = Feed.ORDERS,
    *,
    since: Annotated[datetime | None, typer.Option("--since", help="Of a back-fill: placed from then on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Of a back-fill: placed before then, UTC.")] = None,
    by: By = "operator",
) -> None:
    """Have a feed read now; a worker does it. `backfill` needs --since."""
    from services import channel_connections

    if (feed is Feed.BACKFILL) != (since is not None):
        raise typer.BadParameter("a back-fill, and nothing else, has --since")
    span = {
        name: at.replace(tzinfo=UTC).isoformat() for name, at in (("since", since), ("until", until)) if at is not None
    }
    now = datetime.now(UTC)
    _write("read", channel, by, lambda connection: channel_connections.ask_for(connection, channel, feed, now, span))
    print(f"{feed} of {channel} is read in a moment; `dom channels show {channel}` says how far")


@app.command()
def secret(
    channel: ToChannel,
    name: Annotated[str, typer.Argument(help="The secret's name, as `dom channels show` lists it.")],
    forget: Annotated[bool, typer.Option("--forget", help="Take it away.")] = False,
) -> None:
    """Keep a credential of a channel, read from the keyboard or a pipe: in a file that its owner alone reads."""
    from services import secret_stores

    with problems_as_one_line():
        settings, _ = environment()
        folder = settings.secrets_folder.absolute()
        try:
            if forget:
                print("it is gone" if secret_stores.forget(folder, channel, name) else "there was none")
                return
            given = typer.prompt("secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
            if not given.strip():
                raise typer.BadParameter("the secret is empty")
            print(f"kept in {secret_stores.keep(folder, channel, name, given.strip())}")
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error


def _checked(**given: Any) -> Connection:
    from pydantic import ValidationError

    try:
        return Connection(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _setting(text: str) -> tuple[str, Any]:
    """A name and its value: a number, a truth value or a table as JSON has them, else a text."""
    name, given, value = text.partition("=")
    if not given or not name:
        raise typer.BadParameter(f"{text} is not NAME=VALUE")
    try:
        parsed = json.loads(value)
    except ValueError:
        return name, value
    return name, parsed if isinstance(parsed, bool | int | dict | str) else value


def _standings(channel: str | None, *, as_json: bool) -> list[dict[str, Any]]:
    from cli.records import in_database
    from services import channel_standing
    from services.secret_stores import secret_store
    from store.connections import connections

    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        settings, folder = environment()
        secrets = secret_store(settings.secrets_folder.absolute())

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            kept = await connections.everyone(connection)
            if channel is not None:
                kept = [await connections.get(connection, channel)]
            return [await channel_standing.of(connection, secrets, each) for each in kept]

        return in_database(settings, folder, work)


def _write(
    command: str, channel: str, by: str, work: Callable[[AsyncConnection], Awaitable[Any]], reason: str = ""
) -> Any:
    from cli.records import in_database
    from store.access import audit

    entry = audited(f"dom channels {command}", channel, by, reason)

    async def both(connection: AsyncConnection) -> Any:
        done = await work(connection)
        await audit.write(connection, entry)
        return done

    with problems_as_one_line(), refusals_in_words():
        return in_database(*environment(), both)


def _health(standing: dict[str, Any]) -> str:
    if standing["paused_at"]:
        return f"paused by {standing['paused_by']}"
    if standing["healthy"]:
        return "healthy"
    failing = [feed["feed"] for feed in standing["feeds"] if feed["failures"]]
    return f"fails: {', '.join(failing)}" if failing else "a secret is missing"


def _at(moment: datetime | None) -> str:
    return f"{moment:%m-%d %H:%M:%S}" if moment else ""


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Connection) else str(value)
