"""Whether balances, ledger and reservations agree, in short; `store.reconcile` says what is wrong and mends it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_DIFFERENCES = text("""
WITH ledger AS (
    SELECT node_id, sku, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved, sum(soft_delta) AS soft
    FROM stock_ledger GROUP BY node_id, sku
), active AS (
    SELECT node_id, sku, sum(quantity) FILTER (WHERE kind = 'firm') AS firm,
           sum(quantity) FILTER (WHERE kind = 'soft') AS soft
    FROM reservations WHERE status = 'active' GROUP BY node_id, sku
)
SELECT s.node_id, s.sku, s.on_hand, coalesce(l.on_hand, 0) AS ledger_on_hand,
       s.reserved, coalesce(l.reserved, 0) AS ledger_reserved, coalesce(a.firm, 0) AS active_reservations,
       s.reserved_soft, coalesce(l.soft, 0) AS ledger_reserved_soft, coalesce(a.soft, 0) AS soft_reservations
FROM stock s LEFT JOIN ledger l USING (node_id, sku) LEFT JOIN active a USING (node_id, sku)
WHERE s.on_hand <> coalesce(l.on_hand, 0)
   OR s.reserved <> coalesce(l.reserved, 0) OR s.reserved <> coalesce(a.firm, 0)
   OR s.reserved_soft <> coalesce(l.soft, 0) OR s.reserved_soft <> coalesce(a.soft, 0)
ORDER BY s.node_id, s.sku
""")

_TOTALS = text("""
SELECT b.*, l.*, a.*
FROM (SELECT count(*) AS balances, coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved,
             coalesce(sum(reserved_soft), 0) AS reserved_soft FROM stock) b,
     (SELECT count(*) AS ledger_entries, coalesce(sum(on_hand_delta), 0) AS ledger_on_hand,
             coalesce(sum(reserved_delta), 0) AS ledger_reserved, coalesce(sum(soft_delta), 0) AS ledger_reserved_soft
      FROM stock_ledger) l,
     (SELECT coalesce(sum(quantity) FILTER (WHERE kind = 'firm'), 0) AS active_reservations,
             coalesce(sum(quantity) FILTER (WHERE kind = 'soft'), 0) AS soft_reservations
      FROM reservations WHERE status = 'active') a
""")


async def check(connection: AsyncConnection) -> tuple[dict[str, Any], Sequence[RowMapping]]:
    """Totals, and every (node, SKU) whose balance differs from its ledger or from its active reservations.

    `active_reservations` are the firm ones; soft ones count until they are reclaimed.
    """
    totals = (await connection.execute(_TOTALS)).mappings().one()
    return dict(totals), (await connection.execute(_DIFFERENCES)).mappings().all()
