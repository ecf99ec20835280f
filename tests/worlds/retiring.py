"""Nodes that change under their orders."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import Node
from dom.orders.order import Order
from store.network import reference
from tests.worlds import small
from tests.worlds.running import House
from tests.worlds.steps import cancel, ended

EXCEPTIONS = "SELECT kind, status FROM exceptions ORDER BY id"
LEEDS, LONDON, YORK, _ = small.NODES


async def change(engine: AsyncEngine, node: Node, **fields: Any) -> None:
    async with engine.begin() as connection:
        await reference.put_node(connection, node.model_copy(update=fields))


async def over(house: House, order: Order) -> None:
    await cancel(house, order)
    await ended(house, order)
