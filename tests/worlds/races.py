"""How often a race is run, and the stock for it: `RACES=200` for the whole of it, fewer where there is little time."""

import os
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.status import ReasonCode
from services import stock_updates
from store.network import reference
from store.stock.adjustments import Adjustment
from tests.worlds import small
from tests.worlds.sourcing import MONDAY_NOON

TURNS: Final = int(os.environ.get("RACES", "10"))
"""Turns of each race of two."""


async def stocked(world: AsyncEngine) -> None:
    """Enough of it for every turn."""
    leeds = small.NODES[0].model_copy(update={"daily_capacity": 10**6})
    added = [goods("dc-leeds", code, 4 * TURNS, f"races-{code}") for code in ("A", "B")]
    async with world.begin() as connection:
        await reference.put_node(connection, leeds)
        await stock_updates.adjust(connection, added, "test")


def goods(node_id: str, code: str, units: int, key: str) -> Adjustment:
    """Units that come in."""
    return Adjustment(node_id, code, units, "goods", key, MONDAY_NOON, ReasonCode.RECEIPT)
