"""Preorders whose day has come: what may be promised of them changes by the calendar alone."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ANNOUNCE = text("""
INSERT INTO stock_ledger (node_id, sku, kind, business_key, reason, actor, occurred_at)
SELECT s.node_id, s.sku, 'rule', 'release/' || (k.document->>'release_on'), 'released', 'clock', statement_timestamp()
FROM skus k JOIN stock s ON s.sku = k.id JOIN nodes n ON n.id = s.node_id
WHERE k.document->>'release_on' BETWEEN to_char(statement_timestamp() - make_interval(days => :days + 2), 'YYYY-MM-DD')
                                   AND to_char(statement_timestamp() + interval '2 days', 'YYYY-MM-DD')
  AND (k.document->>'release_on')::date
      BETWEEN (statement_timestamp() AT TIME ZONE (n.document->>'time_zone'))::date - :days
      AND (statement_timestamp() AT TIME ZONE (n.document->>'time_zone'))::date
  AND NOT EXISTS (SELECT FROM stock_ledger l WHERE l.business_key = 'release/' || (k.document->>'release_on')
                  AND l.node_id = s.node_id AND l.sku = s.sku)
ORDER BY s.node_id, s.sku
ON CONFLICT (business_key, node_id, sku) DO NOTHING
""")


async def announce_due(connection: AsyncConnection, days: int = 30) -> int:
    """Tell readers of changes of every balance of a SKU released today or in the last `days`, once.

    The day is that of the node's calendar. Answers how many balances.
    """
    return (await connection.execute(_ANNOUNCE, {"days": days})).rowcount
