"""Senders and a database that fail in one way or another, as what sends must bear it."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.notifications.port import OutboundMessage, TemporaryFailureError
from services.database import Database
from tests.worlds.outside import RecordingSender


class Moody(RecordingSender):
    """Puts off what it likes, and never takes anything for one receiver; remembers how many it had in hand at once."""

    def __init__(self, never: str) -> None:
        super().__init__()
        self._never = never
        self._chance = random.Random(7)
        self._in_hand: Counter[str] = Counter()
        self.at_once = 0

    async def send(self, message: OutboundMessage) -> None:
        self._in_hand[message.recipient] += 1
        assert self._in_hand[message.recipient] == 1, "one message at a time to a receiver"
        self.at_once = max(self.at_once, self._in_hand.total())
        await asyncio.sleep(0.002)
        self._in_hand[message.recipient] -= 1
        if message.recipient == self._never or self._chance.random() < 0.4:
            raise TemporaryFailureError("come back later")
        await super().send(message)


@dataclass(frozen=True, slots=True)
class Shaky(Database):
    """A database that goes away when `outage` says so, and is back after so many attempts. `swallowed`: so many of its
    answers are lost, though what they answer was done.
    """

    outage: list[int] = field(default_factory=list)
    swallowed: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """As the real one, once the outage is over."""
        if self.outage and self.outage[0]:
            self.outage[0] -= 1
            raise OperationalError("UPDATE", {}, ConnectionRefusedError("the server is away"))
        async with Database.statement(self) as connection:
            yield connection
        if self.swallowed and self.swallowed[0]:
            self.swallowed[0] -= 1
            raise OperationalError("UPDATE", {}, ConnectionResetError("the server is away"))


@dataclass
class SenderOfBadNews(RecordingSender):
    """Sends; right afterwards the database goes away for some attempts."""

    database: Shaky
    attempts: int

    def __post_init__(self) -> None:
        RecordingSender.__init__(self)

    async def send(self, message: OutboundMessage) -> None:
        """Send, then pull the plug."""
        await super().send(message)
        self.database.outage.append(self.attempts)


class Killed(BaseException):
    """What ends a process ends it anywhere."""


class KillingSender(RecordingSender):
    """The process dies right after the receiver took the message, before anybody wrote it down."""

    async def send(self, message: OutboundMessage) -> None:
        """Take it, and die."""
        await super().send(message)
        raise Killed


class Held(RecordingSender):
    """Takes a message, and is slow to say so."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.go = asyncio.Event(), asyncio.Event()

    async def send(self, message: OutboundMessage) -> None:
        await super().send(message)
        self.taken.set()
        await self.go.wait()
