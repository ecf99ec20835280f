"""A notice to a process that does not run: a person hears of it, but for one that was begun anew at that moment."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.notifications.port import OutboundMessage, ReceiverNotFoundError
from dom.notifications.messages import Medium
from services.database import Database
from services.relay import RelayPace
from store.orders import processes
from tests.worlds.backorders import LEEDS, aside, comes, deal, waits
from tests.worlds.books import rows
from tests.worlds.outside import RecordingSender
from tests.worlds.running import relaying
from tests.worlds.waiting import until_notified

QUICK = RelayPace(poll=0.2, first_pause=0.02, longest_pause=0.05)
_REVIVED = text("SELECT FROM orders WHERE id = :id FOR NO KEY UPDATE NOWAIT")


class RevivedMeanwhile(RecordingSender):
    """The first notice meets no process; then one is begun, which hears all that comes later."""

    def __init__(self, engine: AsyncEngine, order_id: str) -> None:
        super().__init__()
        self._engine, self._order_id = engine, order_id
        self._lives = False

    async def send(self, message: OutboundMessage) -> None:
        """Begin the process once it is too late for this message."""
        if self._lives:
            await super().send(message)
            return
        async with self._engine.begin() as connection:
            await connection.execute(_REVIVED, {"id": self._order_id})
            await processes.process_runs_again(connection, self._order_id)
        self._lives = True
        raise ReceiverNotFoundError("no workflow runs")


class Gone(RecordingSender):
    """No process runs; remembers when an order was locked as it was asked."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__()
        self.locked: list[bool] = []
        self._engine = engine

    async def send(self, message: OutboundMessage) -> None:
        """Nobody is there."""
        async with self._engine.begin() as connection:
            free = await connection.execute(text("SELECT id FROM orders FOR NO KEY UPDATE SKIP LOCKED"))
            self.locked.append(not free.all())
        raise ReceiverNotFoundError("no workflow runs")


@pytest.fixture
async def order_id(world: AsyncEngine) -> str:
    """An order with a notice of the units that are allocated to it."""
    found = await waits(world, "noticed", NEVER=1)
    await comes(world, LEEDS, 1)
    await deal(world)
    return found


async def told(world: AsyncEngine, notices: RecordingSender) -> list[tuple[object, ...]]:
    """The notice's status, once it has been tried."""
    database = Database(engine=world, replaying=True)
    async with relaying(database, {Medium.WORKFLOW: notices, Medium.MAIL: RecordingSender()}, pace=QUICK):
        await until_notified(world)
    return [*await rows(world, "SELECT status FROM outbox WHERE medium = 'workflow'")]


async def test_one_that_began_anew_meanwhile_hears_it(world: AsyncEngine, order_id: str) -> None:
    notices = RevivedMeanwhile(world, order_id)
    assert await told(world, notices) == [("sent",)]
    assert len(notices.sent) == 1
    assert await rows(world, "SELECT kind FROM exceptions") == []
    assert await aside(world) == {order_id: {LEEDS: 1}}


async def test_none_can_begin_between_the_last_try_and_what_a_person_hears(world: AsyncEngine, order_id: str) -> None:
    notices = Gone(world)
    assert await told(world, notices) == [("failed",)]
    assert notices.locked == [False, True]
    assert await rows(world, "SELECT order_id, kind FROM exceptions") == [(order_id, "backorder_no_process")]
