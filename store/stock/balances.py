"""Balances as they stand."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_AVAILABILITY = text("""
SELECT s.sku, s.node_id, s.on_hand, s.reserved, s.safety_stock,
       greatest(s.on_hand - s.reserved - s.safety_stock, 0) AS available
FROM stock s JOIN nodes n ON n.id = s.node_id
WHERE s.sku = ANY(:skus) AND n.active AND (CAST(:node_id AS text) IS NULL OR s.node_id = :node_id)
ORDER BY s.sku, s.node_id
""")


async def availability(
    connection: AsyncConnection, skus: Sequence[str], node_id: str | None = None
) -> Sequence[RowMapping]:
    """Balances of the SKUs at every active node, or at one."""
    rows = await connection.execute(_AVAILABILITY, {"skus": list(skus), "node_id": node_id})
    return rows.mappings().all()
