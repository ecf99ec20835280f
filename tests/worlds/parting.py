"""Work that is split, in a line."""

from typing import Any

from dom.orders.commands import SplitWork
from services.change_orders import OrderChanged, Writing
from services.database import Database
from services.splitting import split as split_in
from tests.worlds.sourcing import MONDAY_NOON

WORK = """
SELECT f.id, f.node_id, f.status, (SELECT jsonb_object_agg(line_id, quantity) FROM fulfilment_lines l
                                   WHERE l.fulfilment_id = f.id AND quantity > 0) AS lines
FROM fulfilments f ORDER BY length(f.id), f.id
"""
"""Every fulfilment with its units by line."""


async def split(database: Database, fulfilment_id: str = "web-1-F1", **more: Any) -> OrderChanged:
    """Units by line (`lines`; three of the first) of a fulfilment become one of their own."""
    lines = more.pop("lines", {"1": 3})
    command = SplitWork(fulfilment_id=fulfilment_id, lines=lines, actor="ada", at=MONDAY_NOON, **more)
    async with database.transaction() as connection:
        return await split_in(connection, command, Writing(webhook=False, notify=True))
