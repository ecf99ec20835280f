# ruff: noqa: S608 -- the statements are our own
"""Goods on their way in are compared with the ledger."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services import stock_updates
from store import inbound
from store.enums import InboundKind
from store.inbound import Announcement, Arrived, Receipt
from tests.worlds.books import one
from tests.worlds.broken import edit
from tests.worlds.reconciling import found, mend
from tests.worlds.sourcing import MONDAY_NOON


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
