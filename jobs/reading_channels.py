"""Begins to read the feeds of channels that are due: each in a workflow of its own."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from processes import channel_feeds
from processes.client import Durable
from services.clock import utc_now
from store.connections import feeds
from store.database.engine import reading


class ReadingChannels:
    """Looks every so many seconds; a feed that is being read is left alone."""

    name: Final = "reading_channels"

    def __init__(self, engine: AsyncEngine, client: Client, task_queue: str, *, every: float = 1.0) -> None:
        self._reads = reading(engine)
        self._durable = Durable(client, task_queue)
        self.every = every

    async def run(self) -> bool:
        """Begin what is due. Raises what Temporal raises while it is away."""
        async with self._reads.connect() as connection:
            due = await feeds.due(connection, utc_now())
        for channel, feed in due:
            await channel_feeds.begin(self._durable, channel, feed)
        return False
