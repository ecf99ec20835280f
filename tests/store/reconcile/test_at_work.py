# ruff: noqa: S608 -- the statements are our own
"""Books are compared and mended while the house works."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store.reconcile import Trust
from tests.worlds import small
from tests.worlds.books import balance, rows
from tests.worlds.broken import edit
from tests.worlds.reconciling import BOOKED, LEEDS_A, found, mend
from tests.worlds.selling import call_off, hand_over, sell


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
