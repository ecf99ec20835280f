"""How a relay ends, and what must not end it: foreign words, a later relay, a worker that drains, a cancellation."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from temporalio.testing import ActivityEnvironment

from activities.relaying import Relayed, Relaying, RelayTurn
from connectors.notifications.mail import MailSender
from connectors.notifications.port import OutboundMessage, ReceiverNotFoundError, Sender, TemporaryFailureError
from dom.channels.channel import Channel
from dom.notifications.messages import Medium, Notice
from dom.shared.errors import OutsideFailure
from services.capture import capture
from services.channel_webhooks import ChannelWebhooks
from services.database import Database
from services.relay import Relay, RelayPace
from store import channels
from store.database.engine import create
from store.notifications import outbox
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.failing import Held, SenderOfBadNews, Shaky
from tests.worlds.outside import RecordingSender
from tests.worlds.running import relaying
from tests.worlds.waiting import until, until_notified

HOOK = "https://shop.example/hook"
QUICK = RelayPace(poll=0.2, first_pause=0.02, longest_pause=0.05)
SLEEPY = RelayPace(poll=600.0)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FOREIGN = "550 no \udcff\0 such box"
LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^LISTEN' AND datname = current_database()"
KEPT = "550 no \\udcff such box"


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    """What activities work on, without a webhook of orders."""
    return Database(engine=world, replaying=True)


async def accept(database: Database, external_id: str, email: str = "ada@customer.example") -> None:
    """An order whose confirmation has not gone out yet."""
    order = small.order(external_id, A=1, customer={"id": "C1", "name": "Ada Young", "email": email})
    await capture(database, order)


class Failing(RecordingSender):
    """Fails with an error at the first `times`, and takes all others."""

    def __init__(self, error: Exception, times: int = 1) -> None:
        super().__init__()
        self._error, self._times = error, times

    async def send(self, message: OutboundMessage) -> None:
        """Take it, or fail."""
        if self._times:
            self._times -= 1
            raise self._error
        await super().send(message)


class TestForeignWords:
    """What others say of a failure is stored whatever bytes it is made of."""

    @pytest.mark.parametrize("kind", [OutsideFailure, RuntimeError])
    async def test_of_a_mail_that_does_not_leave(
        self, world: AsyncEngine, database: Database, kind: type[Exception]
    ) -> None:
        mail = Failing(kind(FOREIGN))
        await accept(database, "first")
        async with relaying(database, {Medium.MAIL: mail}, pace=QUICK):
            await until_notified(world)
            await accept(database, "second")
            await until_notified(world)
        assert [message.key for message in mail.sent] == ["web-second/accepted/mail"]
        for query in ("SELECT error FROM outbox WHERE error <> ''", "SELECT detail FROM exceptions"):
            assert "such box" in str(await one(world, query))

    async def test_of_one_that_is_put_off(self, world: AsyncEngine, database: Database) -> None:
        patient = RelayPace(poll=0.2, first_pause=600.0, longest_pause=600.0)
        await accept(database, "first")
        async with relaying(database, {Medium.MAIL: Failing(TemporaryFailureError(FOREIGN))}, pace=patient):
            await until("it was put off", lambda: _is(world, "SELECT error FROM outbox", KEPT))

    async def test_of_a_receiver_that_is_gone(self, world: AsyncEngine, database: Database) -> None:
        await notice(database)
        senders: dict[Medium, Sender] = {
            Medium.WORKFLOW: Failing(ReceiverNotFoundError(FOREIGN), times=2),
            Medium.MAIL: RecordingSender(),
        }
        async with relaying(database, senders, pace=QUICK):
            await until_notified(world)
        of_notice = "SELECT status, error FROM outbox WHERE medium = 'workflow'"
        assert await rows(world, of_notice) == [("failed", KEPT)]

    async def test_of_a_mail_server(self, world: AsyncEngine, database: Database) -> None:
        """It answers in Latin-1, which SMTP does not allow and servers do."""
        server = await asyncio.start_server(_refuses_in_latin_1, "127.0.0.1", 0)
        await accept(database, "1")
        port = server.sockets[0].getsockname()[1]
        async with (
            server,
            MailSender("127.0.0.1", port, "Shop <orders@dom.example>") as mail,
            relaying(database, {Medium.MAIL: mail}, pace=QUICK),
        ):
            await until_notified(world)
        ((status, why),) = await rows(world, "SELECT status, error FROM outbox")
        assert status == "failed"
        assert "550 bo\\udceete inconnue" in why


async def _refuses_in_latin_1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mx\r\n")
    while line := await reader.readline():
        refused = line.upper().startswith(b"RCPT")
        writer.write("550 boîte inconnue\r\n".encode("latin-1") if refused else b"250 OK\r\n")
    writer.close()


async def _is(engine: AsyncEngine, query: str, wanted: object) -> bool:
    return bool(await one(engine, query) == wanted)


class Refusing(Held):
    """Takes its time, and then refuses."""

    async def send(self, message: OutboundMessage) -> None:
        """Refuse, once it may go."""
        await super().send(message)
        raise OutsideFailure("no such receiver")


class TestTakenOver:
    async def test_what_another_relay_sent_is_no_exception_of_the_first(
        self, world: AsyncEngine, database: Database
    ) -> None:
        hooks, first, second = Database(engine=world, replaying=True, webhooks=True), Refusing(), RecordingSender()
        await accept(hooks, "1")
        relay = Relay(hooks, {Medium.WEBHOOK: first}, HOOK, SLEEPY)
        running = asyncio.create_task(relay.run(asyncio.Event()))
        await first.taken.wait()
        await until("it listens, and is not woken by that any more", lambda: _is(world, LISTENING, 1))
        await asyncio.sleep(0.1)
        async with relaying(hooks, {Medium.WEBHOOK: second, Medium.MAIL: second}, HOOK, QUICK):
            await until_notified(world)
            first.go.set()
            with pytest.raises(outbox.AnotherRelay):
                await running
        assert {status for (status,) in await rows(world, "SELECT status FROM outbox")} == {"sent"}
        assert await rows(world, "SELECT kind, business_key FROM exceptions") == []
        assert relay.counts.total() == 0


class Hanging(Held):
    """Holds a message, and remembers that it was cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.was_cut = False

    async def send(self, message: OutboundMessage) -> None:
        """Wait; note it if nobody waits with us."""
        try:
            await super().send(message)
        except asyncio.CancelledError:
            self.was_cut = True
            raise


