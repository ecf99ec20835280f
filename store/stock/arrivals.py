"""Goods that a carrier brings to a store: they are on hand there, and reserved for the order whose customer comes."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.parameters import HAPPENED_AT
from store.enums import LedgerKind

_OPEN: Final = text("""
INSERT INTO stock (node_id, sku, on_hand)
SELECT DISTINCT f.pickup_node, l.sku, 0 FROM fulfilments f JOIN fulfilment_lines l ON l.fulfilment_id = f.id
WHERE f.id = :fulfilment_id AND l.quantity > 0 ORDER BY 1, 2
ON CONFLICT (node_id, sku) DO NOTHING
""")
# What a count has seen already does not come once more; but nothing may be reserved that is not on hand.
_RECEIVE: Final = text(f"""
WITH came AS (
    SELECT f.order_id, f.pickup_node AS node_id, l.line_id, l.sku, l.quantity
    FROM fulfilments f JOIN fulfilment_lines l ON l.fulfilment_id = f.id
    WHERE f.id = :fulfilment_id AND l.quantity > 0
), summed AS (
    SELECT node_id, sku, sum(quantity)::int AS quantity FROM came GROUP BY node_id, sku
), locked AS (
    SELECT node_id, sku, quantity,
           CASE WHEN counted_at >= {HAPPENED_AT} THEN greatest(0, reserved + reserved_soft + quantity - on_hand)
                ELSE quantity END AS coming
    FROM stock JOIN summed USING (node_id, sku) ORDER BY node_id, sku FOR NO KEY UPDATE OF stock
), received AS (
    UPDATE stock s SET on_hand = s.on_hand + l.coming, reserved = s.reserved + l.quantity, updated_at = now()
    FROM locked l WHERE s.node_id = l.node_id AND s.sku = l.sku
    RETURNING s.node_id, s.sku, l.quantity, l.coming
), held AS (
    INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, line_id, fulfilment_id)
    SELECT 'firm', 'active', node_id, sku, quantity, order_id, line_id, :fulfilment_id FROM came
    ON CONFLICT (fulfilment_id, line_id) WHERE fulfilment_id IS NOT NULL
    DO UPDATE SET status = 'active', node_id = EXCLUDED.node_id, quantity = EXCLUDED.quantity
)
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, order_id, reason, actor,
                          occurred_at)
SELECT node_id, sku, '{LedgerKind.RECEIPT}', coming, quantity, :fulfilment_id || '/store', :order_id,
       'came to the store for its customer', :actor, {HAPPENED_AT}
FROM received
""")


async def receive_at_store(
    connection: AsyncConnection, order_id: str, fulfilment_id: str, *, actor: str, at: datetime
) -> None:
    """The fulfilment's goods came to its pick-up node: on hand and reserved rise there together.

    They left the shipping node's balance when they were handed over. The order must be locked; that they come twice is
    an error of the database.
    """
    names = {"order_id": order_id, "fulfilment_id": fulfilment_id, "actor": actor, "at": at}
    await connection.execute(_OPEN, {"fulfilment_id": fulfilment_id})
    await connection.execute(_RECEIVE, names)
