"""What was written to be told goes out once, whatever fails between claiming it and knowing that it arrived."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.boundary import Database
from activities.capture import OCCASION, AcceptOrder, Capture
from activities.notifying import Notifying, SendMessages
from connectors.notifications.port import Medium, OutboundMessage, TemporaryFailureError
from tests.worlds import small
from tests.worlds.outside import RecordingSender

REQUEST = SendMessages(order_id="web-1", occasion=OCCASION)


@pytest.fixture
async def captured(world: AsyncEngine) -> AsyncEngine:
    """A database with one order whose confirmation has not gone out yet."""
    await Capture(Database(engine=world)).accept_order(AcceptOrder(order=small.order("1", A=1)))
    return world


async def statuses(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT status FROM messages ORDER BY id")))


async def doubts(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM exceptions")) or 0)


@dataclass(frozen=True, slots=True)
class Shaky(Database):
    """A database that goes away when `outage` says so, and is back after so many attempts."""

    outage: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """As the real one, once the outage is over."""
        if self.outage and self.outage[0]:
            self.outage[0] -= 1
            raise OperationalError("UPDATE", {}, ConnectionRefusedError("the server is away"))
        async with Database.statement(self) as connection:
            yield connection


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


class TestDatabaseGoesAwayAfterTheMailLeft:
    async def test_it_counts_as_sent_when_the_database_is_back(self, captured: AsyncEngine) -> None:
        database = Shaky(engine=captured)
        sender = SenderOfBadNews(database, attempts=3)
        assert await Notifying(database, {Medium.MAIL: sender}).send_messages(REQUEST) == 1
        assert await statuses(captured) == ["sent"]
        assert await doubts(captured) == 0

    async def test_what_the_database_refuses_is_not_tried_again(self, captured: AsyncEngine) -> None:
        class Breaking(RecordingSender):
            async def send(self, message: OutboundMessage) -> None:
                await super().send(message)
                async with captured.begin() as connection:
                    await connection.execute(text("ALTER TABLE messages RENAME COLUMN sent_at TO went_at"))

        with pytest.raises(Exception, match="sent_at"):
            await Notifying(Database(engine=captured), {Medium.MAIL: Breaking()}).send_messages(REQUEST)


class TestLetterThatCannotBeWritten:
    async def test_it_waits_for_the_fix_and_is_sent_then(self, captured: AsyncEngine) -> None:
        sender = RecordingSender()
        notifying = Notifying(Database(engine=captured), {Medium.MAIL: sender})
        broken = text("""UPDATE messages SET context = '{"refund": {"amount": "none"}}'""")
        async with captured.begin() as connection:
            await connection.execute(broken)
        for _ in range(2):
            with pytest.raises(ValidationError):
                await notifying.send_messages(REQUEST)
        assert await statuses(captured) == ["pending"], "nothing was claimed, so nothing is in doubt"

        async with captured.begin() as connection:
            await connection.execute(text("UPDATE messages SET context = '{}'"))
        assert await notifying.send_messages(REQUEST) == 1
        assert len(sender.sent) == 1
        assert await doubts(captured) == 0


class TestSenderDied:
    async def test_a_claimed_mail_is_not_sent_again_and_stands_before_a_person(self, captured: AsyncEngine) -> None:
        async with captured.begin() as connection:
            await connection.execute(text("UPDATE messages SET status = 'sending'"))
        sender = RecordingSender()
        assert await Notifying(Database(engine=captured), {Medium.MAIL: sender}).send_messages(REQUEST) == 0
        assert sender.sent == []
        assert await statuses(captured) == ["uncertain"]
        assert await doubts(captured) == 1


class TestGivingUp:
    async def test_puts_what_nobody_took_before_a_person_once(self, captured: AsyncEngine) -> None:
        notifying = Notifying(Database(engine=captured), {Medium.MAIL: RecordingSender(put_off=1)})
        with pytest.raises(TemporaryFailureError):
            await notifying.send_messages(REQUEST)

        await notifying.give_up_messages(REQUEST)
        await notifying.give_up_messages(REQUEST)

        assert await statuses(captured) == ["failed"]
        assert await doubts(captured) == 1

    async def test_leaves_what_was_sent_alone(self, captured: AsyncEngine) -> None:
        notifying = Notifying(Database(engine=captured), {Medium.MAIL: RecordingSender()})
        await notifying.send_messages(REQUEST)

        await notifying.give_up_messages(REQUEST)

        assert await statuses(captured) == ["sent"]
        assert await doubts(captured) == 0
