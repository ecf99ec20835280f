"""What stands in the outbox leaves once and in sequence, whatever fails between claiming it and knowing it arrived."""

import asyncio
from collections import Counter, defaultdict

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.notifications.port import OutboundMessage
from dom.notifications.messages import Medium, MessageKind
from dom.shared.errors import OutsideFailure
from services.capture import capture
from services.database import Database
from services.relay import Relay, RelayPace
from store.notifications import messages
from store.notifications.outbox import AnotherRelay
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.failing import Held, Killed, KillingSender, Moody, SenderOfBadNews, Shaky
from tests.worlds.outside import RecordingSender
from tests.worlds.running import relaying
from tests.worlds.waiting import until, until_notified

HOOK = "https://shop.example/hook"
STATUSES = "SELECT medium, status FROM outbox ORDER BY medium"
EXCEPTIONS = "SELECT kind FROM exceptions ORDER BY id"
LISTENED_TO = "SELECT {} FROM pg_stat_activity WHERE query ~ '^LISTEN' AND datname = current_database()"
QUICK = RelayPace(poll=0.2, first_pause=0.02, longest_pause=0.05)


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    """What activities work on, with a webhook."""
    return Database(engine=world, replaying=True, webhooks=True)


async def accept(database: Database, external_id: str, email: str = "ada@customer.example") -> None:
    """An order whose confirmation has not gone out yet."""
    order = small.order(external_id, A=1, customer={"id": "C1", "name": "Ada Young", "email": email})
    await capture(database, order)


async def tell(engine: AsyncEngine, external_id: str, *message_keys: str) -> None:
    """More to tell of an order, each in a transaction of its own."""
    for message_key in message_keys:
        async with engine.begin() as connection:
            await messages.write(
                connection, f"web-{external_id}", message_key, MessageKind.DELIVERED, context={}, webhook=False
            )


async def send_all(database: Database, mail: RecordingSender, hook: RecordingSender | None = None) -> None:
    """Send until nothing is left."""
    async with relaying(database, {Medium.MAIL: mail, Medium.WEBHOOK: hook or RecordingSender()}, HOOK, QUICK):
        await until_notified(database.engine)


def keys(sender: RecordingSender) -> list[str]:
    return [message.key for message in sender.sent]


class TestSending:
    async def test_each_medium_hears_it_once(self, world: AsyncEngine, database: Database) -> None:
        mail, hook = RecordingSender(), RecordingSender()
        await accept(database, "told")
        await send_all(database, mail, hook)
        await send_all(database, mail, hook)
        assert (keys(mail), keys(hook)) == (["web-told/accepted/mail"], ["web-told/accepted/webhook"])
        assert hook.sent[0].recipient == HOOK
        assert hook.sent[0].payload["type"] == "order.order_confirmed"
        assert await rows(world, STATUSES) == [("mail", "sent"), ("webhook", "sent")]

    async def test_it_is_woken_by_what_is_written(self, world: AsyncEngine, database: Database) -> None:
        mail = RecordingSender()
        sleepy = RelayPace(poll=600.0)
        async with relaying(database, {Medium.MAIL: mail, Medium.WEBHOOK: RecordingSender()}, HOOK, sleepy):
            await until("the relay has begun", lambda: _listens(world))
            async with asyncio.timeout(5):
                await accept(database, "woken")
                await until_notified(world)
        assert keys(mail) == ["web-woken/accepted/mail"]

    async def test_without_a_listener_it_looks_now_and_then(self, world: AsyncEngine, database: Database) -> None:
        mail = RecordingSender()
        async with relaying(database, {Medium.MAIL: mail, Medium.WEBHOOK: RecordingSender()}, HOOK, QUICK):
            await until("the relay has begun", lambda: _listens(world))
            assert await _listens(world, end=True)
            await accept(database, "unheard")
            await until_notified(world)
            await until("it listens again", lambda: _listens(world))
        assert keys(mail) == ["web-unheard/accepted/mail"]

    async def test_what_is_rolled_back_is_told_to_nobody(self, world: AsyncEngine, database: Database) -> None:
        mail = RecordingSender()
        await accept(database, "kept")
        async with world.connect() as connection:
            await messages.write(connection, "web-kept", "never", MessageKind.DELIVERED, context={}, webhook=True)
            await connection.rollback()
        await send_all(database, mail)
        assert keys(mail) == ["web-kept/accepted/mail"]


