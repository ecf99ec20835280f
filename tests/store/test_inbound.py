"""Units on their way are never lost or made: announced, shipped, received in parts, called off; alone and at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared.errors import (
    Conflict,
    DomError,
    InvalidInput,
    NotFound,
    StepNotPossible,
    StockConflict,
    UnknownNode,
    UnknownSku,
)
from services import stock_updates
from store import inbound, stock
from store.enums import InboundKind, InboundStatus
from store.inbound import Announcement, Arrived, InboundFilter, Receipt
from store.inbound.terms import COUNTED, COUNTED_FROM
from store.stock import OutOfReach, soft
from tests.unit.worlds import MONDAY_NOON
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.written import place

FRIDAY = date(2026, 3, 6)
NODES = ("dc-leeds", "wh-london", "st-york")
SKUS = ("A", "B", "RARE")
LINES = "FROM inbound i JOIN inbound_lines l USING (reference)"


def order(reference: str = "PO-1", node_id: str = "dc-leeds", **units: int) -> Announcement:
    """A purchase order."""
    return Announcement(reference, InboundKind.PURCHASE_ORDER, node_id, None, FRIDAY, 80, tuple(units.items()))


def transfer(reference: str = "T-1", to: str = "wh-london", origin: str = "dc-leeds", **units: int) -> Announcement:
    """A transfer between nodes."""
    return Announcement(reference, InboundKind.TRANSFER, to, origin, FRIDAY, 100, tuple(units.items()))


async def announce(engine: AsyncEngine, announced: Announcement) -> bool:
    async with engine.begin() as connection:
        return await inbound.announce(connection, announced, "planner")


async def ship(engine: AsyncEngine, reference: str = "T-1", **more: Any) -> None:
    async with engine.begin() as connection:
        await inbound.ship(connection, reference, **{"actor": "dock", "at": MONDAY_NOON, **more})


async def cancel(engine: AsyncEngine, reference: str = "T-1") -> None:
    async with engine.begin() as connection:
        await inbound.cancel(connection, reference, "planner")


async def receive(engine: AsyncEngine, reference: str, key: str, *lines: Arrived, **more: Any) -> bool:
    fields = {"closed": False, "actor": "dock", "occurred_at": MONDAY_NOON, **more}
    async with engine.begin() as connection:
        return await stock_updates.receive(connection, Receipt(reference, key, lines, **fields))


async def get(engine: AsyncEngine, reference: str) -> dict[str, Any]:
    async with engine.connect() as connection:
        found = await inbound.get(connection, reference)
    assert found is not None
    return dict(found)


async def in_transit(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return sum(row["units"] for row in await inbound.in_transit(connection))


async def conditions(engine: AsyncEngine, node_id: str, sku: str) -> tuple[object, ...]:
    query = "SELECT on_hand, damaged, quarantine FROM stock WHERE node_id = :node_id AND sku = :sku"
    return (await rows(engine, query, node_id=node_id, sku=sku))[0]


class TestAnnouncing:
    async def test_the_same_again_changes_nothing(self, world: AsyncEngine) -> None:
        assert await announce(world, order(A=5, B=2))
        assert not await announce(world, order(B=2, A=5))
        assert (await get(world, "PO-1"))["lines"] == [
            {"sku": "A", "quantity": 5, "received": 0, "expected": 5, "missing": 0, "surplus": 0},
            {"sku": "B", "quantity": 2, "received": 0, "expected": 2, "missing": 0, "surplus": 0},
        ]

    async def test_other_content_replaces_while_nothing_moved(self, world: AsyncEngine) -> None:
        await announce(world, order(A=5, B=2))
        assert not await announce(world, transfer("PO-1", A=7))
        found = await get(world, "PO-1")
        assert [(line["sku"], line["quantity"]) for line in found["lines"]] == [("A", 7)]
        assert (found["kind"], found["origin_node"], found["confidence"]) == ("transfer", "dc-leeds", 100)

    @pytest.mark.parametrize("moved", ["received", "closed", "shipped", "cancelled"])
    async def test_other_content_is_a_conflict_once_something_moved(self, world: AsyncEngine, moved: str) -> None:
        first = transfer(A=5) if moved == "shipped" else order("T-1", A=5)
        await announce(world, first)
        if moved == "shipped":
            await ship(world)
        elif moved == "cancelled":
            await cancel(world)
        else:
            await receive(world, "T-1", "k", *[Arrived("A", 1)], closed=moved == "closed")
        before = await get(world, "T-1")
        with pytest.raises(Conflict):
            await announce(world, order("T-1", A=6))
        assert not await announce(world, first), "a late repeat of what is known does no harm"
        assert await get(world, "T-1") == before

    @pytest.mark.parametrize(
        ("announced", "kind", "field"),
        [
            (order(node_id="nowhere", A=1), UnknownNode, "node_id"),
            (transfer(origin="nowhere", A=1), UnknownNode, "origin_node"),
            (order(A=1, NONE=1), UnknownSku, "lines[1].sku"),
            (transfer(to="dc-leeds", A=1), InvalidInput, "node_id"),
            (Announcement("X", InboundKind.TRANSFER, "dc-leeds", None, FRIDAY, 1, (("A", 1),)), InvalidInput,
             "origin_node"),
            (Announcement("X", InboundKind.RETURN, "dc-leeds", "st-york", FRIDAY, 1, (("A", 1),)), InvalidInput,
             "origin_node"),
            (Announcement("X", InboundKind.RETURN, "dc-leeds", None, FRIDAY, 1, (("A", 1), ("A", 1))), InvalidInput,
             "lines[1].sku"),
        ],
    )  # fmt: skip
    async def test_what_cannot_be_is_refused(
        self, world: AsyncEngine, announced: Announcement, kind: type[DomError], field: str
    ) -> None:
        with pytest.raises(kind) as refused:
            await announce(world, announced)
        assert refused.value.field == field
        assert await one(world, "SELECT count(*) FROM inbound") == 0

    async def test_many_at_once_open_one(self, world: AsyncEngine) -> None:
        fresh = await asyncio.gather(*(announce(world, order(A=1 + number % 2, B=3)) for number in range(12)))
        assert sum(fresh) == 1
        assert [line["quantity"] for line in (await get(world, "PO-1"))["lines"]][1:] == [3]

    async def test_a_return_of_the_house_is_not_to_be_announced_by_others(self, world: AsyncEngine) -> None:
        await _own_return(world)
        with pytest.raises(StepNotPossible):
            await announce(world, order("web-own-R1", A=5))
        with pytest.raises(StepNotPossible):
            await receive(world, "web-own-R1", "k", Arrived("A", 2))


class TestShipping:
    async def test_units_leave_the_origin_and_are_in_transit(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=40, RARE=2))
        for _ in range(3):
            await ship(world)
        assert await balance(world, "dc-leeds", "A") == (60, 0)
        assert await balance(world, "dc-leeds", "RARE") == (0, 0)
        assert await balance(world, "wh-london", "A") == (50, 0)
        assert await in_transit(world) == 42
        entries = "SELECT sku, on_hand_delta, business_key FROM stock_ledger WHERE kind = 'transfer_out' ORDER BY sku"
        key = "inbound/T-1/ship"
        assert await rows(world, entries) == [("A", -40, key), ("RARE", -2, key)]
        await check_books(world)

    async def test_whole_or_not_at_all(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=5, B=101, NEVER=1))
        with pytest.raises(StockConflict) as refused:
            await ship(world)
        assert refused.value.data == {
            "short": [{"sku": "B", "quantity": 101, "free": 100}, {"sku": "NEVER", "quantity": 1, "free": 0}]
        }
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert (await get(world, "T-1"))["status"] == "announced"

    async def test_reserved_units_never_leave(self, world: AsyncEngine) -> None:
        held = small.order(RARE=1)
        await reserve(world, held)
        await announce(world, transfer(RARE=2))
        with pytest.raises(StockConflict):
            await ship(world)
        await announce(world, transfer(RARE=1))
        await ship(world)
        assert await balance(world, "dc-leeds", "RARE") == (1, 1)
        await check_books(world, reserved=1)

    async def test_a_cart_keeps_its_units_until_it_lapses(self, world: AsyncEngine) -> None:
        request = soft.SoftRequest("cart-1", "web", "c", "cart", 900, (soft.SoftUnits("dc-leeds", "RARE", 1),))
        async with world.begin() as connection:
            assert await soft.take(connection, [request]) == [soft.ReservationVerdict.TAKEN]
        await announce(world, transfer(RARE=2))
        with pytest.raises(StockConflict):
            await ship(world)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE reservations SET expires_at = now() - interval '1 second'"))
            await connection.execute(text("UPDATE soft_reservations SET expires_at = now() - interval '1 second'"))
        await ship(world)
        assert await rows(
            world, "SELECT on_hand, reserved_soft FROM stock WHERE node_id = 'dc-leeds' AND sku = 'RARE'"
        ) == [(0, 0)]
        await check_books(world)

    async def test_what_left_before_the_count_was_seen_by_it(self, world: AsyncEngine) -> None:
        await counted(world, "dc-leeds", "A", MONDAY_NOON)
        await announce(world, transfer(A=100, B=1))
        await ship(world, at=MONDAY_NOON - timedelta(hours=1))
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        assert await balance(world, "dc-leeds", "B") == (99, 0)
        assert await in_transit(world) == 101

    async def test_a_purchase_order_on_its_way_moves_nothing(self, world: AsyncEngine) -> None:
        await announce(world, order(A=5))
        await ship(world, "PO-1")
        assert (await get(world, "PO-1"))["status"] == "in_transit"
        assert await in_transit(world) == 0
        await check_books(world)

    async def test_what_was_called_off_or_is_not_there(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=5))
        await cancel(world)
        with pytest.raises(StepNotPossible):
            await ship(world)
        with pytest.raises(NotFound):
            await ship(world, "none")

    async def test_opposite_transfers_do_not_lock_each_other_out(self, world: AsyncEngine) -> None:
        for number in range(20):
            ends = ("wh-london", "dc-leeds") if number % 2 else ("dc-leeds", "wh-london")
            units = {"A": 1, "RARE": 0 if number > 3 else 1}
            units = {sku: quantity for sku, quantity in units.items() if quantity}
            await announce(world, transfer(f"T-{number}", ends[0], ends[1], **units))

        async def all_of_it(number: int) -> None:
            await ship(world, f"T-{number}")
            lines = [Arrived(line["sku"], line["quantity"]) for line in (await get(world, f"T-{number}"))["lines"]]
            await receive(world, f"T-{number}", "k", *lines)

        async with asyncio.timeout(30):
            await asyncio.gather(*map(all_of_it, range(20)))
        assert await in_transit(world) == 0
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        await check_books(world)


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


class TestReading:
    async def test_by_due_date_in_pages(self, world: AsyncEngine) -> None:
        for number in range(5):
            later = FRIDAY + timedelta(days=number % 2)
            await announce(
                world, Announcement(f"R-{number}", InboundKind.RETURN, "st-york", None, later, 1, (("A", 1),))
            )
        async with world.connect() as connection:
            first = await inbound.find(connection, InboundFilter(), after=None, limit=3)
            after = (first[-1]["due_on"], first[-1]["reference"])
            second = await inbound.find(connection, InboundFilter(), after=after, limit=3)
        assert [row["reference"] for row in (*first, *second)] == ["R-0", "R-2", "R-4", "R-1", "R-3"]

    async def test_filters_combine(self, world: AsyncEngine) -> None:
        await announce(world, order("PO-1", A=5, B=3))
        await announce(world, order("PO-2", "wh-london", B=3))
        await announce(world, transfer("T-1", A=1))
        await cancel(world, "PO-1")

        async def found(**filters: Any) -> list[str]:
            async with world.connect() as connection:
                page = await inbound.find(connection, InboundFilter(**filters), after=None, limit=9)
            return [row["reference"] for row in page]

        assert await found(sku="B") == ["PO-1", "PO-2"]
        assert await found(sku="B", status=InboundStatus.CANCELLED) == ["PO-1"]
        assert await found(node_id="wh-london") == ["PO-2", "T-1"]
        assert await found(node_id="wh-london", kind=InboundKind.TRANSFER) == ["T-1"]

    async def test_in_transit_by_ends(self, world: AsyncEngine) -> None:
        await announce(world, transfer(A=10, B=2))
        await ship(world)
        await receive(world, "T-1", "1", Arrived("A", 3), Arrived("B", 5))
        async with world.connect() as connection:
            assert [tuple(dict(row).values()) for row in await inbound.in_transit(connection)] == [
                ("dc-leeds", "wh-london", "A", 7)
            ]
            assert await inbound.in_transit(connection, "B") == []


class TestWhatAtpCountsOn:
    @pytest.mark.parametrize(
        ("days", "shipped", "counted_in"),
        [(3, False, 3), (0, False, 0), (-1, False, None), (3, True, 3), (-1, True, 0)],
    )
    async def test_overdue_goods_only_if_they_are_on_their_way(
        self, world: AsyncEngine, days: int, shipped: bool, counted_in: int | None
    ) -> None:
        today = await one(world, "SELECT (now() AT TIME ZONE 'UTC')::date")
        assert isinstance(today, date)
        due_on = today + timedelta(days=days)
        await announce(world, Announcement("T-1", InboundKind.TRANSFER, "st-york", "dc-leeds", due_on, 60, (("A", 9),)))
        if shipped:
            await ship(world)
            await receive(world, "T-1", "1", Arrived("A", 2))
        query = f"SELECT {COUNTED}, {COUNTED_FROM} {LINES}"
        day = None if counted_in is None else today + timedelta(days=counted_in)
        assert await rows(world, query) == [(4 if shipped else 5, day)]

    async def test_what_has_ended_counts_for_nothing(self, world: AsyncEngine) -> None:
        await announce(world, order(A=9))
        await receive(world, "PO-1", "1", Arrived("A", 2), closed=True)
        await announce(world, order("PO-2", A=9))
        await cancel(world, "PO-2")
        assert await one(world, f"SELECT sum({COUNTED}) {LINES}") == 0


async def reserve(engine: AsyncEngine, held: Any) -> None:
    units = await place(engine, held)
    async with engine.begin() as connection:
        await stock.reserve(connection, held.order_id, held.channel, units, [], MONDAY_NOON)


async def counted(engine: AsyncEngine, node_id: str, sku: str, at: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE stock SET counted_at = :at WHERE node_id = :node_id AND sku = :sku"),
            {"at": at, "node_id": node_id, "sku": sku},
        )


async def _own_return(engine: AsyncEngine) -> None:
    held = small.order("own", A=5)
    await place(engine, held)
    async with engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO returns (id, order_id, node_id, status, number, reason, content_hash, requested_at)
            VALUES ('web-own-R1', 'web-own', 'dc-leeds', 'requested', 1, '', '', now())
            """)
        )
        await inbound.follow_return(connection, "web-own-R1", "dc-leeds", {"A": 5}, allowed_on=FRIDAY, actor="customer")


async def _units(engine: AsyncEngine) -> int:
    return int(str(await one(engine, "SELECT sum(on_hand + damaged + quarantine) FROM stock")))


async def _made(engine: AsyncEngine) -> int:
    """Bought or given back, and what transfers brought more than was sent, less what transfers lost."""
    return int(
        str(
            await one(
                engine,
                """
                SELECT coalesce(sum(CASE WHEN i.kind <> 'transfer' THEN l.received
                                         WHEN i.status = 'received' THEN l.received - l.quantity
                                         ELSE greatest(l.received - l.quantity, 0) END), 0)
                FROM inbound i JOIN inbound_lines l USING (reference)
                """,
            )
        )
    )
