"""A count is right whenever it arrives: twice, late, out of sequence, while orders reserve and goods leave."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store import reconcile, stock
from store.delivery import shipments
from store.enums import LedgerKind
from store.stock import OutOfReach, adjustments, counts, soft
from store.stock.adjustments import Adjustment
from store.stock.soft import SoftRequest, SoftUnits
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.counting import (
    HOUR,
    NODE,
    WAITS,
    count,
    counted,
    counted_at,
    held,
    hold,
    move,
    reserve,
    ship,
)
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.trial import Trial


class TestWhatMovedSince:
    async def test_it_is_added_and_what_moved_before_is_not(self, world: AsyncEngine) -> None:
        await move(world, -7, MONDAY_NOON - HOUR, "before")
        await move(world, 20, MONDAY_NOON + HOUR, "after")
        (result,) = await count(world, counted(90))
        assert (result.outcome, result.on_hand) == ("applied", 110)
        assert await rows(world, "SELECT on_hand_delta, business_key, occurred_at FROM stock_ledger"
                                 " WHERE kind = 'count'") == [(-3, "count/wms/1", MONDAY_NOON)]  # fmt: skip
        await check_books(world)

    async def test_units_reserved_meanwhile_stay_reserved(self, world: AsyncEngine) -> None:
        await reserve(world, "1", 30)
        (result,) = await count(world, counted(80))
        assert (result.on_hand, result.reserved, result.available) == (80, 30, 50)
        await check_books(world, reserved=30)

    async def test_what_left_before_and_is_told_after(self, world: AsyncEngine) -> None:
        """The parcel was gone when the shelf was counted, and is reported later: it is not taken off twice."""
        order_id = await reserve(world, "1", 10)
        await count(world, counted(90))
        await ship(world, order_id, MONDAY_NOON - HOUR)
        assert await balance(world, NODE, "A") == (90, 0)
        await check_books(world)

    async def test_what_left_after_and_is_told_before(self, world: AsyncEngine) -> None:
        order_id = await reserve(world, "1", 10)
        await ship(world, order_id, MONDAY_NOON + HOUR)
        (result,) = await count(world, counted(100))
        assert (result.on_hand, result.reserved) == (90, 0)
        await check_books(world)

    async def test_a_count_of_what_was_never_there_opens_the_balance(self, world: AsyncEngine) -> None:
        results = await count(world, counted(0, sku="NEVER"), counted(4, sku="FAR"))
        assert [(r.outcome, r.on_hand) for r in results] == [("applied", 0), ("applied", 4)]
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE sku = 'NEVER'") == 0
        await check_books(world)

    async def test_nothing_moved_nothing_noted(self, world: AsyncEngine) -> None:
        (result,) = await count(world, counted(100))
        assert (result.outcome, await counted_at(world)) == ("applied", MONDAY_NOON)
        assert await one(world, "SELECT count(*) FROM stock_ledger WHERE kind = 'count'") == 0


class TestClocksThatAreWrong:
    async def test_what_is_said_to_come_in_minutes_is_not_counted_twice(self, world: AsyncEngine) -> None:
        ahead = datetime.now(UTC) + timedelta(minutes=4)
        async with world.begin() as connection:
            goods = stock.Movement(NODE, "A", 10, LedgerKind.RECEIPT, "receipt", "ahead")
            await stock.move(connection, goods, actor="test", at=ahead)
        (result,) = await count(world, counted(110, datetime.now(UTC)))
        assert (result.outcome, result.on_hand) == ("applied", 110)
        await check_books(world)

    async def test_what_is_said_to_leave_in_minutes_is_not_taken_off_twice(self, world: AsyncEngine) -> None:
        order_id = await reserve(world, "1", 10)
        await ship(world, order_id, datetime.now(UTC) + timedelta(minutes=4))
        (result,) = await count(world, counted(90, datetime.now(UTC)))
        assert (result.outcome, result.on_hand) == ("applied", 90)
        await check_books(world)

    async def test_what_left_before_it_was_released_leaves_now(self, world: AsyncEngine) -> None:
        order_id = await reserve(world, "1", 10)
        await count(world, counted(100))
        await ship(world, order_id, datetime(2020, 1, 1, tzinfo=UTC))
        assert await balance(world, NODE, "A") == (90, 0)
        await check_books(world)

    async def test_what_left_before_its_carrier_was_booked_leaves_now(self, world: AsyncEngine) -> None:
        order_id = await reserve(world, "1", 10)
        async with world.begin() as connection:
            label = shipments.BookedShipment(
                id="booking", carrier="northline", method="standard", tracking_number="T", parcels=1, weight_grams=1,
                price=0, currency="GBP", booking={}, label=b"", label_media_type="application/pdf",
            )  # fmt: skip
            assert await shipments.book(connection, label, [f"{order_id}-F1"], MONDAY_NOON)
        await count(world, counted(100, MONDAY_NOON + HOUR))
        await ship(world, order_id, MONDAY_NOON - HOUR)
        assert await balance(world, NODE, "A") == (90, 0)
        await check_books(world)


class TestBelowWhatIsReserved:
    async def test_the_youngest_soft_reservation_goes_first(self, world: AsyncEngine) -> None:
        await hold(world, "old", A=10, B=1)
        await hold(world, "young", A=10, B=1)
        (result,) = await count(world, counted(15))
        assert (result.outcome, result.on_hand, result.reserved_soft) == ("applied", 15, 10)
        assert await held(world) == {"old": 11, "young": 1}, "what it held elsewhere stays"
        assert await counted_at(world) == MONDAY_NOON
        await check_books(world)

    async def test_one_that_has_nothing_left_ends(self, world: AsyncEngine) -> None:
        await hold(world, "cart", A=10)
        await count(world, counted(9))
        assert await rows(world, "SELECT status FROM soft_reservations") == [("released",)]
        reason = await one(world, "SELECT reason FROM stock_ledger WHERE kind = 'soft_release'")
        assert reason == "not there: count wms/1"
        assert not await _extended(world, "cart")
        await hold(world, "cart-2", A=9)
        await check_books(world)

    async def test_what_lapsed_goes_before_what_lives(self, world: AsyncEngine) -> None:
        await hold(world, "alive", A=10)
        await hold(world, "lapsed", A=90)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE reservations SET expires_at = now() - interval '1 s'"
                                          " WHERE soft_id = 'lapsed'"))  # fmt: skip
        await count(world, counted(10))
        assert await held(world) == {"alive": 10}

    async def test_what_orders_have_stays_and_a_person_is_told(self, world: AsyncEngine) -> None:
        await reserve(world, "1", 30)
        await hold(world, "cart", A=5)
        (result,) = await count(world, counted(28))
        assert (result.outcome, result.on_hand, result.reserved, result.shortfall) == ("short", 30, 30, 2)
        assert await held(world) == {}
        assert await counted_at(world) is None, "what leaves still has to be taken off"
        found = await rows(world, "SELECT kind, order_id, detail FROM exceptions")
        assert found[0][:2] == ("count_below_reserved", None)
        assert "30 are reserved for orders; 2 are missing" in str(found[0][2])
        assert (await count(world, counted(28)))[0].outcome == "repeated"
        assert len(await rows(world, "SELECT FROM exceptions")) == 1
        await check_books(world, reserved=30)

    async def test_less_than_nothing(self, world: AsyncEngine) -> None:
        """More left since than was counted: the count was wrong, and a person is told."""
        await move(world, -5, MONDAY_NOON + HOUR, "k")
        (result,) = await count(world, counted(3))
        assert (result.outcome, result.on_hand, result.shortfall) == ("short", 0, 2)
        await check_books(world)

    async def test_after_a_count_that_was_not_taken_in_full_the_next_one_is(self, world: AsyncEngine) -> None:
        order_id = await reserve(world, "1", 30)
        await count(world, counted(28))
        await ship(world, order_id, MONDAY_NOON + HOUR)
        (result,) = await count(world, counted(0, MONDAY_NOON + 2 * HOUR, sequence=2))
        assert (result.outcome, result.on_hand, result.shortfall) == ("applied", 0, 0)
        await check_books(world)


async def _extended(engine: AsyncEngine, soft_id: str) -> bool:
    async with engine.begin() as connection:
        return await soft.extend(connection, soft_id, 60) is not None


class TestWhileOwnersExtend:
    async def test_their_units_are_locked_in_the_sequence_in_which_who_extends_locks_them(
        self, world: AsyncEngine
    ) -> None:
        """A count that waits for the first of an owner's units has locked none of those the owner goes on to."""
        await hold(world, "c1", A=1, B=1)
        async with world.connect() as extending, world.connect() as other:
            await extending.execute(text("SELECT FROM reservations ORDER BY id LIMIT 1 FOR UPDATE"))
            counting = asyncio.create_task(count(world, counted(0), counted(0, sku="B")))
            while not await one(world, WAITS):
                await asyncio.sleep(0.01)
            unlocked = (await other.execute(text("SELECT id FROM reservations FOR UPDATE SKIP LOCKED"))).all()
            assert len(unlocked) == 1
            await other.rollback()
            await extending.rollback()
        assert [result.reserved_soft for result in await counting] == [0, 0]
        await check_books(world)


