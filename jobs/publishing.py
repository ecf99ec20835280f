"""Writes what channels with a webhook are to be told of availability; the relay of the outbox sends it.

No more is written for a channel that does not take what it is sent: a receiver that is away for long is told how
things stand when it is back, and not of every step.
"""

from functools import partial
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.channel import Channel
from jobs.apart import Apart
from services import availability_news
from store import channels
from store.database.engine import reading
from store.network.reference import ReferenceCache

_log = structlog.get_logger("publishing")


class Publishing:
    """Follows the log of changes for channels with a webhook. `every` is the pause in seconds between two looks."""

    name: Final = "publishing"

    def __init__(self, engine: AsyncEngine, *, every: float = 0.5) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self._cache = ReferenceCache()
        self._apart = Apart(self.name)
        self.every = every

    async def run(self) -> bool:
        """Write the next message to each channel that is to be told something; True if one is to be told more."""
        async with self._reads.connect() as connection:
            wanted = await channels.to_tell(connection)
        return any([await self._apart.run(channel.id, partial(self._write, channel)) for channel in wanted])

    async def _write(self, channel: Channel) -> bool:
        try:
            async with self._engine.begin() as connection:
                return await availability_news.write_next(connection, self._cache, channel)
        except availability_news.CursorMoved:
            _log.warning("somebody else publishes", channel=channel.id)
            return False