async def _listens(engine: AsyncEngine, *, end: bool = False) -> bool:
    """Whether somebody listens; `end` ends the connection on which he does."""
    return bool(await one(engine, LISTENED_TO.format("count(pg_terminate_backend(pid))" if end else "count(*)")))


class TestSequence:
    async def test_of_a_receiver_is_kept_and_one_that_fails_holds_up_itself_alone(
        self, world: AsyncEngine, database: Database
    ) -> None:
        plain, mail = Database(engine=world, replaying=True), Moody("never@customer.example")
        receivers = ["never@customer.example", *(f"c{number}@customer.example" for number in range(6))]
        for number, email in enumerate(receivers):
            await accept(plain, f"in-turn-{number}", email)
        for turn in range(5):
            await asyncio.gather(*(tell(world, f"in-turn-{n}", f"turn-{turn}") for n in range(len(receivers))))
        async with relaying(plain, {Medium.MAIL: mail}, pace=QUICK):
            await until("all others were told", lambda: _left(world, 6))
        sent: defaultdict[str, list[str]] = defaultdict(list)
        for message in mail.sent:
            sent[message.recipient].append(message.key)
        assert sorted(sent) == receivers[1:]
        for number, email in enumerate(receivers[1:], 1):
            message_keys = ["accepted", *(f"turn-{turn}" for turn in range(5))]
            assert sent[email] == [f"web-in-turn-{number}/{message_key}/mail" for message_key in message_keys]
        assert mail.at_once > 1
        assert await one(world, "SELECT count(*) FROM exceptions") == 0

    async def test_what_is_written_behind_one_that_was_put_off_waits_with_it(
        self, world: AsyncEngine, database: Database
    ) -> None:
        plain, mail = Database(engine=world, replaying=True), RecordingSender(put_off=1)
        await accept(plain, "first")
        slow = RelayPace(poll=0.05, first_pause=600.0, longest_pause=600.0)
        async with relaying(plain, {Medium.MAIL: mail}, pace=slow):
            await until("it was put off", lambda: _attempts(world, 1))
            await tell(world, "first", "second")
            await until("it looked again", lambda: _later(world, 2))
        assert mail.sent == []

    async def test_one_that_is_refused_makes_way(self, world: AsyncEngine) -> None:
        class Picky(RecordingSender):
            async def send(self, message: OutboundMessage) -> None:
                if "second" in message.key:
                    raise OutsideFailure("no such words")
                await super().send(message)

        plain, mail = Database(engine=world, replaying=True), Picky()
        await accept(plain, "picky")
        await tell(world, "picky", "second", "third")
        await send_all(plain, mail)
        assert keys(mail) == ["web-picky/accepted/mail", "web-picky/third/mail"]
        assert await rows(world, "SELECT kind, business_key FROM exceptions") == [
            ("message_refused", "web-picky/second/mail")
        ]


async def _left(engine: AsyncEngine, waiting: int) -> bool:
    return bool(await one(engine, "SELECT count(*) FROM outbox WHERE status IN ('pending', 'sending')") == waiting)


async def _attempts(engine: AsyncEngine, attempts: int) -> bool:
    return bool(await one(engine, "SELECT max(attempts) FROM outbox WHERE status = 'pending'") == attempts)


async def _later(engine: AsyncEngine, count: int) -> bool:
    query = "SELECT count(*) FROM outbox WHERE status = 'pending' AND next_attempt_at > now() + interval '9 minutes'"
    return bool(await one(engine, query) == count)


