"""Counts of the stock of a node, and what moves meanwhile, in the words of the tests."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from store import stock
from store.stock import adjustments, counts, soft
from store.stock.adjustments import Adjustment
from store.stock.counts import Count
from store.stock.item_results import ItemResult
from store.stock.soft import SoftRequest, SoftUnits
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

NODE = "dc-leeds"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
HOUR = timedelta(hours=1)


def counted(quantity: int, at: datetime = MONDAY_NOON, sequence: int | None = 1, sku: str = "A") -> Count:
    return Count(NODE, sku, quantity, at, sequence)


async def count(engine: AsyncEngine, *sent: Count, source: str = "wms") -> list[ItemResult]:
    async with engine.begin() as connection:
        return await counts.apply(connection, sent, source, "test")


async def move(engine: AsyncEngine, quantity: int, at: datetime, key: str, sku: str = "A") -> str:
    async with engine.begin() as connection:
        change = Adjustment(NODE, sku, quantity, "test", key, at)
        return (await adjustments.apply(connection, [change], "test"))[0].outcome


async def reserve(engine: AsyncEngine, name: str, quantity: int, sku: str = "A") -> str:
    order = small.order(name, **{sku: quantity})
    units = await place(engine, order)
    async with engine.begin() as connection:
        await stock.reserve(connection, order.order_id, order.channel, units, [], MONDAY_NOON)
    return order.order_id


async def ship(engine: AsyncEngine, order_id: str, at: datetime) -> None:
    async with engine.begin() as connection:
        await stock.consume(connection, order_id, f"{order_id}-F1", actor="test", at=at)


async def hold(engine: AsyncEngine, name: str, **units: int) -> None:
    wanted = tuple(SoftUnits(NODE, sku, quantity) for sku, quantity in units.items())
    async with engine.begin() as connection:
        assert (await soft.take(connection, [SoftRequest(name, "web", name, "cart", 600, wanted)]))[0] == "taken"


async def held(engine: AsyncEngine) -> dict[object, object]:
    found = await rows(engine, "SELECT soft_id, sum(quantity) FROM reservations WHERE kind = 'soft'"
                               " AND status = 'active' GROUP BY soft_id")  # fmt: skip
    return {name: int(str(units)) for name, units in found}


async def counted_at(engine: AsyncEngine, sku: str = "A") -> object:
    return await one(engine, "SELECT counted_at FROM stock WHERE node_id = 'dc-leeds' AND sku = :sku", sku=sku)
