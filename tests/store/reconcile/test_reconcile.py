# ruff: noqa: S608 -- the statements are our own
"""Reconciling: every fault is found by name and place, mended where it can be, and never a reason to fall over."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services import seed, stock_updates
from store import inbound, reconcile, stock
from store.database import engine as database
from store.enums import InboundKind, LedgerKind
from store.inbound import Announcement, Arrived, Receipt
from store.reconcile import Repaired, StockFault, Trust
from store.stock import Movement
from tests.conftest import _create
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.broken import edit
from tests.worlds.selling import call_off, hand_over, hold, sell
from tests.worlds.sourcing import MONDAY_NOON

OPEN, BOOKED, GONE, OVER = "web-open-F1", "web-booked-F1", "web-gone-F1", "web-over-F1"


async def fill(engine: AsyncEngine) -> None:
    """Open, booked, shipped and cancelled work, a cart that holds a unit and one that lapsed."""
    await sell(engine, small.order("open", A=2, B=3))
    await sell(engine, small.order("booked", A=1), "wh-london", status="booked")
    gone, over = small.order("gone", A=4), small.order("over", B=1)
    await hand_over(engine, gone, await sell(engine, gone))
    await call_off(engine, over, await sell(engine, over))
    await hold(engine, "live", "dc-leeds", "RARE", 1)
    await hold(engine, "lapsed", "st-york", "A", 2, seconds=0)


@pytest.fixture
async def house(world: AsyncEngine) -> AsyncEngine:
    await fill(world)
    return world


async def found(engine: AsyncEngine, trust: Trust = Trust.LEDGER) -> list[tuple[str, str]]:
    """The faults by name, each with its place."""
    findings = await reconcile.find(engine, trust=trust)
    assert findings.total == len(findings.listed)
    return sorted((each.fault.value, str(each.subject)) for each in findings.listed)


async def mend(engine: AsyncEngine, trust: Trust = Trust.LEDGER) -> Repaired:
    return await reconcile.repair(engine, actor="ada", trust=trust, now=datetime.now(UTC))


LEEDS_A = "node_id = 'dc-leeds' AND sku = 'A'"
DAY = "dc-leeds/2026-03-02/"
RESERVATION = """
INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, line_id, fulfilment_id, soft_id, expires_at)
VALUES """
ENTRY = """
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, actor, occurred_at) VALUES """

MENDED: dict[str, tuple[list[str], set[tuple[str, str]]]] = {
    "on hand edited": ([f"UPDATE stock SET on_hand = 99 WHERE {LEEDS_A}"], {("on_hand", "dc-leeds/A")}),
    "on hand gone": ([f"UPDATE stock SET on_hand = NULL WHERE {LEEDS_A}"], {("on_hand", "dc-leeds/A")}),
    "on hand below nothing": (
        [f"UPDATE stock SET on_hand = -7 WHERE {LEEDS_A}"],
        {("on_hand", "dc-leeds/A"), ("impossible", "dc-leeds/A")},
    ),
    "damaged, quarantine and both safeties edited": (
        [f"UPDATE stock SET damaged = 1, quarantine = 2, safety_stock = 3, promise_safety = 4 WHERE {LEEDS_A}"],
        {(name, "dc-leeds/A") for name in ("damaged", "quarantine", "safety_stock", "promise_safety")},
    ),
    "reserved edited": ([f"UPDATE stock SET reserved = 9 WHERE {LEEDS_A}"], {("reserved", "dc-leeds/A")}),
    "reserved below nothing": (
        [f"UPDATE stock SET reserved = -1 WHERE {LEEDS_A}"],
        {("reserved", "dc-leeds/A"), ("impossible", "dc-leeds/A")},
    ),
    "softly reserved edited": (
        [f"UPDATE stock SET reserved_soft = 1 WHERE {LEEDS_A}"],
        {("reserved_soft", "dc-leeds/A")},
    ),
    "more reserved than there is": (
        [f"UPDATE stock SET reserved = 500 WHERE {LEEDS_A}"],
        {("reserved", "dc-leeds/A"), ("impossible", "dc-leeds/A")},
    ),
    "a balance deleted while ledger and reservations stand": (
        [f"DELETE FROM stock WHERE {LEEDS_A}"],
        {("balance_missing", "dc-leeds/A")},
    ),
    "a balance nobody entered": (
        ["INSERT INTO stock (node_id, sku, on_hand) VALUES ('st-york', 'B', 5)"],
        {("ledger_missing", "st-york/B")},
    ),
    "an entry for a place without a balance": (
        [ENTRY + "('st-york', 'B', 'receipt', 5, 'k', 'x', now())"],
        {("balance_missing", "st-york/B")},
    ),
    "an entry deleted": (
        ["DELETE FROM stock_ledger WHERE business_key = 'web-open-F1/reserve' AND sku = 'A'"],
        {("reserved", "dc-leeds/A")},
    ),
    "an entry without a number": (
        ["UPDATE stock_ledger SET on_hand_delta = NULL WHERE business_key = 'web-gone-F1/ship'"],
        {("on_hand", "dc-leeds/A")},
    ),
    "an order deleted": (
        ["DELETE FROM orders WHERE id = 'web-booked'"],
        {("firm_of_no_order", "wh-london/A")},
    ),
    "a fulfilment deleted": (
        [f"DELETE FROM fulfilments WHERE id = '{BOOKED}'"],
        {("firm_of_no_fulfilment", "wh-london/A"), ("node_day", "wh-london/2026-03-02/")},
    ),
    "a line of a fulfilment deleted": (
        [f"DELETE FROM fulfilment_lines WHERE fulfilment_id = '{BOOKED}'"],
        {("firm_quantity", "wh-london/A")},
    ),
    "a fulfilment cancelled by hand": (
        [f"UPDATE fulfilments SET status = 'cancelled' WHERE id = '{BOOKED}'"],
        {("firm_of_ended_fulfilment", "wh-london/A"), ("node_day", "wh-london/2026-03-02/")},
    ),
    "a fulfilment handed over by hand": (
        [f"UPDATE fulfilments SET status = 'handed_over' WHERE id = '{BOOKED}'"],
        {("firm_of_ended_fulfilment", "wh-london/A")},
    ),
    "an order cancelled by hand": (
        ["UPDATE orders SET status = 'cancelled' WHERE id = 'web-booked'"],
        {("firm_of_ended_order", "wh-london/A")},
    ),
    "fewer units wanted than reserved": (
        [f"UPDATE fulfilment_lines SET quantity = 1 WHERE fulfilment_id = '{OPEN}'"],
        {("firm_quantity", "dc-leeds/A"), ("firm_quantity", "dc-leeds/B")},
    ),
    "more units wanted than reserved": (
        [f"UPDATE fulfilment_lines SET quantity = 9 WHERE fulfilment_id = '{OPEN}'"],
        {("firm_quantity", "dc-leeds/A"), ("firm_quantity", "dc-leeds/B")},
    ),
    "a reservation of no number": (
        [f"UPDATE reservations SET quantity = NULL WHERE fulfilment_id = '{BOOKED}'"],
        {("firm_quantity", "wh-london/A"), ("reserved", "wh-london/A")},
    ),
    "a reservation below nothing": (
        [f"UPDATE reservations SET quantity = -3 WHERE fulfilment_id = '{BOOKED}'"],
        {("firm_quantity", "wh-london/A"), ("reserved", "wh-london/A")},
    ),
    "a reservation released by hand": (
        [f"UPDATE reservations SET status = 'released' WHERE fulfilment_id = '{BOOKED}'"],
        {("firm_missing", "wh-london/A"), ("reserved", "wh-london/A")},
    ),
    "a reservation deleted": (
        [f"DELETE FROM reservations WHERE fulfilment_id = '{BOOKED}'"],
        {("firm_missing", "wh-london/A"), ("reserved", "wh-london/A")},
    ),
    "a reservation at another node": (
        [f"UPDATE reservations SET node_id = 'dc-leeds' WHERE fulfilment_id = '{BOOKED}'"],
        {("firm_elsewhere", "dc-leeds/A"), ("reserved", "dc-leeds/A"), ("reserved", "wh-london/A")},
    ),
    "a reservation come back from the dead": (
        [f"UPDATE reservations SET status = 'active' WHERE fulfilment_id = '{GONE}'"],
        {("firm_of_ended_fulfilment", "dc-leeds/A"), ("reserved", "dc-leeds/A")},
    ),
    "a reservation twice": (
        [
            "DROP INDEX reservations_fulfilment_ix",
            RESERVATION + f"('firm', 'active', 'wh-london', 'A', 1, 'web-booked', '1', '{BOOKED}', NULL, NULL)",
        ],
        {("firm_twice", "wh-london/A"), ("reserved", "wh-london/A")},
    ),
    "a reservation of a status nobody knows": (
        [f"UPDATE reservations SET status = 'napping' WHERE fulfilment_id = '{BOOKED}'"],
        {("reservation_unknown", "wh-london/A"), ("firm_missing", "wh-london/A"), ("reserved", "wh-london/A")},
    ),
    "a reservation of a SKU and a node nobody knows": (
        [RESERVATION + "('firm', 'active', 'nowhere', 'NONE', 1, 'web-none', '1', 'web-none-F1', NULL, NULL)"],
        {("balance_missing", "nowhere/NONE"), ("firm_of_no_order", "nowhere/NONE")},
    ),
    "a reservation of nothing at all": (
        [RESERVATION + "('firm', 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"],
        {("balance_missing", "?/?"), ("firm_of_no_order", "?/?")},
    ),
    "a hold whose header is gone": (
        ["DELETE FROM soft_reservations WHERE id = 'live'"],
        {("soft_without_header", "dc-leeds/RARE")},
    ),
    "a hold whose header has ended": (
        ["UPDATE soft_reservations SET status = 'released' WHERE id = 'live'"],
        {("soft_of_ended_header", "dc-leeds/RARE")},
    ),
    "a hold that never ends": (
        ["UPDATE reservations SET expires_at = NULL WHERE soft_id = 'live'"],
        {("soft_without_end", "dc-leeds/RARE")},
    ),
    "a hold of no units": (
        ["UPDATE reservations SET quantity = 0 WHERE soft_id = 'live'"],
        {("soft_quantity", "dc-leeds/RARE"), ("reserved_soft", "dc-leeds/RARE")},
    ),
    "a day that counts too many": (["UPDATE node_days SET used = 9 WHERE node_id = 'dc-leeds'"], {("node_day", DAY)}),
    "a day below nothing": (["UPDATE node_days SET used = -1 WHERE node_id = 'dc-leeds'"], {("node_day", DAY)}),
    "a day nobody counts": (["DELETE FROM node_days WHERE node_id = 'dc-leeds'"], {("node_day", DAY)}),
}


class TestHealthy:
    async def test_a_house_at_work_has_no_difference(self, house: AsyncEngine) -> None:
        findings = await reconcile.find(house)
        assert await found(house) == []
        assert findings.balances == 7
        assert findings.entries == await one(house, "SELECT count(*) FROM stock_ledger")
        assert findings.lapsed == 1, "what lapsed is counted, and no fault"

    async def test_repairing_what_is_whole_changes_nothing(self, house: AsyncEngine) -> None:
        before = await rows(house, "SELECT * FROM stock ORDER BY 1, 2")
        repaired = await mend(house)
        assert (repaired.mended, repaired.left.total, repaired.problems) == (0, 0, {})
        assert await rows(house, "SELECT * FROM stock ORDER BY 1, 2") == before
        assert await one(house, "SELECT count(*) FROM stock_ledger WHERE kind = 'reconcile'") == 0


class TestFromTheStart:
    """What a database is filled with agrees."""

    async def look(self, url: str) -> list[tuple[str, str]]:
        engine = database.create(url, 1)
        try:
            return await found(engine)
        finally:
            await engine.dispose()

    async def test_the_sample_data(self, database_url: str, data_folder: Path) -> None:
        await asyncio.to_thread(seed.seed, database_url, data_folder)
        assert await self.look(database_url) == []


class TestFaults:
    @pytest.mark.parametrize(("statements", "named"), MENDED.values(), ids=MENDED)
    async def test_is_named_mended_and_gone(
        self, house: AsyncEngine, statements: list[str], named: set[tuple[str, str]]
    ) -> None:
        await edit(house, *statements)
        assert set(await found(house)) == named
        repaired = await mend(house)
        assert repaired.problems == {}
        assert await found(house) == [] == repaired.left.listed
        assert repaired.mended == len({place for _, place in named})
        reserved = int(str(await one(house, "SELECT sum(reserved) FROM stock")))
        await check_books(house, reserved=reserved)
        assert await one(house, "SELECT count(*) FROM exceptions") == 0

    async def test_what_repair_does_is_in_the_ledger(self, house: AsyncEngine) -> None:
        await edit(house, f"UPDATE stock SET on_hand = 99 WHERE {LEEDS_A}")
        repaired = await mend(house)
        ((actor, key, moved, reason),) = await rows(
            house, "SELECT actor, business_key, on_hand_delta, reason FROM stock_ledger WHERE kind = 'reconcile'"
        )
        assert (actor, moved) == ("ada", 0), "a balance that comes back to its ledger moves nothing in it"
        assert str(key).startswith(f"reconcile/{repaired.run_id}/")
        assert "on_hand 99 to 96" in str(reason)
        assert await balance(house, "dc-leeds", "A") == (96, 2)

    async def test_the_balance_can_be_trusted_instead(self, house: AsyncEngine) -> None:
        await edit(house, f"UPDATE stock SET on_hand = 99, damaged = 5 WHERE {LEEDS_A}")
        await mend(house, Trust.BALANCE)
        assert await balance(house, "dc-leeds", "A") == (99, 2)
        moved = await rows(house, "SELECT on_hand_delta, damaged_delta FROM stock_ledger WHERE kind = 'reconcile'")
        assert moved == [(3, 5)]
        assert await found(house) == []

    async def test_a_deleted_balance_has_nothing_to_trust(self, house: AsyncEngine) -> None:
        await edit(house, f"DELETE FROM stock WHERE {LEEDS_A}")
        await mend(house, Trust.BALANCE)
        assert await balance(house, "dc-leeds", "A") == (96, 2)
        assert await found(house) == []

    async def test_a_released_unit_is_free_again(self, house: AsyncEngine) -> None:
        await edit(house, f"UPDATE fulfilments SET status = 'rejected' WHERE id = '{BOOKED}'")
        await mend(house)
        assert await balance(house, "wh-london", "A") == (50, 0)
        moved = await rows(house, "SELECT order_id, reserved_delta FROM stock_ledger WHERE kind = 'reconcile'")
        assert moved == [("web-booked", -1)]

    @pytest.mark.parametrize("trust", Trust)
    async def test_units_that_left_are_on_hand_no_more(self, house: AsyncEngine, trust: Trust) -> None:
        await edit(house, f"UPDATE fulfilments SET status = 'delivered' WHERE id = '{BOOKED}'")
        await mend(house, trust)
        assert await balance(house, "wh-london", "A") == (49, 0)
        assert await found(house) == []

    async def test_a_count_after_they_left_has_seen_it(self, house: AsyncEngine) -> None:
        await edit(
            house,
            f"UPDATE fulfilments SET status = 'delivered', updated_at = now() - interval '2 h' WHERE id = '{BOOKED}'",
            "UPDATE stock SET counted_at = now() - interval '1 h' WHERE node_id = 'wh-london' AND sku = 'A'",
        )
        await mend(house)
        assert await balance(house, "wh-london", "A") == (50, 0)

    async def test_a_missing_reservation_is_taken_again(self, house: AsyncEngine) -> None:
        await edit(house, f"DELETE FROM reservations WHERE fulfilment_id = '{OPEN}'")
        await mend(house)
        assert await balance(house, "dc-leeds", "A") == (96, 2)
        held = await rows(house, f"SELECT sku, quantity FROM reservations WHERE fulfilment_id = '{OPEN}' ORDER BY 1")
        assert held == [("A", 2), ("B", 3)]


class TestCannotBeMended:
    """What only a person can decide is named, left as it is, and put into the exception queue once."""

    async def check(self, engine: AsyncEngine, problem: str, left: set[tuple[str, str]], exceptions: int = 1) -> None:
        for _ in range(2):
            repaired = await mend(engine)
            assert [problem in each for each in repaired.problems.values()] == [True], repaired.problems
            assert set(await found(engine)) == left
            assert await one(engine, "SELECT count(*) FROM exceptions WHERE kind = 'stock_reconcile'") == exceptions

    async def test_units_that_others_have_by_now(self, house: AsyncEngine) -> None:
        await sell(house, small.order("rare", RARE=3), "wh-london")
        await edit(house, "DELETE FROM reservations WHERE order_id = 'web-rare'")
        await mend_reserved(house, "wh-london", "RARE")
        await sell(house, small.order("faster", RARE=1), "wh-london")
        await self.check(house, "3 units are to be reserved, 2 are free", {("firm_missing", "wh-london/RARE")})
        assert await rows(house, "SELECT order_id, status FROM exceptions") == [("web-rare", "open")]

    async def test_and_when_they_come_the_exception_is_closed(self, house: AsyncEngine) -> None:
        await self.test_units_that_others_have_by_now(house)
        async with house.begin() as connection:
            receipt = Movement("wh-london", "RARE", 1, LedgerKind.RECEIPT, "receipt", "r")
            await stock.move(connection, receipt, actor="test", at=MONDAY_NOON)
        assert (await mend(house)).problems == {}
        assert await found(house) == []
        assert await rows(house, "SELECT status FROM exceptions") == [("closed",)]

    async def test_the_ledger_itself_says_less_than_nothing(self, house: AsyncEngine) -> None:
        await edit(house, ENTRY + "('wh-london', 'A', 'adjustment', -70, 'k', 'x', now())")
        await self.check(house, "it would say -20 on hand: count the place", {("on_hand", "wh-london/A")})
        assert (await mend(house, Trust.BALANCE)).problems == {}
        assert await balance(house, "wh-london", "A") == (50, 1)

    async def test_more_is_reserved_than_the_ledger_has(self, house: AsyncEngine) -> None:
        await edit(house, ENTRY + "('wh-london', 'A', 'adjustment', -50, 'k', 'x', now())")
        await self.check(house, "1 are reserved, 0 on hand", {("on_hand", "wh-london/A")})

    async def test_a_status_nobody_knows(self, house: AsyncEngine) -> None:
        await edit(house, f"UPDATE fulfilments SET status = 'napping' WHERE id = '{BOOKED}'")
        await self.check(house, "a person must say", {("fulfilment_status_unknown", "web-booked")})
        assert await balance(house, "wh-london", "A") == (50, 1), "its units stay reserved"

    async def test_an_order_without_a_status(self, house: AsyncEngine) -> None:
        await edit(house, "UPDATE orders SET status = NULL WHERE id = 'web-booked'")
        await self.check(house, "a person must say", {("order_status_unknown", "web-booked")})

    async def test_entries_of_a_place_that_is_nowhere(self, house: AsyncEngine) -> None:
        await edit(house, ENTRY + "('nowhere', 'NONE', 'receipt', 5, 'k', 'x', now())")
        await self.check(house, "does not exist", {("balance_missing", "nowhere/NONE")})

    async def test_entries_of_no_place(self, house: AsyncEngine) -> None:
        await edit(house, ENTRY + "(NULL, NULL, 'receipt', 5, 'k', 'x', now())")
        await self.check(house, "does not exist", {("balance_missing", "?/?")})

    async def test_a_sum_no_balance_can_hold(self, house: AsyncEngine) -> None:
        await edit(
            house,
            ENTRY + "('wh-london', 'A', 'receipt', 2000000000, 'k', 'x', now())",
            ENTRY + "('wh-london', 'A', 'receipt', 2000000000, 'l', 'x', now())",
        )
        await self.check(house, "the database refuses: integer out of range", {("on_hand", "wh-london/A")})

    async def test_one_place_does_not_keep_the_others_from_being_mended(self, house: AsyncEngine) -> None:
        await edit(
            house,
            ENTRY + "('wh-london', 'A', 'adjustment', -70, 'k', 'x', now())",
            f"UPDATE stock SET on_hand = 99 WHERE {LEEDS_A}",
        )
        repaired = await mend(house)
        assert repaired.mended == 1
        assert await found(house) == [("on_hand", "wh-london/A")]


async def mend_reserved(engine: AsyncEngine, node_id: str, sku: str) -> None:
    """The balance and its ledger forget what was reserved of a place, as if it had never been."""
    await edit(
        engine,
        f"DELETE FROM stock_ledger WHERE node_id = '{node_id}' AND sku = '{sku}' AND kind = 'reserve'",
        f"UPDATE stock SET reserved = 0 WHERE node_id = '{node_id}' AND sku = '{sku}'",
    )


async def goods_move(engine: AsyncEngine) -> None:
    """A purchase order that came in two parts, one of them damaged, and a transfer that is half there."""
    due = date(2026, 3, 6)
    order = Announcement("PO-1", InboundKind.PURCHASE_ORDER, "dc-leeds", None, due, 80, (("B", 10),))
    transfer = Announcement("T/1", InboundKind.TRANSFER, "wh-london", "dc-leeds", due, 100, (("B", 20),))
    async with engine.begin() as connection:
        for each in (order, transfer):
            await inbound.announce(connection, each, "planner")
        await inbound.ship(connection, "T/1", actor="dock", at=MONDAY_NOON)
        for reference, key, line in (
            ("PO-1", "r1", Arrived("B", 6)),
            ("PO-1", "r2", Arrived("B", 1, damaged=2, quarantine=1)),
            ("T/1", "r1", Arrived("B", 5)),
        ):
            await stock_updates.receive(connection, Receipt(reference, key, (line,), False, "dock", MONDAY_NOON))


class TestInbound:
    """Units on their way are in no balance: what left and what came are compared with the ledger."""

    async def test_goods_on_their_way_are_no_difference(self, house: AsyncEngine) -> None:
        await goods_move(house)
        assert await found(house) == []

    async def test_nor_are_those_a_count_has_seen(self, house: AsyncEngine) -> None:
        async with house.begin() as connection:
            await connection.execute(text("UPDATE stock SET counted_at = :at"), {"at": MONDAY_NOON})
        await goods_move(house)
        assert await found(house) == []

    @pytest.mark.parametrize("value", ["9", "0", "NULL", "-1"])
    async def test_what_was_received_comes_back_to_the_receipts(self, house: AsyncEngine, value: str) -> None:
        await goods_move(house)
        await edit(house, f"UPDATE inbound_lines SET received = {value} WHERE reference = 'T/1'")
        assert await found(house) == [("inbound_received", "T/1/B")]
        assert (await mend(house)).problems == {}
        assert await one(house, "SELECT received FROM inbound_lines WHERE reference = 'T/1'") == 5
        assert await found(house) == []

    @pytest.mark.parametrize(
        ("statement", "named"),
        [
            ("UPDATE inbound_lines SET quantity = 30 WHERE reference = 'T/1'", ("inbound_sent", "T/1/B")),
            ("UPDATE inbound SET status = 'announced' WHERE reference = 'T/1'", ("inbound_sent", "T/1/B")),
            (
                "UPDATE inbound_receipts SET lines = jsonb_set(lines, '{0,quantity}', '4') WHERE reference = 'T/1'",
                ("inbound_entry", "T/1/B"),
            ),
            ("DELETE FROM inbound_receipts WHERE reference = 'T/1'", ("inbound_entry", "inbound/T/1/receive/r1/B")),
            (
                "UPDATE inbound_receipts SET lines = 'null' WHERE key = 'r2'",
                ("inbound_entry", "inbound/PO-1/receive/r2/B"),
            ),
        ],
    )
    async def test_what_the_ledger_says_otherwise_is_for_a_person(
        self, house: AsyncEngine, statement: str, named: tuple[str, str]
    ) -> None:
        await goods_move(house)
        await edit(house, statement)
        assert named in await found(house)
        for _ in range(2):
            repaired = await mend(house)
            assert {str(subject): "look at the papers" in why for subject, why in repaired.problems.items()} == {
                named[1]: True
            }
            assert await found(house) == [named]


class TestManyDifferences:
    async def test_are_all_counted_and_the_first_are_listed(self, house: AsyncEngine) -> None:
        await edit(house, "UPDATE stock SET on_hand = on_hand + 1, damaged = 1")
        findings = await reconcile.find(house, limit=3)
        assert len(findings.listed) == 3
        assert findings.counts == Counter({StockFault.ON_HAND: 7, StockFault.DAMAGED: 7})
        repaired = await reconcile.repair(house, actor="ada", now=datetime.now(UTC), limit=3)
        assert repaired.mended == 7
        assert repaired.left.total == 0

    async def test_more_than_one_look_remembers_are_mended(
        self, house: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("store.reconcile.repairing.ROUND", 2)
        await edit(house, "UPDATE stock SET on_hand = on_hand + 1")
        assert (await mend(house)).mended == 7


class TestWhileTheHouseWorks:
    async def test_no_difference_appears_that_is_none(self, house: AsyncEngine) -> None:
        """Orders come and go while the books are compared and repaired again and again."""
        done = False

        async def sell_and_cancel(seller: int) -> None:
            for number in range(12):
                order = small.order(f"busy-{seller}-{number}", A=1, B=2)
                fulfilment = await sell(house, order)
                await (hand_over if number % 2 else call_off)(house, order, fulfilment)

        async def look() -> int:
            looks = 0
            while not done:
                repaired = await mend(house)
                assert (repaired.found.listed, repaired.mended, repaired.problems) == ([], 0, {})
                looks += 1
            return looks

        looking = asyncio.create_task(look())
        await asyncio.gather(*(sell_and_cancel(seller) for seller in range(3)))
        done = True
        assert await looking > 0
        assert await found(house) == []

    async def test_an_order_somebody_works_on_is_left_to_them(self, house: AsyncEngine) -> None:
        await edit(house, f"UPDATE fulfilments SET status = 'cancelled' WHERE id = '{BOOKED}'")
        async with house.begin() as connection:
            await connection.execute(text("SELECT FROM orders WHERE id = 'web-booked' FOR KEY SHARE"))
            async with asyncio.timeout(30):
                repaired = await mend(house)
        assert "repair again" in " ".join(repaired.problems.values())
        assert await balance(house, "wh-london", "A") == (50, 1)
        assert (await mend(house)).problems == {}
        assert await balance(house, "wh-london", "A") == (50, 0)

    async def test_a_place_somebody_keeps_locked_holds_up_nobody(
        self, house: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("store.reconcile.repairing.PATIENCE", "100ms")
        await edit(house, "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'A'")
        async with house.begin() as connection:
            await connection.execute(text(f"SELECT FROM stock WHERE {LEEDS_A} FOR UPDATE"))
            repaired = await mend(house)
        assert {str(place): "repair again" in why for place, why in repaired.problems.items()} == {"dc-leeds/A": True}
        assert repaired.mended == 2
        assert (await mend(house)).problems == {}

    async def test_two_repairs_at_once_mend_once(self, house: AsyncEngine) -> None:
        await edit(
            house, "UPDATE stock SET damaged = damaged + 1", "DELETE FROM reservations WHERE order_id = 'web-open'"
        )
        await asyncio.gather(*(mend(house, Trust.BALANCE) for _ in range(3)))
        assert await found(house) == []
        assert await rows(house, "SELECT DISTINCT damaged FROM stock") == [(1,)]
        assert await balance(house, "dc-leeds", "A") == (96, 2)

    async def test_faults_are_mended_between_the_orders(self, house: AsyncEngine) -> None:
        """A balance is broken, repaired and sold from, all at once; in the end nothing is off."""

        async def sell_some(seller: int) -> None:
            for number in range(10):
                order = small.order(f"amid-{seller}-{number}", A=1)
                fulfilment = await sell(house, order)
                await hand_over(house, order, fulfilment)

        async def break_and_mend() -> None:
            for _ in range(6):
                async with house.begin() as connection:
                    await connection.execute(text(f"UPDATE stock SET on_hand = on_hand + 1 WHERE {LEEDS_A}"))
                await mend(house)

        await asyncio.gather(*(sell_some(seller) for seller in range(3)), break_and_mend())
        await mend(house)
        assert await found(house) == []
        assert await balance(house, "dc-leeds", "A") == (66, 2)


NTH = "(SELECT id FROM {table} ORDER BY id OFFSET {{nth}} LIMIT 1)"
AN_ENTRY = NTH.format(table="stock_ledger")
A_RESERVATION = NTH.format(table="reservations")
CORRUPTIONS = (
    "UPDATE stock SET {quantity} = {value} WHERE node_id = '{node}' AND sku = '{sku}'",
    "DELETE FROM stock WHERE node_id = '{node}' AND sku = '{sku}'",
    "DELETE FROM stock_ledger WHERE id = " + AN_ENTRY,
    "UPDATE stock_ledger SET {delta} = {value} WHERE id = " + AN_ENTRY,
    "DELETE FROM reservations WHERE id = " + A_RESERVATION,
    "UPDATE reservations SET status = '{status}' WHERE id = " + A_RESERVATION,
    "UPDATE reservations SET quantity = {value} WHERE id = " + A_RESERVATION,
    "UPDATE reservations SET node_id = '{node}', sku = '{sku}' WHERE id = " + A_RESERVATION,
    "UPDATE fulfilments SET status = '{work}' WHERE id = '{fulfilment}'",
    "UPDATE fulfilment_lines SET quantity = abs({value}) WHERE fulfilment_id = '{fulfilment}'",
    "DELETE FROM fulfilments WHERE id = '{fulfilment}'",
    "DELETE FROM orders WHERE id = '{order}'",
    "UPDATE orders SET status = '{of_order}' WHERE id = '{order}'",
    "DELETE FROM soft_reservations WHERE id = 'live'",
    "UPDATE soft_reservations SET status = 'converted'",
    "UPDATE node_days SET used = {value} WHERE node_id = '{node}'",
    "DELETE FROM node_days",
)
QUANTITIES = ("on_hand", "damaged", "quarantine", "reserved", "reserved_soft", "safety_stock", "promise_safety")
DELTAS = ("on_hand_delta", "damaged_delta", "reserved_delta", "soft_delta", "safety_delta")


@st.composite
def corruptions(draw: st.DrawFn) -> str:
    """A statement that breaks something."""
    return draw(st.sampled_from(CORRUPTIONS)).format(
        quantity=draw(st.sampled_from(QUANTITIES)),
        delta=draw(st.sampled_from(DELTAS)),
        value=draw(st.sampled_from(("NULL", "-5", "0", "1", "3", "60"))),
        node=draw(st.sampled_from(("dc-leeds", "wh-london", "st-york", "nowhere"))),
        sku=draw(st.sampled_from(("A", "B", "RARE", "NONE"))),
        nth=draw(st.integers(0, 12)),
        status=draw(st.sampled_from(("active", "released", "consumed", "expired", "napping"))),
        work=draw(st.sampled_from(("released", "picked", "handed_over", "rejected", "cancelled", "lost", "napping"))),
        fulfilment=draw(st.sampled_from((OPEN, BOOKED, GONE, OVER))),
        order=draw(st.sampled_from(("web-open", "web-booked", "web-gone", "web-over"))),
        of_order=draw(st.sampled_from(("accepted", "shipped", "delivered", "cancelled", "lost in thought"))),
    )


@pytest.fixture(scope="session")
async def house_template(postgres_server: object, world_template: str) -> str:
    """The name of a database with a house at work."""
    engine = database.create(_create(postgres_server, "house_template", world_template), 2)  # type: ignore[arg-type]
    await fill(engine)
    await engine.dispose()
    return "house_template"


@asynccontextmanager
async def scratch(server: object, template: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a fresh copy of a database."""
    engine = database.create(_create(server, f"t_{uuid4().hex}", template), 4)  # type: ignore[arg-type]
    yield engine
    await engine.dispose()