@asynccontextmanager
async def turn(
    database: Database, mail: Sender, *, seconds: float = 60.0, drain_seconds: float = 10.0, pace: RelayPace = QUICK
) -> AsyncIterator[tuple[ActivityEnvironment, "asyncio.Task[Relayed]"]]:
    """A turn of the relay's activity, which ends with the block."""
    environment = ActivityEnvironment()
    activity = Relaying(database, {Medium.MAIL: mail}, drain_seconds=drain_seconds, pace=pace)
    running = asyncio.create_task(environment.run(activity.relay_outbox, RelayTurn(seconds=seconds, beat=0.1)))
    try:
        yield environment, running
    finally:
        running.cancel()
        await asyncio.wait({running})


class TestTurnEnds:
    async def test_before_a_draining_worker_would_cut_it_off(self, world: AsyncEngine, database: Database) -> None:
        mail = Hanging()
        await accept(database, "1")
        async with turn(database, mail, drain_seconds=4.0) as (environment, running):
            await mail.taken.wait()
            environment.worker_shutdown()
            async with asyncio.timeout(3.5):
                relayed = await running
        assert (mail.was_cut, relayed.waiting) == (True, 1)
        assert await rows(world, "SELECT status FROM outbox") == [("sending",)], "the next relay says it is uncertain"

    async def test_with_what_a_draining_worker_has_time_for(self, world: AsyncEngine, database: Database) -> None:
        mail = Hanging()
        await accept(database, "1")
        async with turn(database, mail) as (environment, running):
            await mail.taken.wait()
            environment.worker_shutdown()
            await asyncio.sleep(0.5)
            mail.go.set()
            assert (await running).sent == 1
        assert not mail.was_cut
        assert await rows(world, "SELECT status FROM outbox") == [("sent",)]

    async def test_with_all_that_was_under_way_where_nobody_hurries(
        self, world: AsyncEngine, database: Database
    ) -> None:
        """It waits for longer than a draining worker has time for."""
        mail = Hanging()
        await accept(database, "1")
        async with turn(database, mail, seconds=0.3, drain_seconds=2.5) as (_, running):
            await mail.taken.wait()
            await asyncio.sleep(2.0)
            assert not running.done()
            mail.go.set()
            assert (await running).sent == 1
        assert not mail.was_cut

    async def test_at_once_when_it_is_cancelled(self, world: AsyncEngine, database: Database) -> None:
        mail = Hanging()
        await accept(database, "1")
        async with turn(database, mail) as (environment, running):
            await mail.taken.wait()
            environment.cancel()
            async with asyncio.timeout(4.0):
                with pytest.raises(asyncio.CancelledError):
                    await running
        assert mail.was_cut

    async def test_cancelled_while_it_drains_it_leaves_nobody_behind(
        self, world: AsyncEngine, database: Database
    ) -> None:
        mail = Hanging()
        await accept(database, "1")
        async with turn(database, mail, drain_seconds=60.0) as (environment, running):
            await mail.taken.wait()
            environment.worker_shutdown()
            await asyncio.sleep(0.2)
            environment.cancel()
            async with asyncio.timeout(4.0):
                await asyncio.wait({running})
        assert mail.was_cut, "its sender goes on behind the back of an activity that has ended"

    async def test_what_it_knows_is_written_down_when_it_is_cancelled(self, world: AsyncEngine) -> None:
        """The mail has left; the database was away when that was to be written, and is back."""
        database = Shaky(engine=world, replaying=True)
        mail = SenderOfBadNews(database, attempts=1)
        await accept(database, "1")
        relay = asyncio.create_task(Relay(database, {Medium.MAIL: mail}, pace=QUICK).run(asyncio.Event()))
        await until("the database went away", lambda: _left(database, 0))
        relay.cancel()
        await asyncio.wait({relay})
        assert await rows(world, "SELECT status FROM outbox") == [("sent",)]