class TestDatabaseGoesAway:
    async def test_what_left_counts_as_sent_when_it_is_back(self, world: AsyncEngine) -> None:
        database = Shaky(engine=world, replaying=True)
        sender = SenderOfBadNews(database, attempts=2)
        await accept(database, "1")
        await send_all(database, sender)
        assert len(sender.sent) == 1
        assert await rows(world, STATUSES) == [("mail", "sent")]
        assert await one(world, "SELECT count(*) FROM exceptions") == 0

    async def test_a_claim_whose_answer_was_lost_is_made_again(self, world: AsyncEngine) -> None:
        """Nothing of it has left, so nothing is in doubt."""
        database, mail = Shaky(engine=world, replaying=True), RecordingSender()
        await accept(database, "1")
        database.swallowed.append(1)
        await send_all(database, mail)
        assert database.swallowed == [0]
        assert len(mail.sent) == 1
        assert await rows(world, STATUSES) == [("mail", "sent")]
        assert await one(world, "SELECT count(*) FROM exceptions") == 0

    async def test_what_it_refuses_ends_the_relay(self, world: AsyncEngine) -> None:
        class Breaking(RecordingSender):
            async def send(self, message: OutboundMessage) -> None:
                await super().send(message)
                async with world.begin() as connection:
                    await connection.execute(text("ALTER TABLE outbox RENAME COLUMN sent_at TO went_at"))

        plain = Database(engine=world, replaying=True)
        await accept(plain, "1")
        with pytest.raises(Exception, match="sent_at"):
            await Relay(plain, {Medium.MAIL: Breaking()}, pace=QUICK).run(asyncio.Event())


class TestLetterThatCannotBeWritten:
    async def test_it_waits_for_the_fix_and_is_sent_then(self, world: AsyncEngine) -> None:
        plain, mail = Database(engine=world, replaying=True), RecordingSender()
        await accept(plain, "1")
        await accept(plain, "2", "bob@customer.example")
        broken = text("""UPDATE outbox SET payload = '{"refund": {"amount": "none"}}' WHERE order_id = 'web-1'""")
        async with world.begin() as connection:
            await connection.execute(broken)
        async with relaying(plain, {Medium.MAIL: mail}, pace=QUICK):
            await until("it was tried three times", lambda: _attempts(world, 3))
            assert keys(mail) == ["web-2/accepted/mail"]
            async with world.begin() as connection:
                await connection.execute(text("UPDATE outbox SET payload = '{}'"))
            await until_notified(world)
        assert keys(mail) == ["web-2/accepted/mail", "web-1/accepted/mail"]
        assert await one(world, "SELECT count(*) FROM exceptions") == 0


class TestSenderDied:
    async def test_a_mail_is_not_sent_again_and_a_webhook_is(self, world: AsyncEngine, database: Database) -> None:
        dying, hook = KillingSender(), RecordingSender()
        await accept(database, "killed")
        async with world.begin() as connection:
            await connection.execute(text("UPDATE outbox SET status = 'sending' WHERE medium = 'webhook'"))
        with pytest.raises(Killed):
            await Relay(database, {Medium.MAIL: dying}, pace=QUICK).run(asyncio.Event())
        assert await rows(world, STATUSES) == [("mail", "sending"), ("webhook", "pending")]

        mail = RecordingSender()
        await send_all(database, mail, hook)
        assert (keys(dying), keys(mail)) == (["web-killed/accepted/mail"], [])
        assert keys(hook) == ["web-killed/accepted/webhook"]
        assert await rows(world, STATUSES) == [("mail", "uncertain"), ("webhook", "sent")]
        assert await rows(world, EXCEPTIONS) == [("message_uncertain",)]

    async def test_what_a_sender_does_not_promise_leaves_a_mail_in_doubt(
        self, world: AsyncEngine, database: Database
    ) -> None:
        class Odd(RecordingSender):
            async def send(self, message: OutboundMessage) -> None:
                self.sent.append(message)
                if len(self.sent) == 1:
                    raise RuntimeError("what is this?")

        mail, hook = Odd(), Odd()
        await accept(database, "odd")
        await send_all(database, mail, hook)
        assert (len(mail.sent), keys(hook)) == (1, ["web-odd/accepted/webhook"] * 2)
        assert await rows(world, STATUSES) == [("mail", "uncertain"), ("webhook", "sent")]
        assert await rows(world, EXCEPTIONS) == [("message_uncertain",)]


