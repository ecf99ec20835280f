"""Allowed returns are followed as inbound goods; the units go where their disposition says, once."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.returning import CommitReturn, OpenReturn, Returning
from dom.orders.order import Order
from dom.orders.status import Disposition, FulfilmentStatus
from dom.returns import CancelReturn, CloseReturn, Inspect, Receive, Step
from services.capture import capture
from services.database import Database
from store import inbound
from store.enums import InboundKind
from store.inbound import Announcement
from tests.worlds import small
from tests.worlds.advancing import comes_to
from tests.worlds.books import check_books, one, rows
from tests.worlds.sourcing import MONDAY, MONDAY_NOON

S = FulfilmentStatus
HEAD = "SELECT kind, status, node_id, due_on, confidence FROM inbound WHERE reference = :reference"
LINES = "SELECT sku, quantity, received FROM inbound_lines WHERE reference = :reference ORDER BY sku"
HELD = "SELECT sku, on_hand, damaged, quarantine FROM stock WHERE node_id = 'dc-leeds' AND sku IN ('A', 'B') ORDER BY 1"


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    return Database(engine=world)


async def deliver(database: Database, order: Order) -> None:
    await capture(database, order)
    await comes_to(database.engine, f"{order.order_id}-F1", S.PACKED, S.BOOKED, S.HANDED_OVER, S.DELIVERED)


def two_lines_of_one_sku() -> Order:
    """Lines 1 and 3 are both of A."""
    goods = (("1", "A", 3), ("2", "B", 2), ("3", "A", 2))
    return small.order("back", lines=[{"line_id": i, "sku": s, "quantity": q, "unit_price": 100} for i, s, q in goods])


class Return:
    """A return of two lines of A and one of B."""

    def __init__(self, database: Database) -> None:
        self.returning = Returning(database)
        self.about = {
            "return_id": "web-back-R1",
            "order_id": "web-back",
            "actor": "node",
            "occurred_at": MONDAY_NOON,
        }

    async def open(self, *lines: tuple[str, int]) -> None:
        await self.returning.open_return(OpenReturn(**self.about, lines=lines, reason="big", node_id=None))

    async def receive(self, request: str = "received", **units: int) -> None:
        lines = tuple((line.removeprefix("line"), count) for line, count in units.items())
        await self._commit(Receive(lines=lines), request)

    async def finish(self, *found: tuple[str, Disposition, int]) -> None:
        await self._commit(Inspect(found=found), "inspected")

    async def close(self) -> None:
        await self._commit(CloseReturn(), "closed")

    async def cancel(self) -> None:
        await self._commit(CancelReturn(), "cancelled")

    async def _commit(self, command: Step, request: str) -> None:
        await self.returning.commit_return(CommitReturn(**self.about, command=command, request=request))


@pytest.fixture
async def allowed(database: Database) -> Return:
    await deliver(database, two_lines_of_one_sku())
    return Return(database)


class TestFollowed:
    async def test_announced_received_and_closed(self, world: AsyncEngine, allowed: Return) -> None:
        await allowed.open(("1", 2), ("2", 1), ("3", 1))
        due_on = MONDAY + timedelta(days=7)
        assert await rows(world, HEAD, reference="web-back-R1") == [("return", "announced", "dc-leeds", due_on, 60)]
        assert await rows(world, LINES, reference="web-back-R1") == [("A", 3, 0), ("B", 1, 0)]
        before = await rows(world, HELD)
        for _ in range(2):
            await allowed.receive("first", line1=1)
        for _ in range(2):
            await allowed.receive("second", line1=1, line3=1)
        assert await rows(world, HEAD, reference="web-back-R1") == [("return", "announced", "dc-leeds", due_on, 60)]
        assert await rows(world, LINES, reference="web-back-R1") == [("A", 3, 3), ("B", 1, 0)]
        assert await rows(world, HELD) == before, "what arrived is in no balance before it is inspected"
        for _ in range(2):
            await allowed.finish(("1", Disposition.RESTOCK, 2), ("3", Disposition.RESTOCK, 1))
        for _ in range(2):
            await allowed.close()
        assert await rows(world, HEAD, reference="web-back-R1") == [("return", "received", "dc-leeds", due_on, 60)]
        assert await rows(world, LINES, reference="web-back-R1") == [("A", 3, 3), ("B", 1, 0)]
        assert await rows(world, HELD) == [("A", 98, 0, 0), ("B", 98, 0, 0)]
        await check_books(world)

    async def test_cancelled_it_is_called_off(self, world: AsyncEngine, allowed: Return) -> None:
        await allowed.open(("1", 2))
        await allowed.cancel()
        due_on = MONDAY + timedelta(days=7)
        assert await rows(world, HEAD, reference="web-back-R1") == [("return", "cancelled", "dc-leeds", due_on, 60)]

    async def test_a_reference_somebody_took_before_does_not_hold_the_return_up(
        self, world: AsyncEngine, allowed: Return
    ) -> None:
        taken = Announcement("web-back-R1", InboundKind.PURCHASE_ORDER, "dc-leeds", None, MONDAY, 80, (("B", 9),))
        async with world.begin() as connection:
            await inbound.announce(connection, taken, "planner")
        await allowed.open(("1", 2))
        await allowed.receive(line1=2)
        assert await rows(world, LINES, reference="web-back-R1") == [("B", 9, 0)]
        await allowed.finish(("1", Disposition.RESTOCK, 2))
        assert await one(world, "SELECT status FROM returns") == "refunded"

    async def test_one_that_was_allowed_before_inbound_was_kept(self, world: AsyncEngine, allowed: Return) -> None:
        await allowed.open(("1", 2))
        async with world.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM inbound_lines")
            await connection.exec_driver_sql("DELETE FROM inbound")
        await allowed.receive(line1=2)
        await allowed.finish(("1", Disposition.RESTOCK, 2))
        assert await rows(world, HELD) == [("A", 97, 0, 0), ("B", 98, 0, 0)]


class TestDispositions:
    async def test_units_go_where_they_belong_once(self, world: AsyncEngine, allowed: Return) -> None:
        await allowed.open(("1", 3), ("2", 2), ("3", 2))
        await allowed.receive(line1=3, line2=2, line3=2)
        found = (
            ("1", Disposition.RESTOCK, 1),
            ("1", Disposition.QUARANTINE, 1),
            ("1", Disposition.SCRAP, 1),
            ("2", Disposition.SCRAP, 2),
            ("3", Disposition.REFURBISH, 1),
            ("3", Disposition.RESTOCK, 1),
        )
        for _ in range(3):
            await allowed.finish(*found)
        assert await rows(world, HELD) == [("A", 97, 0, 2), ("B", 98, 0, 0)]
        noted = "SELECT sku, on_hand_delta, quarantine_delta FROM stock_ledger WHERE kind = 'restock'"
        assert await rows(world, noted) == [("A", 2, 2)]
        await check_books(world)

    @pytest.mark.parametrize("disposition", [Disposition.QUARANTINE, Disposition.REFURBISH])
    async def test_what_waits_for_a_decision_cannot_be_sold(
        self, world: AsyncEngine, allowed: Return, disposition: Disposition
    ) -> None:
        await allowed.open(("2", 2))
        await allowed.receive(line2=2)
        await allowed.finish(("2", disposition, 2))
        assert await rows(world, HELD) == [("A", 95, 0, 0), ("B", 98, 0, 2)]
        await check_books(world)
