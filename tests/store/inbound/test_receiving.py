"""Inbound goods arrive: in parts, several times, at the same moment; none is lost or made."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared.errors import (
    Conflict,
    DomError,
    InvalidInput,
    StepNotPossible,
    StockConflict,
)
from services import stock_updates
from store import inbound, stock
from store.enums import InboundKind
from store.inbound import Announcement, Arrived, Receipt
from store.stock import OutOfReach, counts
from store.stock.counts import Count
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.inbounds import (
    FRIDAY,
    NODES,
    SKUS,
    _made,
    _units,
    announce,
    cancel,
    conditions,
    counted,
    get,
    in_transit,
    order,
    receive,
    ship,
    transfer,
)
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place


async def found(engine: AsyncEngine, units: int, sequence: int) -> int | None:
    """What is on hand once so many were counted."""
    async with engine.begin() as connection:
        count = Count("dc-leeds", "A", units, datetime.now(UTC), sequence)
        return (await counts.apply(connection, [count], "wms", "test"))[0].on_hand


class TestReceiving:
    async def test_in_parts_and_by_condition(self, world: AsyncEngine) -> None:
        await announce(world, order(A=10, NEVER=4))
        assert await receive(world, "PO-1", "1", Arrived("A", 6, damaged=1), Arrived("NEVER", 0, quarantine=1))
        assert (await get(world, "PO-1"))["status"] == "announced"
        assert await receive(world, "PO-1", "2", Arrived("NEVER", 3), Arrived("A", 3))
        found = await get(world, "PO-1")
        assert found["status"] == "received"
        assert [line["received"] for line in found["lines"]] == [10, 4]
        assert [receipt["idempotency_key"] for receipt in found["receipts"]] == ["1", "2"]
        assert await conditions(world, "dc-leeds", "A") == (109, 1, 0)
        assert await conditions(world, "dc-leeds", "NEVER") == (3, 0, 1)
        assert await rows(world, "SELECT DISTINCT kind FROM stock_ledger WHERE business_key LIKE 'inbound/%'") == [
            ("receipt",)
        ]
        await check_books(world)

    async def test_what_is_said_to_come_or_go_in_minutes_is_not_counted_twice(self, world: AsyncEngine) -> None:
        ahead = datetime.now(UTC) + timedelta(minutes=4)
        await announce(world, order(A=10))
        await receive(world, "PO-1", "1", Arrived("A", 10), occurred_at=ahead)
        assert await found(world, 110, 1) == 110
        await announce(world, transfer(A=10))
        await ship(world, at=ahead)
        assert await found(world, 100, 2) == 100
        await check_books(world)

    @pytest.mark.parametrize(
        ("kind", "noted"),
        [(InboundKind.PURCHASE_ORDER, "receipt"), (InboundKind.RETURN, "restock"), (InboundKind.TRANSFER,
                                                                                    "transfer_in")],
    )  # fmt: skip
    async def test_the_ledger_says_where_it_came_from(self, world: AsyncEngine, kind: InboundKind, noted: str) -> None:
        origin = "wh-london" if kind is InboundKind.TRANSFER else None
        await announce(world, Announcement("X", kind, "dc-leeds", origin, FRIDAY, 50, (("A", 2),)))
        if origin:
            await ship(world, "X")
        await receive(world, "X", "1", Arrived("A", 2))
        assert await one(world, "SELECT kind FROM stock_ledger WHERE business_key = 'inbound/X/receive/1'") == noted

    async def test_a_key_counts_once(self, world: AsyncEngine) -> None:
        await announce(world, order(A=10))
        assert [await receive(world, "PO-1", "1", Arrived("A", 4)) for _ in range(3)] == [True, False, False]
        assert await balance(world, "dc-leeds", "A") == (104, 0)
        with pytest.raises(Conflict) as refused:
            await receive(world, "PO-1", "1", Arrived("A", 5))
        assert refused.value.field == "idempotency_key"
        await receive(world, "PO-1", "2", closed=True)
        assert not await receive(world, "PO-1", "1", Arrived("A", 4)), "a late repeat finds it ended, and is no error"
        assert not await receive(world, "PO-1", "2", closed=True)

    async def test_two_receivers_with_one_key(self, world: AsyncEngine) -> None:
        await announce(world, order(A=10, NEVER=3))
        both = Arrived("A", 4), Arrived("NEVER", 1)
        outcomes = await asyncio.gather(*(receive(world, "PO-1", "1", *both) for _ in range(12)))
        assert sum(outcomes) == 1
        assert await balance(world, "dc-leeds", "A") == (104, 0)
        assert await balance(world, "dc-leeds", "NEVER") == (1, 0)
        await check_books(world)

    async def test_two_receivers_with_their_own_keys(self, world: AsyncEngine) -> None:
        await announce(world, order(NEVER=100))
        await asyncio.gather(*(receive(world, "PO-1", str(number), Arrived("NEVER", 1)) for number in range(20)))
        assert await balance(world, "dc-leeds", "NEVER") == (20, 0)
        assert (await get(world, "PO-1"))["lines"][0]["expected"] == 80

    async def test_more_than_announced_is_kept(self, world: AsyncEngine) -> None:
        await announce(world, order(A=10))
        await receive(world, "PO-1", "1", Arrived("A", 12))
        line = (await get(world, "PO-1"))["lines"][0]
        assert (line["received"], line["surplus"], line["missing"]) == (12, 2, 0)
        assert await balance(world, "dc-leeds", "A") == (112, 0)
        assert await one(world, "SELECT count(*) FROM exceptions") == 0

    async def test_closing_says_what_did_not_come(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=10, B=5))
        await ship(world)
        await receive(world, "T-1", "1", Arrived("A", 7), Arrived("B", 5), closed=True)
        found = await get(world, "T-1")
        assert [(line["missing"], line["expected"]) for line in found["lines"]] == [(3, 0), (0, 0)]
        assert found["status"] == "received"
        assert await in_transit(world) == 0
        detail = "transfer T-1 from dc-leeds to wh-london: 3 units did not come"
        assert await rows(world, "SELECT order_id, kind, detail, status FROM exceptions") == [
            (None, "transfer_short", detail, "open")
        ]

    async def test_a_purchase_order_that_is_short_is_nobodys_exception(self, world: AsyncEngine) -> None:
        await announce(world, order(A=10))
        await receive(world, "PO-1", "1", closed=True)
        assert (await get(world, "PO-1"))["lines"][0]["missing"] == 10
        assert await one(world, "SELECT count(*) FROM exceptions") == 0

    async def test_a_transfer_that_brings_too_much_is_looked_at(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=10))
        await ship(world)
        await receive(world, "T-1", "1", Arrived("A", 11))
        assert await rows(world, "SELECT kind FROM exceptions") == [("transfer_over",)]

    async def test_a_transfer_is_received_back(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=10))
        await ship(world)
        with pytest.raises(StepNotPossible, match="receive it back at dc-leeds"):
            await cancel(world)
        await receive(world, "T-1", "1", Arrived("A", 4))
        await receive(world, "T-1", "2", Arrived("A", 5, damaged=1), node_id="dc-leeds")
        assert await conditions(world, "dc-leeds", "A") == (95, 1, 0)
        assert await conditions(world, "wh-london", "A") == (54, 0, 0)
        assert (await get(world, "T-1"))["status"] == "received"
        assert await in_transit(world) == 0
        await check_books(world)

    async def test_what_arrived_before_the_count_was_seen_by_it(self, world: AsyncEngine) -> None:
        await counted(world, "dc-leeds", "A", MONDAY_NOON)
        await announce(world, order(A=10))
        early = MONDAY_NOON - timedelta(hours=1)
        await receive(world, "PO-1", "1", Arrived("A", 4, damaged=1), occurred_at=early)
        assert await conditions(world, "dc-leeds", "A") == (100, 1, 0)
        assert not await receive(world, "PO-1", "1", Arrived("A", 4, damaged=1), occurred_at=early)
        await receive(world, "PO-1", "2", Arrived("A", 4), occurred_at=MONDAY_NOON)
        assert (await get(world, "PO-1"))["lines"][0]["received"] == 9
        await receive(world, "PO-1", "3", Arrived("A", 1), occurred_at=MONDAY_NOON + timedelta(seconds=1))
        assert await conditions(world, "dc-leeds", "A") == (101, 1, 0)
        await check_books(world)

    @pytest.mark.parametrize(
        ("lines", "more", "field"),
        [
            ((Arrived("B", 1),), {}, "lines[0].sku"),
            ((Arrived("A", 1), Arrived("A", 1)), {}, "lines[1].sku"),
            ((Arrived("A", 0),), {}, "lines[0].quantity"),
            ((), {}, "lines"),
            ((Arrived("A", 1),), {"node_id": "st-york"}, "node_id"),
            ((Arrived("A", 1),), {"node_id": "nowhere"}, "node_id"),
        ],
    )
    async def test_what_cannot_be_is_refused(
        self, world: AsyncEngine, lines: tuple[Arrived, ...], more: dict[str, str], field: str
    ) -> None:
        await announce(world, order(A=5))
        with pytest.raises(InvalidInput) as refused:
            await receive(world, "PO-1", "1", *lines, **more)
        assert refused.value.field == field
        assert await one(world, "SELECT count(*) FROM inbound_receipts") == 0

    async def test_not_before_it_was_shipped_nor_after_the_end(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=5))
        with pytest.raises(StepNotPossible):
            await receive(world, "T-1", "1", Arrived("A", 5))
        await cancel(world)
        with pytest.raises(StepNotPossible):
            await receive(world, "T-1", "1", Arrived("A", 5))
        await announce(world, order(A=5))
        await receive(world, "PO-1", "1", Arrived("A", 5))
        with pytest.raises(StepNotPossible):
            await receive(world, "PO-1", "2", Arrived("A", 1))
        with pytest.raises(StepNotPossible):
            await cancel(world, "PO-1")

    async def test_a_key_of_one_reference_is_no_key_of_another(self, world: AsyncEngine) -> None:
        for reference in ("PO-1", "PO-2"):
            await announce(world, order(reference, A=5))
            assert await receive(world, reference, "1", Arrived("A", 5))
        assert await balance(world, "dc-leeds", "A") == (110, 0)


class TestAtOnce:
    @pytest.mark.parametrize("attempt", range(4))
    async def test_shipping_and_reserving_the_last_units(self, world: AsyncEngine, attempt: int) -> None:
        held = small.order(f"last-{attempt}", RARE=2)
        units = await place(world, held)
        await announce(world, transfer(RARE=2))

        async def take() -> None:
            async with world.begin() as connection:
                await stock.reserve(connection, held.order_id, held.channel, units, [], MONDAY_NOON)

        outcomes = await asyncio.gather(ship(world), take(), return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) == 1
        assert all(outcome is None or isinstance(outcome, StockConflict | OutOfReach) for outcome in outcomes)
        won = outcomes[0] is None
        assert await balance(world, "dc-leeds", "RARE") == ((0, 0) if won else (2, 2))
        await check_books(world, reserved=0 if won else 2)

    async def test_receiving_and_calling_off(self, world: AsyncEngine) -> None:
        for number in range(8):
            await announce(world, order(f"PO-{number}", B=1))
            outcomes = await asyncio.gather(
                receive(world, f"PO-{number}", "1", Arrived("B", 1)),
                cancel(world, f"PO-{number}"),
                return_exceptions=True,
            )
            assert sum(isinstance(outcome, StepNotPossible) for outcome in outcomes) == 1
        ended = "SELECT count(*) FILTER (WHERE status = 'received') FROM inbound"
        assert await balance(world, "dc-leeds", "B") == (100 + int(str(await one(world, ended))), 0)
        await check_books(world)

    async def test_many_ship_one_transfer(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=60))
        await asyncio.gather(*(ship(world) for _ in range(8)))
        assert await balance(world, "dc-leeds", "A") == (40, 0)

    async def test_a_crash_in_the_middle_leaves_nothing(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=10))

        async def dying(work: Callable[[AsyncConnection], Awaitable[object]]) -> None:
            async with world.connect() as connection:
                await connection.begin()
                await work(connection)
                await connection.invalidate()

        await dying(lambda connection: inbound.ship(connection, "T-1", actor="dock", at=MONDAY_NOON))
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        await ship(world)
        receipt = Receipt("T-1", "1", (Arrived("A", 10),), False, "dock", MONDAY_NOON)
        await dying(lambda connection: stock_updates.receive(connection, receipt))
        assert (await balance(world, "wh-london", "A"), await in_transit(world)) == ((50, 0), 10)
        assert await receive(world, "T-1", "1", Arrived("A", 10))
        assert (await balance(world, "wh-london", "A"), await in_transit(world)) == ((60, 0), 0)


class TestNeverLostOrMade:
    """In nodes, in transit and missing is what there was, what was bought, and what transfers brought beyond that."""

    @pytest.mark.parametrize("seed", range(10))
    async def test_whatever_is_done(self, world: AsyncEngine, seed: int) -> None:
        dice = random.Random(seed)
        before, came = await _units(world), 0
        for _ in range(60):
            came += await self._step(world, dice)
            assert await _units(world) + await in_transit(world) == before + await _made(world)
        assert came == await one(world, "SELECT sum(received) FROM inbound_lines")
        assert came > 0
        await check_books(world)

    @pytest.mark.parametrize("seed", range(3))
    async def test_whatever_is_done_at_once(self, world: AsyncEngine, seed: int) -> None:
        dice = random.Random(100 + seed)
        before = await _units(world)

        async def one_after_the_other() -> int:
            return sum([await self._step(world, dice) for _ in range(30)])

        async with asyncio.timeout(60):
            came = await asyncio.gather(*(one_after_the_other() for _ in range(6)))
        assert await _units(world) + await in_transit(world) == before + await _made(world)
        assert sum(came) == await one(world, "SELECT sum(received) FROM inbound_lines")
        assert sum(came) > 0
        await check_books(world)

    async def _step(self, engine: AsyncEngine, dice: random.Random) -> int:
        """One thing that somebody does, sensible or not; only domain errors may come of it. Answers what came."""
        reference = f"I-{dice.randrange(6)}"
        skus = dice.sample(SKUS, dice.randint(1, 3))
        kind = dice.choice(list(InboundKind))
        origin, node_id = dice.sample(NODES, 2)
        does = dice.random()
        try:
            if does < 0.3:
                lines = tuple((sku, dice.randint(1, 30)) for sku in skus)
                come_from = origin if kind is InboundKind.TRANSFER else None
                await announce(engine, Announcement(reference, kind, node_id, come_from, FRIDAY, 50, lines))
            elif does < 0.5:
                await ship(engine, reference)
            elif does < 0.95:
                arrived = [Arrived(sku, *(dice.randint(0, 12) for _ in range(3))) for sku in skus]
                more = {"closed": dice.random() < 0.15, "node_id": dice.choice([None, None, node_id, origin])}
                if await receive(engine, reference, f"k{dice.randrange(40)}", *arrived, **more):
                    return sum(line.quantity + line.damaged + line.quarantine for line in arrived)
            else:
                await cancel(engine, reference)
        except DomError:
            pass
        return 0