class TestWhileOrdersReserve:
    async def test_no_unit_is_lost_and_none_sold_twice(self, world: AsyncEngine) -> None:
        """Orders, carts, shipments and counts of the same shelf at once; what was counted is what is there."""
        now = datetime.now(UTC)
        stop, sold = asyncio.Event(), []

        async def buy(number: int) -> None:
            for turn in range(6):
                try:
                    order_id = await reserve(world, f"{number}-{turn}", 2)
                except OutOfReach:
                    continue
                if turn % 2:
                    await ship(world, order_id, datetime.now(UTC))
                    sold.append(2)

        async def carts() -> None:
            for number in range(40):
                if stop.is_set():
                    return
                async with world.begin() as connection:
                    unit = (SoftUnits(NODE, "A", 1), SoftUnits(NODE, "B", 1))
                    await soft.take(connection, [SoftRequest(f"c{number}", "web", f"c{number}", "cart", 600, unit)])

        async def recount() -> None:
            for number in range(1, 12):
                await count(world, counted(70, now, number), counted(100, now, number, "B"), source=f"s{number}")
                await asyncio.sleep(0.01)

        await asyncio.gather(*(buy(number) for number in range(6)), recount(), carts())
        on_hand, reserved = await balance(world, NODE, "A")
        assert on_hand == 70 - sum(sold), "as of then there were 70"
        async with world.connect() as connection:
            _, differences = await reconcile.check(connection)
        assert not differences
        assert reserved == await one(world, "SELECT sum(quantity) FROM reservations WHERE kind = 'firm'"
                                            " AND status = 'active' AND sku = 'A'")  # fmt: skip


