"""Channels' connections: set up, paused and resumed, and the connectors made of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

import httpx
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.channels.port import Ability, ChannelConnector
from connectors.channels.registry import CONNECTORS, serving
from connectors.notifications.port import TemporaryFailureError
from connectors.secrets.port import SecretStore, SecretUnsafeError, all_of
from dom.channels.connection import Connection, Feed, Platform
from dom.shared.errors import Conflict, InvalidInput
from services.database import Database
from store import channels
from store.connections import connections, feeds
from store.connections.connections import KeptConnection
from store.inbox import channel_orders

FEEDS_OF: Final[Mapping[Ability, tuple[Feed, ...]]] = {
    Ability.LIST: (Feed.ORDERS, Feed.RECONCILE, Feed.BACKFILL),
    Ability.STOCK: (Feed.STOCK,),
}
"""What can be read of a platform that can do this."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A channel that is connected, and its connector."""

    channel: str
    connection: Connection
    connector: ChannelConnector
    paused: bool


class Connections:
    """Connectors of channels, as their connections and secrets are now; one is made anew when either changes.

    `options` are handed to every connector: tests give a transport that reaches a stub without a network.
    """

    def __init__(self, database: Database, secrets: SecretStore, **options: Any) -> None:
        self._database = database
        self._secrets = secrets
        self._options = options
        self._made: dict[str, tuple[Connection, Mapping[str, str], ChannelConnector]] = {}

    async def of(self, channel: str) -> Connected | None:
        """The channel's connector; None if it is not connected.

        Raises TemporaryFailureError where its settings or secrets do not do: once they are mended, it goes on.
        """
        async with self._database.statement() as connection:
            kept = await connections.find(connection, channel)
        if kept is None:
            return None
        return Connected(channel, kept.connection, await self._connector(kept), kept.paused_at is not None)

    async def _connector(self, kept: KeptConnection) -> ChannelConnector:
        kind = serving(kept.connection.platform)
        names = _secret_names(kind)
        try:
            secrets = all_of(self._secrets, kept.channel, names)
        except (SecretUnsafeError, UnicodeError, OSError) as error:
            said = f"a secret of channel {kept.channel} cannot be read: {error}"
            raise TemporaryFailureError(said) from error
        if missing := [name for name in kind.needs if name not in secrets]:
            raise TemporaryFailureError(f"channel {kept.channel} has no secret {', '.join(missing)}")
        known = self._made.get(kept.channel)
        if known is not None and known[:2] == (kept.connection, secrets):
            return known[2]
        try:
            made = kind(kept.connection, secrets, **self._options)
        except (ValueError, httpx.InvalidURL) as error:
            said = f"the settings or secrets of channel {kept.channel} do not do: {type(error).__name__}"
            raise TemporaryFailureError(said) from error
        self._made[kept.channel] = kept.connection, secrets, made
        if known is not None:
            await known[2].close()
        return made

    async def close(self) -> None:
        """Let go of all connections."""
        while self._made:
            await self._made.popitem()[1][2].close()


_BEFORE: Final = timedelta(hours=1)
"""Changes so long before it was connected are read as well: a platform's clock may be behind ours."""


@contextmanager
def understood(channel: str) -> Iterator[None]:
    """Whatever a platform answers that no connector can read is a failure of that platform, and is tried again later:
    raises TemporaryFailureError for it.
    """
    try:
        yield
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        said = f"the platform of channel {channel} answers what cannot be read: {type(error).__name__} {error}"
        raise TemporaryFailureError(said) from error


