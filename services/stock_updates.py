"""Stock that changes outside the order flow: counts, changes and receipts. Orders that wait get what comes in first."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import UNLIMITED, Limits
from services.backorder_allocation import arriving
from store import inbound
from store.inbound import Receipt
from store.stock import adjustments, counts
from store.stock.adjustments import Adjustment
from store.stock.counts import Count
from store.stock.item_results import ItemResult


async def adjust(connection: AsyncConnection, changes: Sequence[Adjustment], actor: str) -> list[ItemResult]:
    """Apply changes of stock, each for itself; answers what became of each, in sequence. For a transaction."""
    async with arriving(connection, [(each.node_id, each.sku) for each in changes]):
        return await adjustments.apply(connection, changes, actor)


async def count(connection: AsyncConnection, taken: Sequence[Count], source: str, actor: str) -> list[ItemResult]:
    """Apply absolute counts, each for itself; answers what became of each, in sequence. For a transaction."""
    async with arriving(connection, [(each.node_id, each.sku) for each in taken]):
        return await counts.apply(connection, taken, source, actor)


async def receive(connection: AsyncConnection, receipt: Receipt, limits: Limits = UNLIMITED) -> bool:
    """Put what arrived on hand, once a key; False if this receipt was written before. For a transaction.

    Raises as `inbound.receive` does.
    """
    known = await inbound.lock(connection, receipt.reference, limits)
    node_id = receipt.node_id or known.node_id
    async with arriving(connection, [(node_id, line.sku) for line in receipt.lines]):
        return await inbound.receive(connection, receipt, limits)