POSSIBLE = """
SELECT count(*) FROM stock WHERE on_hand < 0 OR damaged < 0 OR quarantine < 0 OR reserved < 0 OR reserved_soft < 0
OR safety_stock < 0 OR promise_safety < 0 OR reserved + reserved_soft > on_hand OR on_hand IS NULL
"""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements=st.lists(corruptions(), min_size=1, max_size=6), trust=st.sampled_from(list(Trust)))
async def test_after_a_repair_the_books_agree_or_it_is_said_where_not(
    postgres_server: object, house_template: str, statements: list[str], trust: Trust
) -> None:
    """Whatever is broken: a second look finds only places the repair named, and what it named is on the queue."""
    async with scratch(postgres_server, house_template) as house:
        await edit(house, *statements)
        repaired = await mend(house, trust)
        left = {str(each.subject) for each in (await reconcile.find(house, trust=trust)).listed}
        named = {str(subject) for subject in repaired.problems}
        assert left <= named, (left - named, repaired.problems)
        again = await mend(house, trust)
        assert again.mended == 0
        assert {str(subject) for subject in again.problems} == left
        if not left:
            assert await one(house, POSSIBLE) == 0
            await check_books(house, reserved=int(str(await one(house, "SELECT sum(reserved) FROM stock"))))
        else:
            assert int(str(await one(house, "SELECT count(*) FROM exceptions"))) >= 1
