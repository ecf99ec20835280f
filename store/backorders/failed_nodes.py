"""Where an order's units failed: nodes that rejected them, did not find them, or had them taken away for good.

A failure of a balance (node, SKU) stands for the order until there is news of that balance: goods came in, or it was
counted after the pick. What a carrier brings to a store for another order's customer is none, until it is free there
because nobody collects it. What a node did not find on its shelf is not there for this order, whatever the books say;
what it rejected it has, and the policy's `failed_nodes` says when it is asked again.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.events import EventKind
from dom.orders.status import NETWORK, FulfilmentStatus
from dom.sourcing.policy.document import FailedNodes
from dom.stock.allocation import Balance

_FREED_AT_STORE: Final = """e.on_hand_delta = 0 AND e.reserved_delta < 0 AND EXISTS (
    SELECT FROM fulfilments b
    WHERE b.order_id = e.order_id AND b.pickup_node = e.node_id AND starts_with(e.business_key, b.id || ':'))"""
_NEWS: Final = f"e.on_hand_delta > greatest(e.reserved_delta, 0) OR {_FREED_AT_STORE}"


def failed(order_id: str) -> str:
    """The balances that failed the order (an SQL expression): `node_id`, `sku`, and whether units were `not_found`."""
    return f"""
SELECT w.node_id, w.sku, w.not_found FROM (
    SELECT f.node_id, l.sku, coalesce(t.data->'missing' ? l.line_id, false) AS not_found,
           coalesce(t.recorded_at, f.updated_at) AS at, coalesce(t.occurred_at, f.updated_at) AS occurred_at
    FROM fulfilments f JOIN fulfilment_lines l ON l.fulfilment_id = f.id
    LEFT JOIN timeline t ON t.order_id = f.order_id AND t.data ? 'missing' AND t.data->>'fulfilment_id' = f.id
    WHERE f.order_id = {order_id} AND NOT EXISTS (
        SELECT FROM timeline n
        WHERE n.order_id = f.order_id AND n.data->>'fulfilment_id' = f.id AND n.actor = '{NETWORK}')
      AND (f.status = '{FulfilmentStatus.REJECTED}' OR t.data->'missing' ? l.line_id OR EXISTS (
        SELECT FROM timeline a WHERE a.order_id = f.order_id AND a.kind = '{EventKind.SOURCED_AGAIN}'
        AND a.data->>'fulfilment_id' = f.id AND a.data->>'without_node' = 'true'))
) w LEFT JOIN stock s ON s.node_id = w.node_id AND s.sku = w.sku
WHERE w.at >= coalesce((
    SELECT e.recorded_at FROM stock_ledger e
    WHERE e.node_id = w.node_id AND e.sku = w.sku AND ({_NEWS}) ORDER BY e.id DESC LIMIT 1), w.at)
  AND coalesce(s.counted_at <= w.occurred_at, true)"""


_NOT_FOUND = text(f"""
SELECT DISTINCT node_id, sku FROM ({failed(":order_id")}) each
WHERE not_found AND coalesce((
    SELECT document->'decision'->'retry'->>'failed_nodes' FROM sourcing_decisions
    WHERE order_id = :order_id ORDER BY attempt DESC LIMIT 1), '') <> '{FailedNodes.AT_ONCE}'
""")


async def not_found(connection: AsyncConnection, order_id: str) -> frozenset[Balance]:
    """Balances at which a node did not find units of the order, and of which nothing was heard since.

    Empty where the policy asks nodes again at once.
    """
    rows = await connection.execute(_NOT_FOUND, {"order_id": order_id})
    return frozenset((row.node_id, row.sku) for row in rows)
