"""Lists page by key: every row once, in order, whatever is captured meanwhile."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.order import Order
from dom.orders.search_filter import OrderFilter
from dom.shared.errors import NotFound
from store.orders import orders, reads, search
from tests.worlds import small
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

EVERYTHING = OrderFilter()


async def page(
    engine: AsyncEngine, wanted: OrderFilter, before: tuple[datetime, str] | None = None, limit: int = 2
) -> list[RowMapping]:
    async with engine.connect() as connection:
        asked = search.Search((wanted,), datetime.now(UTC), after=before, limit=limit)
        found = await search.find(connection, asked)
        return list(await reads.summaries(connection, [order_id for _, order_id in found]))


async def ids_of(engine: AsyncEngine, **wanted: Any) -> set[str]:
    return {row["order_id"] for row in await page(engine, OrderFilter(**wanted), limit=50)}


async def fill(engine: AsyncEngine, count: int = 5) -> None:
    for number in range(count):
        await place(engine, small.order(f"n{number}", A=number + 1))


class TestListOrders:
    async def test_pages_through_every_order_once_though_more_come_in(self, world: AsyncEngine) -> None:
        await fill(world)
        seen: list[str] = []
        before = None
        while found := await page(world, EVERYTHING, before):
            seen += [row["order_id"] for row in found]
            before = (found[-1]["captured_at"], found[-1]["order_id"])
            await place(world, small.order(f"late-{len(seen)}", A=1))
        assert seen == [f"web-n{number}" for number in (4, 3, 2, 1, 0)]

    async def test_orders_of_one_moment_are_told_apart_by_their_id(self, world: AsyncEngine) -> None:
        await fill(world)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE orders SET captured_at = :at"), {"at": MONDAY_NOON})
        first = await page(world, EVERYTHING)
        rest = await page(world, EVERYTHING, (first[-1]["captured_at"], first[-1]["order_id"]), limit=9)
        assert [row["order_id"] for row in (*first, *rest)] == [f"web-n{number}" for number in (4, 3, 2, 1, 0)]

    async def test_filters_by_what_people_ask_for(self, world: AsyncEngine) -> None:
        await fill(world, 2)
        other = small.order(
            "m-7", channel="marketplace", B=2, customer={"id": "C9", "name": "Zoe Low_e", "email": "zoe@shop.example"}
        )
        await place(world, other)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE orders SET status = 'shipped' WHERE id = 'web-n1'"))
        everyone = {"web-n0", "web-n1", "marketplace-m-7"}
        assert await ids_of(world) == everyone
        assert await ids_of(world, channel=("marketplace",)) == {"marketplace-m-7"}
        assert await ids_of(world, status=("shipped",)) == {"web-n1"}
        assert await ids_of(world, customer="C1") == {"web-n0", "web-n1"}
        assert await ids_of(world, sku="B") == {"marketplace-m-7"}
        assert await ids_of(world, q="ZOE") == {"marketplace-m-7"}
        assert await ids_of(world, q="yo1 7ep") == everyone
        assert await ids_of(world, q="n1", channel=("web",)) == {"web-n1"}
        assert await ids_of(world, sku="B", channel=("web",)) == set()

    async def test_signs_with_a_meaning_in_patterns_have_none_here(self, world: AsyncEngine) -> None:
        await place(world, small.order("p", customer={"id": "C9", "name": "Zoe Low_e", "email": "zoe@shop.example"}))
        assert await ids_of(world, q="low_e") == {"web-p"}
        assert await ids_of(world, q="lowxe") == set()
        assert await ids_of(world, q="%") == set()
        assert await ids_of(world, q="'; DROP TABLE orders; --") == set()

    async def test_counts_lines_and_units(self, world: AsyncEngine) -> None:
        await place(world, small.order("units", A=2, B=3))
        (row,) = await page(world, EVERYTHING)
        assert (row["lines"], row["units"], row["goods_total"]) == (2, 5, 5000)


class TestOneOrder:
    async def test_is_none_if_there_is_none(self, world: AsyncEngine) -> None:
        async with world.connect() as connection:
            assert await reads.order(connection, "web-none") is None
            assert await orders.find(connection, "web-none") is None
            with pytest.raises(NotFound):
                await orders.document(connection, "web-none")

    async def test_shows_where_the_units_are(self, world: AsyncEngine) -> None:
        order = small.order("whole", A=2, B=3)
        await place(world, order)
        async with world.connect() as connection:
            found = await reads.order(connection, order.order_id)
            kept: Order = await orders.document(connection, order.order_id)
        assert found is not None
        assert [(n["ordered"], n["allocated"], n["delivered"], n["returned"]) for n in found["lines"]] == [
            (2, 2, 0, 0),
            (3, 3, 0, 0),
        ]
        assert [f["node_id"] for f in found["fulfilments"]] == ["dc-leeds"]
        assert (found["messages"], found["returns"], found["exceptions"]) == ([], [], [])
        assert kept.content_hash() == order.content_hash()
