"""A feed of a channel is read: page by page, each kept in one transaction with the position behind it.

So a reader that dies loses nothing and keeps nothing twice: the next one goes on behind the last page that was kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.channels.budget import SlowDownError
from connectors.channels.port import FeedPage, FeedSpan, ListedOrder, window
from connectors.notifications.port import TemporaryFailureError
from dom.channels.connection import Connection, Feed
from dom.channels.messages import MessageIdentity, content_id
from dom.channels.outcomes import MessageSource
from dom.exceptions import ExceptionKind
from dom.shared.backoff import pause
from dom.shared.errors import OutsideFailure
from services import channel_inbox, channel_stock, channel_telling
from services.channel_connections import Connected, Connections, understood
from services.database import Database
from store import exceptions
from store.connections import feeds
from store.connections.feeds import FeedRun
from store.exceptions import Reopening
from store.inbox import mappings

_log = structlog.get_logger("channels")
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 900.0
_TOLD_AFTER: Final = 8
"""Failures in a row after which a person is told: some twenty minutes."""
_SOURCES: Final = {Feed.RECONCILE: MessageSource.RECONCILE}


@dataclass(frozen=True, slots=True)
class FeedRead:
    """How far a feed was read: orders in this turn, and whether it goes on."""

    read: int
    more: bool
    says: str = ""


class PositionMovedError(Exception):
    """Somebody else reads the same feed, or it was begun anew."""


async def read(
    database: Database, connections: Connections, channel: str, feed: Feed, stop: asyncio.Event, until: float
) -> FeedRead:
    """Read a feed until it ends, `until` (of the loop's clock) or `stop`. What fails is written down, and tried again
    later by itself.
    """
    async with database.transaction() as connection:
        run = await feeds.begin(connection, channel, feed, database.now())
    if run is None:
        return FeedRead(0, more=False, says="there is no such feed any more")
    reading = _Reading(database, connections, channel, feed, run)
    try:
        return await reading.go_on(stop, until)
    except PositionMovedError:
        return FeedRead(reading.read, more=False, says="somebody else reads it")
    except OutsideFailure as error:
        await reading.begin_page_anew()
        return FeedRead(reading.read, more=False, says=await reading.put_off(error))
    except TemporaryFailureError as error:
        return FeedRead(reading.read, more=False, says=await reading.put_off(error))


class _Reading:
    def __init__(self, database: Database, connections: Connections, channel: str, feed: Feed, run: FeedRun) -> None:
        self._database = database
        self._connections = connections
        self._channel = channel
        self._feed = feed
        self._run = run
        self.read = 0

    async def go_on(self, stop: asyncio.Event, until: float) -> FeedRead:
        clock = asyncio.get_running_loop()
        connected = await self._connections.of(self._channel)
        if connected is None or connected.paused:
            return FeedRead(0, more=False, says="the channel is paused, or not connected any more")
        while True:
            done = await self._next_page(connected)
            if done:
                return FeedRead(self.read, more=False, says=f"{self.read} read")
            if stop.is_set() or clock.time() >= until:
                return FeedRead(self.read, more=True, says=f"{self.read} read")

    async def _next_page(self, connected: Connected) -> bool:
        """Read a page, and keep it with the position behind it; whether it was the last."""
        if self._feed is Feed.STOCK:
            page, count = await self._stock_page(connected)
        else:
            span = _span(self._feed, self._run.position, connected.connection, self._database.now())
            with understood(self._channel):
                found = await connected.connector.page(self._run.position.get("page", {}), span)
            page, count = found, len(found.orders)
        position = _moved(self._feed, self._run.position, page, connected.connection, self._database.now())
        async with self._database.transaction() as connection:
            if not await feeds.advance(
                connection, self._channel, self._feed, self._run, position, read=count, now=self._database.now()
            ):
                raise PositionMovedError
            if self._run.failures >= _TOLD_AFTER:
                await exceptions.close_by_keys(connection, self._alert)
            await self._keep(connection, connected, page.orders)
            if page.done:
                await self._end(connection, connected.connection, position)
        self._run = replace(self._run, position=position, failures=0)
        self.read += count
        if self._feed is Feed.RECONCILE:
            await channel_telling.compare(self._database, connected, page.orders)
        return page.done

    async def _stock_page(self, connected: Connected) -> tuple[FeedPage, int]:
        after = self._run.position.get("page", {}).get("after")
        compared = await channel_stock.compare(self._database, connected, after)
        return FeedPage((), {"after": compared.after}, done=compared.after is None), compared.skus

    async def _keep(self, connection: AsyncConnection, connected: Connected, orders: Sequence[ListedOrder]) -> None:
        if not orders:
            return
        mapping = await mappings.live(connection, self._channel)
        read_by = None if mapping is None else mapping.mapping
        source = _SOURCES.get(self._feed, connected.connector.source)
        for each in orders:
            identity = connected.connector.identify(each.headers, each.body, read_by)
            told = MessageIdentity(
                delivery_id=each.delivery_id or content_id(each.body),
                topic=each.topic or identity.topic,
                order_number=identity.order_number,
                reference=identity.reference,
            )
            message = channel_inbox.message(self._channel, source, told, each.headers, each.body, self._database.now())
            await channel_inbox.keep(connection, message, mapping)

    async def _end(self, connection: AsyncConnection, how: Connection, position: Mapping[str, Any]) -> None:
        now = self._database.now()
        await feeds.end(connection, self._channel, self._feed, self._run, position, now, _next(self._feed, how, now))

    async def begin_page_anew(self) -> None:
        """What the platform refuses may be the place in its pages that it gave us, which has an end: the span is read
        from its beginning. What is read twice is kept once.
        """
        page = self._run.position.get("page")
        if self._feed is Feed.STOCK or not isinstance(page, dict) or not page.get("after"):
            return
        position = {**self._run.position, "page": {name: value for name, value in page.items() if name != "after"}}
        async with self._database.transaction() as connection:
            now = self._database.now()
            if await feeds.advance(connection, self._channel, self._feed, self._run, position, read=0, now=now):
                self._run = replace(self._run, position=position)

    @property
    def _alert(self) -> str:
        return f"channel:{self._channel}:{self._feed}"

    async def put_off(self, error: Exception) -> str:
        """Write down why it cannot go on, and when it is tried again."""
        now, said = self._database.now(), str(error) or type(error).__name__
        waits = isinstance(error, SlowDownError)
        seconds = error.seconds if isinstance(error, SlowDownError) else 0.0
        if not waits:
            seconds = pause(self._run.failures + 1, _FIRST_PAUSE, _LONGEST_PAUSE)
            _log.warning("a feed cannot be read now", channel=self._channel, feed=self._feed, because=said)
        async with self._database.transaction() as connection:
            due_at = now + timedelta(seconds=seconds)
            await feeds.fail(connection, self._channel, self._feed, self._run, said, now, due_at, counts=not waits)
            if not waits and self._run.failures + 1 >= _TOLD_AFTER:
                about = f"{self._feed} of channel {self._channel} cannot be read: {said}"
                data = {"channel": self._channel, "feed": self._feed}
                kind, again = ExceptionKind.CHANNEL_UNREACHABLE, Reopening.IF_CLOSED_BY_ITSELF
                await exceptions.open_(connection, None, kind, self._alert, about, data, reopening=again)
        return said


def _span(feed: Feed, position: Mapping[str, Any], how: Connection, now: datetime) -> FeedSpan:
    """What is read of a feed. A run keeps the span with which it began: pages of another would not follow on."""
    if feed is Feed.BACKFILL:
        return FeedSpan(_time(position, "since") or now, _time(position, "until"), placed=True)
    if feed is Feed.RECONCILE:
        return FeedSpan(_time(position, "from") or now - timedelta(days=how.reconcile_days), placed=True)
    first = _time(position, "from")
    return FeedSpan(first or window(position, timedelta(seconds=how.overlap_seconds), now))


def _moved(feed: Feed, position: Mapping[str, Any], page: FeedPage, how: Connection, now: datetime) -> dict[str, Any]:
    """The position behind a page. Behind the last one of changes, the next run begins with the latest that was seen."""
    kept = {name: position[name] for name in ("since", "until") if name in position}
    if feed in {Feed.STOCK, Feed.BACKFILL}:
        return {**kept, "page": dict(page.position)}
    if not page.done:
        span = _span(feed, position, how, now)
        return {**kept, "from": span.since.isoformat(), "page": dict(page.position)}
    if feed is Feed.RECONCILE:
        return {}
    latest = page.position.get("latest")
    if latest is not None:  # a clock that goes wrong there must not have changes of the next days passed over
        latest = min(latest, now.isoformat(), key=datetime.fromisoformat)
    rest = {name: value for name, value in page.position.items() if name not in {"latest", "after"}}
    since = max(filter(None, (kept.get("since"), latest)), key=datetime.fromisoformat, default=None)
    return {**kept, **({"since": since} if since else {}), **({"page": rest} if rest else {})}


def _time(position: Mapping[str, Any], name: str) -> datetime | None:
    given = position.get(name)
    return datetime.fromisoformat(given) if given else None


def _next(feed: Feed, how: Connection, now: datetime) -> datetime | None:
    """When a feed that came to its end is read again; None: not by itself."""
    if feed is Feed.ORDERS and how.pull_seconds:
        return now + timedelta(seconds=how.pull_seconds)
    if feed is Feed.RECONCILE and how.reconcile_hours:
        return now + timedelta(hours=how.reconcile_hours)
    if feed is Feed.STOCK and how.stock:
        return now + timedelta(hours=how.stock_hours)
    return None
