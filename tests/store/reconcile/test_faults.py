# ruff: noqa: S608 -- the statements are our own
"""Reconciling: every fault is found by name and place, mended where it can be, and never a reason to fall over."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services import seed
from store import reconcile
from store.database import engine as database
from store.reconcile import StockFault, Trust
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.broken import edit
from tests.worlds.reconciling import BOOKED, ENTRY, GONE, LEEDS_A, OPEN, found, mend

DAY = "dc-leeds/2026-03-02/"
RESERVATION = """
INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, line_id, fulfilment_id, soft_id, expires_at)
VALUES """
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
