"""The log of changes: nothing is missed, whatever the sequence of commits; each SKU once, at its last change."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.channels.channel import Channel, ChannelRule
from store import channels, stock
from store.availability import changes
from store.enums import LedgerKind
from store.ledger import cursors
from store.ledger.cursors import START, Cursor
from store.network import reference
from store.network.reference import ReferenceCache
from store.stock import Movement
from tests.worlds import small

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def move(connection: AsyncConnection, sku: str, quantity: int = 1, node: str = "dc-leeds") -> None:
    movement = Movement(node, sku, quantity, LedgerKind.RECEIPT, "test", uuid4().hex)
    await stock.move(connection, movement, actor="test", at=NOW)


async def receive(engine: AsyncEngine, sku: str) -> None:
    async with engine.begin() as connection:
        await move(connection, sku)


async def read(engine: AsyncEngine, after: Cursor, limit: int = 1000) -> changes.Changes:
    async with engine.connect() as connection:
        return await changes.read(connection, after, 1000, entries=limit)


async def end(engine: AsyncEngine) -> Cursor:
    async with engine.connect() as connection:
        return await cursors.end(connection)


def skus(found: changes.Changes) -> list[str]:
    return [changed.sku for changed in found.skus]


async def test_a_sku_stands_once_at_its_last_change(world: AsyncEngine) -> None:
    here = await end(world)
    for sku in ("A", "B", "RARE", "A", "B", "B"):
        await receive(world, sku)
    found = await read(world, here)
    assert skus(found) == ["RARE", "A", "B"]
    assert [changed.place for changed in found.skus] == sorted(changed.place for changed in found.skus)
    assert found.cursor == found.skus[-1].place
    assert not found.more
    again = await read(world, found.cursor)
    assert (again.skus, again.cursor) == ((), found.cursor)


async def test_what_is_numbered_early_and_committed_late_is_not_missed(world: AsyncEngine) -> None:
    here = await end(world)
    async with world.connect() as slow:
        await slow.begin()
        await move(slow, "RARE")  # has the lower id, and is not committed
        for sku in ("A", "B"):
            await receive(world, sku)
        held_back = await read(world, here)
        assert skus(held_back) == []
        await slow.commit()
    found = await read(world, held_back.cursor)
    assert skus(found) == ["RARE", "A", "B"]


async def test_the_end_of_the_log_lies_before_what_is_not_committed_yet(world: AsyncEngine) -> None:
    async with world.connect() as slow:
        await slow.begin()
        await move(slow, "RARE")
        here = await end(world)
        await slow.commit()
    assert skus(await read(world, here)) == ["RARE"]


async def test_what_was_rolled_back_is_never_heard_of(world: AsyncEngine) -> None:
    here = await end(world)
    async with world.connect() as connection:
        await connection.begin()
        await move(connection, "RARE")
        await connection.rollback()
    await receive(world, "A")
    assert skus(await read(world, here)) == ["A"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_of_entries_leave_none_out(world: AsyncEngine, limit: int) -> None:
    for sku in ("A", "B", "A", "RARE", "RARE", "A", "FAR"):
        await receive(world, sku)
    whole = await read(world, START)
    pages, cursor, more = [], START, True
    while more:
        page = await read(world, cursor, limit)
        assert page.cursor > cursor
        pages.append(page)
        cursor, more = page.cursor, page.more
    last = {changed.sku: changed.place for page in pages for changed in page.skus}
    assert last == {changed.sku: changed.place for changed in whole.skus}
    assert cursor == whole.cursor


async def test_a_reader_beside_writers_hears_of_every_entry(world: AsyncEngine) -> None:
    """Transactions of different length commit in another sequence than they were numbered in."""
    here = await end(world)
    writing = True

    async def write(number: int) -> None:
        for turn in range(25):
            async with world.begin() as connection:
                await move(connection, ("A", "B", "RARE", "FAR")[number], node="st-york")
                await asyncio.sleep(0.001 * ((number * 7 + turn * 3) % 11))

    async def follow() -> set[Cursor]:
        heard, cursor = set(), here
        while True:
            done = not writing
            page = await read(world, cursor, 1)  # one entry a page: each of them must come by
            heard |= {changed.place for changed in page.skus}
            cursor = page.cursor
            if done and not page.more:
                return heard

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(number) for number in range(4)))
    writing = False
    heard = await following
    async with world.connect() as connection:
        rows = await connection.execute(text("SELECT transaction, id FROM stock_ledger WHERE node_id = 'st-york'"))
        written = {Cursor(*row) for row in rows if row.transaction >= here.transaction}
    assert len(written) >= 100
    assert written <= heard


async def test_reading_on_looks_at_what_is_new_alone(world: AsyncEngine) -> None:
    async with world.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO skus (id, document) SELECT 'X' || n, document FROM skus, "
                "generate_series(1, 300) AS n WHERE id = 'A'"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO stock (node_id, sku, on_hand) SELECT 'dc-leeds', 'X' || n, 9 "
                "FROM generate_series(1, 300) AS n"
            )
        )
        await connection.execute(
            text("""
            INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, actor, occurred_at)
            SELECT 'dc-leeds', 'X' || n, 'opening', 1, 'k/' || n || '/' || m, 'test', now()
            FROM generate_series(1, 300) AS n, generate_series(1, 20) AS m""")
        )
    async with world.connect() as connection:
        await connection.execute(text("ANALYZE stock_ledger"))
        after = (await changes.read(connection, START, 10)).cursor
        plan = await connection.execute(
            text("EXPLAIN " + str(changes._READ)),
            {"transaction": after.transaction, "entry": after.entry, "most": 11},
        )
        lines = [line for (line,) in plan]
    assert any("Index Scan using stock_ledger_transaction_ix" in line for line in lines), lines
    assert not any("Sort" in line for line in lines), lines


async def test_a_stored_cursor_moves_only_from_where_it_stands(world: AsyncEngine) -> None:
    async with world.begin() as connection:
        assert await cursors.get(connection, "one") is None
        assert await cursors.ensure(connection, "one", from_start=True) == START
        first, second = Cursor(5, 1), Cursor(6, 2)
        assert await cursors.advance(connection, "one", START, first)
        assert not await cursors.advance(connection, "one", START, second)
        assert await cursors.ensure(connection, "one") == first
        assert await cursors.get(connection, "one") == first


async def test_a_new_cursor_stands_at_the_end_unless_told_otherwise(world: AsyncEngine) -> None:
    async with world.begin() as connection:
        cursor = await cursors.ensure(connection, "new")
    assert skus(await read(world, cursor)) == []
    await receive(world, "B")
    assert skus(await read(world, cursor)) == ["B"]


async def test_two_who_need_a_new_cursor_get_the_same(world: AsyncEngine) -> None:
    async def need() -> Cursor:
        async with world.begin() as connection:
            return await cursors.ensure(connection, "shared")

    assert len(set(await asyncio.gather(*(need() for _ in range(8))))) == 1


async def test_a_cursor_of_another_database_server_is_recognised_and_starts_again(world: AsyncEngine) -> None:
    await receive(world, "A")
    async with world.begin() as connection:
        assert await cursors.is_ahead(connection, Cursor(2**62, 1))
        assert not await cursors.is_ahead(connection, await cursors.end(connection))
        assert not await cursors.is_ahead(connection, (await changes.read(connection, START, 1000)).cursor)
        await cursors.ensure(connection, "restored", from_start=True)
        await cursors.advance(connection, "restored", START, Cursor(2**62, 1))
        assert await cursors.ensure(connection, "restored") == START
        assert await cursors.get(connection, "restored") == START


async def test_news_say_what_the_channel_may_be_promised_now(world: AsyncEngine) -> None:
    web = Channel(id="web", name="Web", low_at=90)
    async with world.begin() as connection:
        await connection.execute(
            text("UPDATE stock SET safety_stock = 5, promise_safety = 10 WHERE node_id = 'dc-leeds'")
        )
        await channels.put(connection, web)
        await channels.replace_rules(connection, "web", [ChannelRule(sku="A", buffer=10, share=50)])
        await reference.put_node(connection, small.NODES[2].model_copy(update={"active": False}))
        changed = [changes.Changed(sku, Cursor(1, n)) for n, sku in enumerate(("NEVER", "A", "B"), 1)]
        cache = ReferenceCache()
        in_web = await changes.now(connection, cache, "web", changed)
        elsewhere = await changes.now(connection, cache, "nowhere", changed)
    half = (100 - 10 - 10) // 2 + (50 - 10) // 2
    assert [(n.sku, n.quantity, n.level) for n in in_web] == [("NEVER", 0, "out"), ("A", half, "low"), ("B", 90, "low")]
    assert [n.place for n in in_web] == [change.place for change in changed]
    assert [(n.quantity, n.level) for n in elsewhere] == [(0, "out"), (90 + 50, "in_stock"), (90, "in_stock")]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_of_skus_leave_none_out(world: AsyncEngine, limit: int) -> None:
    for sku in ("A", "B", "A", "RARE", "RARE", "A", "FAR", "B"):
        await receive(world, sku)
    whole = await read(world, START)
    found: list[Any] = []
    cursor, more = START, True
    while more:
        async with world.connect() as connection:
            page = await changes.read(connection, cursor, limit)
        assert len(page.skus) <= limit
        found += page.skus
        cursor, more = page.cursor, page.more
    assert found == list(whole.skus)