async def _left(database: Shaky, attempts: int) -> bool:
    return database.outage == [attempts]


class TestCancelledWhileItConnects:
    async def test_a_sender_leaves_no_connection_behind(self, world: AsyncEngine, world_url: str) -> None:
        """Neither one that the pool takes for used nor one that the pool does not know of."""
        async with world.begin() as connection:
            await channels.put(connection, Channel(id="web", name="web"))
        message = OutboundMessage(key="k", medium=Medium.AVAILABILITY, recipient="web")
        gc.disable()  # it would find what is lost, some time
        try:
            for _ in range(10):
                engine = create(world_url, 4)
                webhooks = ChannelWebhooks(engine)
                sending = [asyncio.create_task(webhooks.send(message)) for _ in range(10)]
                for number, each in enumerate(sending):
                    await asyncio.sleep(number / 2000)
                    each.cancel()
                await asyncio.wait(sending)
                assert _used(engine) == 0
                await engine.dispose()
            await until("no connection but ours is left", lambda: _is(world, OTHERS, 0))
        finally:
            gc.enable()


OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def _used(engine: AsyncEngine) -> int:
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def notice(database: Database) -> None:
    """A notice to an order's process."""
    await accept(database, "1")
    async with database.engine.begin() as connection:
        await outbox.write(connection, outbox.to_order("web-1", Notice.REOPTIMISED, {}, key="k"))
