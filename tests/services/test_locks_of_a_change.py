"""A change of an order locks its balances in the one sequence in which everybody does."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import CancelUnits
from services.change_orders import Writing, change_order
from store import stock
from tests.worlds import small
from tests.worlds.books import check_books
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import capture, release

LOCK = text("SELECT FROM stock WHERE node_id = :node_id AND sku = :sku FOR NO KEY UPDATE")


async def test_of_work_that_is_numbered_otherwise_than_its_balances(world: AsyncEngine) -> None:
    order = small.order("locks", A=1, B=1)
    of_a, of_b = (order.model_copy(update={"lines": (line,)}) for line in order.lines)
    async with world.begin() as connection:
        await capture(connection, order)
        units = await release(connection, of_a, "wh-london", 1) + await release(connection, of_b, "dc-leeds", 2)
        await stock.reserve(connection, order.order_id, order.channel, units, [], MONDAY_NOON)

    async def cancel() -> None:
        command = CancelUnits(lines=None, actor="support", at=MONDAY_NOON)
        async with world.begin() as connection:
            await change_order(connection, order.order_id, command, Writing(webhook=False))

    async with world.begin() as connection:
        await connection.execute(LOCK, {"node_id": "dc-leeds", "sku": "B"})
        cancelling = asyncio.create_task(cancel())
        await asyncio.sleep(1)
        await connection.execute(LOCK, {"node_id": "wh-london", "sku": "A"})
    await cancelling
    await check_books(world)
