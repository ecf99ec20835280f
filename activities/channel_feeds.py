"""Reading channels: a feed is read for some seconds a call, until it ends."""

import asyncio
from dataclasses import dataclass

from temporalio import activity

from activities.errors import temporal_errors
from activities.lasting import Seconds, lasting
from dom.channels.connection import Feed
from dom.shared.base import Value
from services import channel_feeds
from services.channel_connections import Connections
from services.database import Database


class FeedTurn(Value):
    """Some seconds of reading a feed of a channel, and how often it is said that the worker lives."""

    channel: str
    feed: Feed
    seconds: Seconds
    beat: Seconds


class FeedTurnRead(Value):
    """How many orders a turn read, whether the feed goes on, and what is to be said of it."""

    read: int
    more: bool
    says: str


@dataclass(frozen=True, slots=True)
class ChannelFeeds:
    """Reads feeds of channels. The store holds how far each is read, so that any worker goes on where one stopped."""

    database: Database
    connections: Connections
    drain_seconds: float = 10.0

    @activity.defn(name="read_channel_feed")
    async def read_channel_feed(self, turn: FeedTurn) -> FeedTurnRead:
        """Read a feed for some seconds, or to its end. What its platform refuses is written down, and tried later."""
        return await lasting(
            lambda stop: self._read(turn, stop),
            lambda: f"{turn.channel} {turn.feed}",
            beat=turn.beat,
            drain_seconds=self.drain_seconds,
        )

    async def _read(self, turn: FeedTurn, stop: asyncio.Event) -> FeedTurnRead:
        until = asyncio.get_running_loop().time() + turn.seconds
        with temporal_errors():
            done = await channel_feeds.read(self.database, self.connections, turn.channel, turn.feed, stop, until)
        return FeedTurnRead(read=done.read, more=done.more, says=done.says)
