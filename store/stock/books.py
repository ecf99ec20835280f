"""Whether balances, ledger and reservations agree."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_DIFFERENCES = text("""
WITH ledger AS (
    SELECT node_id, sku, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
    FROM stock_ledger GROUP BY node_id, sku
), active AS (
    SELECT node_id, sku, sum(quantity) AS reserved FROM reservations WHERE status = 'active' GROUP BY node_id, sku
)
SELECT s.node_id, s.sku, s.on_hand, coalesce(l.on_hand, 0) AS ledger_on_hand, s.reserved,
       coalesce(l.reserved, 0) AS ledger_reserved, coalesce(a.reserved, 0) AS active_reservations
FROM stock s LEFT JOIN ledger l USING (node_id, sku) LEFT JOIN active a USING (node_id, sku)
WHERE s.on_hand <> coalesce(l.on_hand, 0) OR s.reserved <> coalesce(l.reserved, 0)
   OR s.reserved <> coalesce(a.reserved, 0)
ORDER BY s.node_id, s.sku
""")

_TOTALS = text("""
SELECT count(*) AS balances, coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved,
       (SELECT count(*) FROM stock_ledger) AS ledger_entries,
       (SELECT coalesce(sum(on_hand_delta), 0) FROM stock_ledger) AS ledger_on_hand,
       (SELECT coalesce(sum(reserved_delta), 0) FROM stock_ledger) AS ledger_reserved,
       (SELECT coalesce(sum(quantity), 0) FROM reservations WHERE status = 'active') AS active_reservations
FROM stock
""")


async def check(connection: AsyncConnection) -> tuple[dict[str, Any], Sequence[RowMapping]]:
    """Totals, and every (node, SKU) whose balance differs from its ledger or from its active reservations."""
    totals = (await connection.execute(_TOTALS)).mappings().one()
    return dict(totals), (await connection.execute(_DIFFERENCES)).mappings().all()
