"""How far each feed of a channel is read, and when it is read next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.connection import Feed
from store.database.parameters import to_json

ABANDONED_AFTER: Final = timedelta(minutes=5)
"""A feed that was begun and said nothing for so long is begun again."""


@dataclass(frozen=True, slots=True)
class FeedRun:
    """A run of a feed: its number, and where it goes on."""

    run: int
    position: dict[str, Any]
    failures: int


_DUE: Final = text("""
SELECT f.channel, f.feed FROM channel_feeds f JOIN channel_connections c ON c.channel = f.channel
WHERE f.due_at <= :now AND c.paused_at IS NULL ORDER BY f.due_at LIMIT 100
""")
_ALL: Final = text("""
SELECT feed, position, due_at, run, started_at, finished_at, read, failures, error, failed_at
FROM channel_feeds WHERE channel = :channel ORDER BY feed
""")
_SCHEDULE: Final = text("""
INSERT INTO channel_feeds (channel, feed, position, due_at)
VALUES (:channel, :feed, CAST(:position AS jsonb), :due_at)
ON CONFLICT (channel, feed) DO UPDATE SET due_at = excluded.due_at
""")
_RESTART: Final = text("""
INSERT INTO channel_feeds (channel, feed, position, due_at)
VALUES (:channel, :feed, CAST(:position AS jsonb), :due_at)
ON CONFLICT (channel, feed) DO UPDATE SET position = excluded.position, due_at = excluded.due_at, failures = 0,
    error = '', run = channel_feeds.run + 1, read = 0, started_at = NULL, finished_at = NULL
""")
_SOON: Final = text("UPDATE channel_feeds SET due_at = :now WHERE channel = :channel AND feed = :feed")
_UNSCHEDULE: Final = text("DELETE FROM channel_feeds WHERE channel = :channel AND feed = :feed")
_BEGIN: Final = text("""
UPDATE channel_feeds SET due_at = :lost_at,
    run = CASE WHEN started_at IS NULL OR finished_at >= started_at THEN run + 1 ELSE run END,
    read = CASE WHEN started_at IS NULL OR finished_at >= started_at THEN 0 ELSE read END,
    started_at = CASE WHEN started_at IS NULL OR finished_at >= started_at THEN :now ELSE started_at END
WHERE channel = :channel AND feed = :feed RETURNING run, position, failures
""")
_ADVANCE: Final = text("""
UPDATE channel_feeds SET position = CAST(:position AS jsonb), read = read + :read, failures = 0, error = '',
    due_at = :lost_at
WHERE channel = :channel AND feed = :feed AND run = :run AND position = CAST(:before AS jsonb)
""")
_END: Final = text("""
UPDATE channel_feeds SET position = CAST(:position AS jsonb), finished_at = :now, due_at = :due_at, failures = 0,
    error = ''
WHERE channel = :channel AND feed = :feed AND run = :run
""")
_FAIL: Final = text("""
UPDATE channel_feeds SET failures = failures + :counts, error = :error, failed_at = :now, due_at = :due_at
WHERE channel = :channel AND feed = :feed AND run = :run
""")


async def due(connection: AsyncConnection, now: datetime) -> Sequence[tuple[str, Feed]]:
    """Feeds that are to be read now, of channels that are not paused."""
    return [(row.channel, Feed(row.feed)) for row in await connection.execute(_DUE, {"now": now})]


async def of_channel(connection: AsyncConnection, channel: str) -> Sequence[RowMapping]:
    """The channel's feeds: where each stands, and what went wrong last."""
    return (await connection.execute(_ALL, {"channel": channel})).mappings().all()


async def schedule(
    connection: AsyncConnection, channel: str, feed: Feed, first: Mapping[str, Any], due_at: datetime | None
) -> None:
    """Have a feed read at a time; a new one begins at `first`, one that is known goes on where it is."""
    values = {"channel": channel, "feed": feed, "position": to_json(dict(first)), "due_at": due_at}
    await connection.execute(_SCHEDULE, values)


async def restart(
    connection: AsyncConnection, channel: str, feed: Feed, position: Mapping[str, Any], due_at: datetime
) -> None:
    """Have a feed read anew from a position; whoever reads it elsewhere finds his run ended."""
    values = {"channel": channel, "feed": feed, "position": to_json(dict(position)), "due_at": due_at}
    await connection.execute(_RESTART, values)


async def soon(connection: AsyncConnection, channel: str, feed: Feed, now: datetime) -> bool:
    """Have a feed read now; False if the channel has none."""
    return bool((await connection.execute(_SOON, {"channel": channel, "feed": feed, "now": now})).rowcount)


async def unschedule(connection: AsyncConnection, channel: str, feed: Feed) -> None:
    """Read a feed no more, and forget how far it was read."""
    await connection.execute(_UNSCHEDULE, {"channel": channel, "feed": feed})


async def begin(connection: AsyncConnection, channel: str, feed: Feed, now: datetime) -> FeedRun | None:
    """Begin a run, or go on with one that did not end; None if there is no such feed any more."""
    values = {"channel": channel, "feed": feed, "now": now, "lost_at": now + ABANDONED_AFTER}
    row = (await connection.execute(_BEGIN, values)).one_or_none()
    return None if row is None else FeedRun(row.run, row.position, row.failures)


async def advance(
    connection: AsyncConnection,
    channel: str,
    feed: Feed,
    run: FeedRun,
    position: Mapping[str, Any],
    *,
    read: int,
    now: datetime,
) -> bool:
    """Move a run's position on, in the transaction that keeps what was read; False if somebody else moved it."""
    values = {
        "channel": channel,
        "feed": feed,
        "run": run.run,
        "before": to_json(run.position),
        "position": to_json(dict(position)),
        "read": read,
        "lost_at": now + ABANDONED_AFTER,
    }
    return bool((await connection.execute(_ADVANCE, values)).rowcount)


async def end(
    connection: AsyncConnection,
    channel: str,
    feed: Feed,
    run: FeedRun,
    position: Mapping[str, Any],
    now: datetime,
    due_at: datetime | None,
) -> None:
    """A run is done; the next one is due then, or never by itself."""
    values = {
        "channel": channel,
        "feed": feed,
        "run": run.run,
        "position": to_json(dict(position)),
        "now": now,
        "due_at": due_at,
    }
    await connection.execute(_END, values)


async def fail(
    connection: AsyncConnection,
    channel: str,
    feed: Feed,
    run: FeedRun,
    error: str,
    now: datetime,
    due_at: datetime,
    *,
    counts: bool = True,
) -> None:
    """A run cannot go on now. It is tried again then. What only has to wait (a budget) is no failure that `counts`."""
    values = {
        "channel": channel,
        "feed": feed,
        "run": run.run,
        "error": error[:500],
        "now": now,
        "due_at": due_at,
        "counts": int(counts),
    }
    await connection.execute(_FAIL, values)