async def connect(connection: AsyncConnection, channel: str, wanted: Connection, now: datetime) -> bool:
    """Connect a channel, or connect it otherwise; True if it is new. Its feeds begin with what changes from now on.

    Raises NotFound for a channel that nobody registered, InvalidInput for what its platform cannot do, Conflict for
    another platform where orders of the one before are known: their numbers mean other orders there.
    """
    await channels.get(connection, channel)
    kind = serving(wanted.platform)
    _check(kind, wanted)
    before = await connections.find(connection, channel)
    if before is not None and _place(before.connection) != _place(wanted):
        if before.connection.platform is not wanted.platform and await channel_orders.any_captured(connection, channel):
            said = f"orders of {before.connection.platform} were captured of this channel; register another one"
            raise Conflict(said, data={"platform": before.connection.platform})
        for feed in Feed:  # places in another shop's pages
            await feeds.unschedule(connection, channel, feed)
    is_new = await connections.put(connection, channel, wanted)
    since = {"since": (now - _BEFORE).isoformat()}
    plan = {
        Feed.ORDERS: (since, now if wanted.pull_seconds else None),
        Feed.RECONCILE: ({}, now + timedelta(hours=wanted.reconcile_hours) if wanted.reconcile_hours else None),
        Feed.STOCK: ({}, now if wanted.stock else None),
    }
    for feed, (first, due_at) in plan.items():
        if due_at is not None:
            await feeds.schedule(connection, channel, feed, first, due_at)
        else:
            await feeds.unschedule(connection, channel, feed)
    return is_new


def _place(connection: Connection) -> tuple[Platform, object]:
    """What tells a shop from another one, as far as we know."""
    return connection.platform, connection.settings.get("url") or connection.settings.get("folder")


def _check(kind: type[ChannelConnector], wanted: Connection) -> None:
    try:
        kind.settings_model.model_validate(wanted.settings)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(["settings", *(str(part) for part in first["loc"])])
        raise InvalidInput(f"{field}: {first['msg']}", field=field) from error
    asks: tuple[tuple[str, bool, Ability], ...] = (
        ("pull_seconds", wanted.pull_seconds is not None, Ability.LIST),
        ("reconcile_hours", wanted.reconcile_hours is not None, Ability.LIST),
        ("tells", wanted.tells, Ability.TELL),
        ("stock", wanted.stock, Ability.STOCK),
    )
    for field, asked, ability in asks:
        if asked and ability not in kind.abilities:
            raise InvalidInput(f"{wanted.platform} cannot do that", field=field)


async def resume(connection: AsyncConnection, channel: str, now: datetime) -> None:
    """Go on with a channel that was paused: what it changed meanwhile is read at once, and what it knows
    and shows is compared. Raises NotFound.
    """
    await connections.resume(connection, channel)
    for feed in (Feed.ORDERS, Feed.RECONCILE, Feed.STOCK):
        await feeds.soon(connection, channel, feed, now)


def template(platform: Platform) -> str | None:
    """The mapping that is delivered for a platform; None where every sender is another."""
    found = files("connectors.channels") / "templates" / f"{platform}.yaml"
    return found.read_text(encoding="utf-8") if found.is_file() else None


async def ask_for(
    connection: AsyncConnection, channel: str, feed: Feed, now: datetime, span: Mapping[str, Any] | None = None
) -> None:
    """Have a feed read now. A back-fill begins anew with its span (`since`, `until`: times of orders).

    Raises NotFound for a channel that is not connected, Conflict for a feed that its platform has not.
    """
    kept = await connections.get(connection, channel)
    kind = serving(kept.connection.platform)
    if not any(feed in FEEDS_OF.get(ability, ()) for ability in kind.abilities):
        raise Conflict(f"{kept.connection.platform} has no feed of {feed}", data={"feed": feed})
    if feed is Feed.BACKFILL:
        await feeds.restart(connection, channel, feed, dict(span or {}), now)
    elif not await feeds.soon(connection, channel, feed, now):
        first = {"since": now.isoformat()} if feed is Feed.ORDERS else {}
        await feeds.schedule(connection, channel, feed, first, now)


def _secret_names(kind: type[ChannelConnector]) -> tuple[str, ...]:
    return (*kind.needs, *kind.may_need, *((kind.signs,) if kind.signs else ()))


def needed_of(kept: KeptConnection) -> tuple[str, ...]:
    """The secrets that the channel cannot do without: webhooks that are not signed are refused."""
    kind = CONNECTORS[kept.connection.platform]
    return (*kind.needs, *((kind.signs,) if kind.signs else ()))


def secrets_of(secrets: SecretStore, kept: KeptConnection) -> dict[str, bool]:
    """The secrets that the channel's connector reads, and whether there is one; none that others can read counts."""
    kind = CONNECTORS[kept.connection.platform]
    found = {}
    for name in _secret_names(kind):
        try:
            found[name] = bool(secrets.get(kept.channel, name))
        except (SecretUnsafeError, UnicodeError, OSError):
            found[name] = False
    return found
