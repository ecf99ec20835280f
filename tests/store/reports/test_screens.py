"""Screens: lines and totals are of the same rows and of one moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store import stock
from store.enums import LedgerKind
from store.reports import stock as screens
from store.reports.stock import FREE, QUANTITIES, LedgerFilter, LedgerScreen
from store.stock import Movement
from tests.worlds import small
from tests.worlds.books import balance, one
from tests.worlds.selling import hand_over, hold, sell
from tests.worlds.sourcing import MONDAY_NOON


@pytest.fixture
async def reading(world: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A busy world, read as the commands do."""
    await sell(world, small.order("open", A=2, B=3))
    gone = small.order("gone", A=4)
    await hand_over(world, gone, await sell(world, gone))
    await hold(world, "live", "dc-leeds", "RARE", 1)
    await hold(world, "lapsed", "st-york", "A", 2, seconds=0)
    async with world.begin() as connection:
        await connection.execute(text("UPDATE stock SET safety_stock = 4, promise_safety = 9 WHERE sku = 'A'"))
    async with world.begin() as connection:
        await screens.agreeing(connection)
        yield connection


async def receive(engine: AsyncEngine, key: str, quantity: int = 1) -> None:
    async with engine.begin() as connection:
        movement = Movement("dc-leeds", "A", quantity, LedgerKind.RECEIPT, "receipt", key)
        await stock.move(connection, movement, actor="test", at=MONDAY_NOON)


class TestOfSku:
    async def test_each_free_quantity_follows_from_its_line(self, reading: AsyncConnection) -> None:
        found = await screens.of_sku(reading, "A")
        assert [line["node_id"] for line in found.lines] == ["dc-leeds", "st-york", "wh-london"]
        for line in found.lines:
            left = line["on_hand"] - line["reserved"] - line["soft"]
            assert line["free_for_ofl"] == max(left - line["safety_stock"], 0)
            assert line["free_to_promise"] == max(left - max(line["safety_stock"], line["promise_safety"]), 0)

    async def test_what_lapsed_is_not_held(self, reading: AsyncConnection) -> None:
        assert await reading.scalar(text("SELECT sum(reserved_soft) FROM stock WHERE sku = 'A'")) == 2
        assert [line["soft"] for line in (await screens.of_sku(reading, "A")).lines] == [0, 0, 0]

    async def test_waiting_orders_stand_in_the_sequence_they_are_served_in(self, world: AsyncEngine) -> None:
        for name in ("late", "urgent", "early", "vip"):
            await sell(world, small.order(name, A=3))
        async with world.begin() as connection:
            await connection.execute(text("UPDATE order_lines SET backordered = 2"))
            await connection.execute(
                text("UPDATE orders SET placed_at = placed_at - interval '1 day' WHERE id = 'web-early'")
            )
            await connection.execute(text("UPDATE orders SET priority = 5 WHERE id = 'web-urgent'"))
            await connection.execute(text("UPDATE orders SET priority = 1 WHERE id = 'web-vip'"))
        async with world.connect() as connection:
            found = await screens.of_sku(connection, "A", limit=3)
        assert [row["order_id"] for row in found.waiting] == ["web-vip", "web-urgent", "web-early"]
        assert (found.waiting_orders, found.waiting_units) == (4, 8), "those that are not listed are counted"


class TestOfNode:
    async def test_totals_are_those_of_all_its_rows(self, reading: AsyncConnection) -> None:
        whole = await screens.of_node(reading, "dc-leeds")
        part = await screens.of_node(reading, "dc-leeds", prefix="RA", low=0, limit=1)
        assert whole is not None
        assert part is not None
        assert dict(whole.totals) == dict(part.totals)
        assert whole.totals["skus"] == len(whole.lines) == 3
        for name in (*QUANTITIES, *FREE):
            assert whole.totals[name] == sum(line[name] for line in whole.lines)
        assert not part.lines, "one RARE is free"

    async def test_a_node_without_stock_and_a_node_that_is_none(self, reading: AsyncConnection) -> None:
        await reading.execute(text("SELECT 1"))
        assert await screens.of_node(reading, "nowhere") is None

    async def test_its_days_are_those_of_its_own_time_zone(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            for node, zone in (("dc-leeds", "Pacific/Kiritimati"), ("wh-london", "Pacific/Pago_Pago")):
                await connection.execute(
                    text("""
                    UPDATE nodes SET document = document || jsonb_build_object('time_zone', CAST(:z AS text))
                    WHERE id = :n
                    """),
                    {"z": zone, "n": node},
                )
        async with world.connect() as connection:
            east, west = [await screens.of_node(connection, name) for name in ("dc-leeds", "wh-london")]
        assert east is not None
        assert west is not None
        assert (east.days[0]["day"] - west.days[0]["day"]).days in {1, 2}, "25 hours lie between them"
        assert len(east.days) == screens.DAYS_AHEAD


class TestLedger:
    async def look(self, engine: AsyncEngine, limit: int, **wanted: object) -> LedgerScreen:
        async with engine.begin() as connection:
            await screens.agreeing(connection)
            return await screens.ledger(connection, LedgerFilter(**wanted), limit)  # type: ignore[arg-type]

    async def test_opening_and_entries_make_the_closing_balance(self, world: AsyncEngine) -> None:
        for number in range(8):
            await receive(world, f"r{number}", number - 3 or 5)
        for limit in range(1, 11):
            found = await self.look(world, limit, node_id="dc-leeds", sku="A")
            assert found.opening is not None
            assert found.closing is not None
            assert found.balance is not None
            moved = sum(entry["on_hand"] for entry in found.entries)
            assert found.opening["on_hand"] + moved == found.closing["on_hand"] == found.balance["on_hand"]
            assert len(found.entries) == min(limit, 9)
            assert found.earlier == (limit < 9)

    async def test_it_adds_up_while_entries_are_written(self, world: AsyncEngine) -> None:
        async def write() -> None:
            for number in range(40):
                await receive(world, f"w{number}")

        writing = asyncio.create_task(write())
        while not writing.done():
            found = await self.look(world, 5, node_id="dc-leeds", sku="A")
            assert found.closing is not None
            assert found.balance is not None
            assert found.closing["on_hand"] == found.balance["on_hand"]
        await writing
        assert await balance(world, "dc-leeds", "A") == (140, 0)

    async def test_since(self, world: AsyncEngine) -> None:
        await receive(world, "old")
        now = await one(world, "SELECT now()")
        assert isinstance(now, datetime)
        await receive(world, "new")
        found = await self.look(world, 5, node_id="dc-leeds", sku="A", since=now)
        assert [entry["business_key"] for entry in found.entries] == ["new"]
        assert found.opening is not None
        assert found.opening["on_hand"] == 101
        assert not (await self.look(world, 5, since=datetime(2100, 1, 1, tzinfo=UTC))).entries

    async def test_entries_without_a_balance(self, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await connection.execute(text("SET session_replication_role = replica"))
            await connection.execute(text(f"DELETE FROM stock WHERE {PLACE}"))  # noqa: S608
            await connection.execute(text("SET session_replication_role = DEFAULT"))
        found = await self.look(world, 5, node_id="dc-leeds", sku="A")
        assert found.balance is None
        assert found.closing is not None
        assert found.closing["on_hand"] == 100


PLACE = "node_id = 'dc-leeds' AND sku = 'A'"