@dataclass
class Shelf:
    """The model: what a node truly held at each hour, and what it told us."""

    moves: list[tuple[int, int]] = field(default_factory=list)
    start: int = 1000

    def at(self, hour: int) -> int:
        """Units there at the end of an hour."""
        return self.start + sum(quantity for when, quantity in self.moves if when <= hour)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.tuples(st.integers(1, 9), st.integers(-9, 9).filter(bool)), max_size=8),
    counted_hours=st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True),
    shuffled=st.randoms(use_true_random=False),
)
def test_whatever_arrives_when_the_last_count_and_what_moved_since_stand(
    trial: Trial, moves: list[tuple[int, int]], counted_hours: list[int], shuffled: Any
) -> None:
    """Moves and counts, each as of its own hour, arrive in any sequence, some twice: on hand is the truth."""
    shelf = Shelf(moves)
    messages: list[Any] = [("move", number, hour, quantity) for number, (hour, quantity) in enumerate(moves)]
    messages += [("count", hour, hour, shelf.at(hour)) for hour in counted_hours]
    messages += messages[::3]
    shuffled.shuffle(messages)

    async def run(connection: AsyncConnection) -> None:
        for what, number, hour, quantity in messages:
            at = MONDAY_NOON + hour * HOUR
            if what == "move":
                await adjustments.apply(connection, [Adjustment(NODE, "A", quantity, "t", f"{number}", at)], "test")
            else:
                await counts.apply(connection, [counted(quantity, at, number)], "wms", "test")
        found = await connection.scalar(
            text("SELECT on_hand FROM stock WHERE node_id = :node AND sku = 'A'"), {"node": NODE}
        )
        assert found == shelf.at(10)

    trial(run)
