# ruff: noqa: S608 -- the statements are our own
"""What only a person can decide is named and left as it is."""

from sqlalchemy.ext.asyncio import AsyncEngine

from store import stock
from store.enums import LedgerKind
from store.reconcile import Trust
from store.stock import Movement
from tests.worlds import small
from tests.worlds.books import balance, one, rows
from tests.worlds.broken import edit
from tests.worlds.reconciling import BOOKED, ENTRY, LEEDS_A, found, mend
from tests.worlds.selling import sell
from tests.worlds.sourcing import MONDAY_NOON


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
