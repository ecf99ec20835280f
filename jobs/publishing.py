"""Tells channels of changes of availability, by signed webhook: at least once, in sequence, each channel for itself.

A cursor moves on once the receiver took a batch, so whoever is keeper next goes on where the last one stopped. A
receiver that fails gets the batch again, at growing intervals, and holds nobody else up.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, NoReturn

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.receiver import Receiver
from store import channels
from store.database import engine as database
from store.database.uninterrupted import unbroken
from store.network.reference import ReferenceCache

_log = structlog.get_logger("publishing")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between looks for changes, and for new channels; before a failed batch is sent again, first and at most;
    until a person is told of a receiver that does not take what it is sent.
    """

    look: float = 0.5
    channels: float = 2.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    stuck: float = 3600.0


class Publishing:
    """Follows the log of changes for every channel with a webhook, until it is stopped."""

    name: Final = "publishing"
    every: Final = 1.0

    def __init__(self, engine: AsyncEngine, pace: Pace | None = None) -> None:
        self._engine = engine
        self._reads = database.reading(engine)
        self._pace = pace or Pace()
        self._cache = ReferenceCache()

    async def run(self) -> NoReturn:
        """Ends only with an error, or when it is cancelled; no receiver's trouble ends it."""
        following: dict[str, asyncio.Task[NoReturn]] = {}
        try:
            while True:
                wanted = await unbroken(self._wanted())
                for gone in following.keys() - wanted:
                    following.pop(gone).cancel()
                for name in wanted - following.keys():
                    following[name] = asyncio.create_task(self._follow(name))
                await asyncio.sleep(self._pace.channels)
        finally:
            for task in following.values():
                task.cancel()
            await asyncio.gather(*following.values(), return_exceptions=True)

    async def _wanted(self) -> set[str]:
        async with self._reads.connect() as connection:
            return {channel.id for channel in await channels.everyone(connection) if channel.webhook_url}

    async def _follow(self, channel_id: str) -> NoReturn:
        receiver, failures = Receiver(self._engine, self._cache, channel_id), 0
        try:
            while True:
                try:
                    more = await receiver.tell()
                    pause, failures = 0 if more else self._pace.look, 0
                except Exception as error:  # whatever it is, it is this receiver's alone
                    failures += 1
                    pause = min(self._pace.first_pause * 2 ** min(failures - 1, 10), self._pace.longest_pause)
                    _log.warning(
                        "webhook failed", channel=channel_id, failures=failures, again_in=pause, error=str(error)
                    )
                    await unbroken(self._complain(receiver, channel_id, error))
                await asyncio.sleep(pause)
        finally:
            await receiver.close()

    async def _complain(self, receiver: Receiver, channel_id: str, error: Exception) -> None:
        """Tell a person once the receiver has been stuck for long."""
        try:
            seconds = await receiver.stuck_for()
            if seconds >= self._pace.stuck:
                _log.error("webhook stuck", channel=channel_id, seconds=round(seconds))
                await receiver.ask_for_help(f"channel {channel_id} has not taken changes for {seconds:.0f} s: {error}")
        except SQLAlchemyError as away:
            _log.warning("webhook failed, and so did the database", channel=channel_id, error=str(away))