class TestGivingUp:
    async def test_puts_what_nobody_took_before_a_person(self, world: AsyncEngine) -> None:
        plain, mail = Database(engine=world, replaying=True), RecordingSender(put_off=1)
        await accept(plain, "old")
        async with world.begin() as connection:
            await connection.execute(text("UPDATE outbox SET created_at = now() - interval '73 hours'"))
        await tell(world, "old", "young")
        await send_all(plain, mail)
        assert keys(mail) == ["web-old/young/mail"]
        assert await rows(world, "SELECT status FROM outbox ORDER BY id") == [("failed",), ("sent",)]
        assert await rows(world, EXCEPTIONS) == [("message_given_up",)]


class TestTwoRelays:
    async def test_the_one_that_began_first_claims_nothing_more(self, world: AsyncEngine) -> None:
        plain, first, second = Database(engine=world, replaying=True), Held(), RecordingSender()
        await accept(plain, "1")
        running = asyncio.create_task(Relay(plain, {Medium.MAIL: first}, pace=QUICK).run(asyncio.Event()))
        await first.taken.wait()
        async with relaying(plain, {Medium.MAIL: second}, pace=QUICK):
            await until("it has taken over", lambda: _is_uncertain(world))
            await accept(plain, "2", "bob@customer.example")
            await until_notified(world)
            with pytest.raises(AnotherRelay):
                await running
            first.go.set()
        assert (keys(first), keys(second)) == (["web-1/accepted/mail"], ["web-2/accepted/mail"])
        assert await rows(world, EXCEPTIONS) == [("message_uncertain",)]

    async def test_any_number_at_once_send_no_mail_twice(self, world: AsyncEngine) -> None:
        plain, mail = Database(engine=world, replaying=True), RecordingSender()
        for number in range(12):
            await accept(plain, f"n{number}", f"c{number}@customer.example")
        relays = [Relay(plain, {Medium.MAIL: mail}, pace=QUICK) for _ in range(5)]
        stop = asyncio.Event()
        running = [asyncio.create_task(relay.run(stop)) for relay in relays]
        await until_notified(world)
        stop.set()
        ends = await asyncio.gather(*running, return_exceptions=True)
        assert [end for end in ends if not (end is None or isinstance(end, AnotherRelay))] == []
        assert max(Counter(keys(mail)).values()) == 1
        doubted = "SELECT business_key FROM outbox WHERE status = 'uncertain'"
        told = {*keys(mail), *(key for (key,) in await rows(world, doubted))}
        assert len(told) == 12


async def _is_uncertain(engine: AsyncEngine) -> bool:
    return bool(await one(engine, "SELECT count(*) FROM outbox WHERE status = 'uncertain'"))


class TestSlots:
    async def test_a_medium_that_is_stuck_does_not_hold_the_others_up(
        self, world: AsyncEngine, database: Database
    ) -> None:
        hook, mail = Held(), RecordingSender()
        for number in range(20):
            await accept(database, f"n{number}", f"c{number}@customer.example")
        async with relaying(database, {Medium.MAIL: mail, Medium.WEBHOOK: hook}, HOOK, QUICK):
            await until("all mails are sent", lambda: _sent(mail, 20))
            assert len(hook.sent) == QUICK.slots[Medium.WEBHOOK]
            hook.go.set()
            await until_notified(world)
        assert len(set(keys(hook))) == len(hook.sent) == 20


async def _sent(sender: RecordingSender, count: int) -> bool:
    return len(sender.sent) == count
