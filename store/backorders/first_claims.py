"""Orders that gave their units to others: they stand first for goods on their way, until they have theirs again."""

from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_WRITE = text("""
INSERT INTO first_claims (order_id, node_id, sku, units, counted_on, claimed_at)
VALUES (:order_id, :node_id, :sku, :units, :counted_on, clock_timestamp())
""")
_END = text("""
DELETE FROM first_claims k WHERE k.order_id = :order_id AND NOT EXISTS (
    SELECT FROM order_lines l WHERE l.order_id = k.order_id AND l.sku = k.sku AND l.backordered > 0)
""")
_PROMISED = text("""
SELECT least(o.promise_latest, (SELECT min(l.promised) FROM order_lines l
                                WHERE l.order_id = o.id AND l.sku = k.sku AND l.backordered > 0))
FROM first_claims k JOIN orders o ON o.id = k.order_id WHERE k.order_id = :order_id
  AND k.counted_on >= (statement_timestamp() AT TIME ZONE 'UTC')::date
""")


async def write(
    connection: AsyncConnection, order_id: str, node_id: str, sku: str, units: int, counted_on: date
) -> None:
    """The order, which must be locked, stands first for units of the SKU at the node. Who stood first before stays
    before it. After the day it may have them from any node.
    """
    names = {"order_id": order_id, "node_id": node_id, "sku": sku, "units": units, "counted_on": counted_on}
    await connection.execute(_WRITE, names)


async def end(connection: AsyncConnection, order_id: str) -> None:
    """The order stands first no more, if it waits for none of the SKU's units."""
    await connection.execute(_END, {"order_id": order_id})


async def promised(connection: AsyncConnection, order_id: str) -> datetime | None:
    """By when the units of an order that stands first must arrive; None if what it waited for is overdue."""
    found: datetime | None = await connection.scalar(_PROMISED, {"order_id": order_id})
    return found


async def sku(connection: AsyncConnection, order_id: str) -> str | None:
    """Of which SKU the order stands first for units; None if it does for none."""
    query = text("SELECT sku FROM first_claims WHERE order_id = :order_id")
    found: str | None = await connection.scalar(query, {"order_id": order_id})
    return found


_HAVE_COME = text("""
SELECT EXISTS (SELECT FROM soft_reservations h JOIN first_claims k ON k.order_id = h.backorder_of
               WHERE h.backorder_of = :order_id AND h.status = 'active')
""")


async def have_come(connection: AsyncConnection, order_id: str) -> bool:
    """Whether goods that the order stands first for are allocated to it."""
    return bool(await connection.scalar(_HAVE_COME, {"order_id": order_id}))
