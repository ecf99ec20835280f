"""What the store must say of an order, whatever was done to it: the promises, each as a query of its violations."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.status import (
    ARRIVED,
    BEFORE_HAND_OVER,
    ENDED_UNDELIVERED,
    FINAL_RETURN,
    GAVE_DAY_BACK,
    LEFT_NODE,
)

_STATUSES: Final[Mapping[str, frozenset[str]]] = {
    "undelivered": ENDED_UNDELIVERED,
    "at_node": BEFORE_HAND_OVER,
    "nothing_to_ask": GAVE_DAY_BACK | ARRIVED,
    "gave_day_back": GAVE_DAY_BACK,
    "arrived": ARRIVED,
    "final_return": FINAL_RETURN,
    "left_node": LEFT_NODE,
}
"""What the queries below name."""


ALWAYS: Final[Mapping[str, str]] = {
    "the balance is not what the ledger comes to": """
SELECT s.node_id, s.sku, s.on_hand, s.reserved, l.moved, l.taken FROM stock s LEFT JOIN (
    SELECT node_id, sku, sum(on_hand_delta) AS moved, sum(reserved_delta) AS taken FROM stock_ledger
    WHERE sku = ANY(:skus) GROUP BY 1, 2) l USING (node_id, sku)
WHERE s.sku = ANY(:skus) AND (s.on_hand <> coalesce(l.moved, 0) OR s.reserved <> coalesce(l.taken, 0))
""",
    "what is reserved is not what reservations hold": """
SELECT s.node_id, s.sku, s.reserved, s.reserved_soft, r.firm, r.held FROM stock s LEFT JOIN (
    SELECT node_id, sku, sum(quantity) FILTER (WHERE kind = 'firm') AS firm,
           sum(quantity) FILTER (WHERE kind = 'soft') AS held FROM reservations
    WHERE status = 'active' AND sku = ANY(:skus) GROUP BY 1, 2) r USING (node_id, sku)
WHERE s.sku = ANY(:skus) AND (s.reserved <> coalesce(r.firm, 0) OR s.reserved_soft <> coalesce(r.held, 0))
""",
    "units of a line are nowhere, or in two places": """
SELECT l.line_id, l.quantity, l.cancelled, l.backordered, w.units FROM order_lines l LEFT JOIN (
    SELECT fl.line_id, sum(fl.quantity) AS units FROM fulfilment_lines fl
    JOIN fulfilments f ON f.id = fl.fulfilment_id
    WHERE f.order_id = :id AND f.status <> ALL(:undelivered) GROUP BY 1) w USING (line_id)
WHERE l.order_id = :id AND l.quantity <> l.cancelled + l.backordered + coalesce(w.units, 0)
""",
    "work and its reservation are not of the same units": """
SELECT f.id, f.status, fl.sku, fl.units, r.held FROM fulfilments f
JOIN (SELECT fulfilment_id, sku, sum(quantity) AS units FROM fulfilment_lines GROUP BY 1, 2) fl
    ON fl.fulfilment_id = f.id
LEFT JOIN (SELECT fulfilment_id, sku, sum(quantity) AS held FROM reservations WHERE status = 'active' GROUP BY 1, 2) r
    ON r.fulfilment_id = f.id AND r.sku = fl.sku
WHERE f.order_id = :id
    AND CASE WHEN f.status = ANY(:at_node) THEN fl.units ELSE 0 END <> coalesce(r.held, 0)
""",
    "a request asks for more units than the work has": """
SELECT c.id, c.units, f.status FROM cancellation_requests c JOIN fulfilments f ON f.id = c.fulfilment_id
WHERE c.order_id = :id AND c.status = 'asked' AND f.status = ANY(:nothing_to_ask)
""",
    "more came back than was sent": """
SELECT r.line_id, r.units, w.units FROM (
    SELECT rl.line_id, sum(rl.quantity) AS units FROM return_lines rl JOIN returns r ON r.id = rl.return_id
    WHERE r.order_id = :id AND r.fulfilment_id IS NULL AND r.status NOT IN ('cancelled', 'expired')
    GROUP BY 1) r LEFT JOIN (
    SELECT fl.line_id, sum(fl.quantity) AS units FROM fulfilment_lines fl
    JOIN fulfilments f ON f.id = fl.fulfilment_id WHERE f.order_id = :id AND f.status = ANY(:arrived) GROUP BY 1) w
    USING (line_id) WHERE r.units > coalesce(w.units, 0)
""",
    "a parcel that comes back and its return are not of the same units": """
SELECT f.id, f.units, r.units FROM (
    SELECT f.id, sum(fl.quantity) AS units FROM fulfilments f JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id
    WHERE f.order_id = :id AND (f.status = 'returned_to_sender'
        OR f.status = 'lost' AND EXISTS (SELECT FROM returns b WHERE b.fulfilment_id = f.id)) GROUP BY 1) f FULL JOIN (
    SELECT r.fulfilment_id AS id, sum(rl.quantity) AS units FROM returns r JOIN return_lines rl ON rl.return_id = r.id
    WHERE r.order_id = :id AND r.fulfilment_id IS NOT NULL GROUP BY 1) r USING (id)
WHERE f.units IS DISTINCT FROM r.units
""",
    "a parcel was sent once more, and paid back": """
SELECT t.id FROM timeline t JOIN returns r ON r.fulfilment_id = t.data->>'fulfilment_id'
JOIN refunds p ON p.return_id = r.id WHERE t.order_id = :id AND t.kind = 'reshipped'
""",
    "a parcel was lost, and paid back": """
SELECT p.id FROM fulfilments f JOIN returns r ON r.fulfilment_id = f.id JOIN refunds p ON p.return_id = r.id
WHERE f.order_id = :id AND f.status = 'lost'
""",
    "a refund is not what the inspected units cost": """
SELECT r.id, p.paid, d.worth FROM returns r
LEFT JOIN (SELECT return_id, sum(amount) AS paid FROM refunds GROUP BY 1) p ON p.return_id = r.id
LEFT JOIN (SELECT d.return_id, sum(d.quantity * l.unit_price) AS worth FROM return_dispositions d
    JOIN returns r ON r.id = d.return_id JOIN order_lines l ON l.order_id = r.order_id AND l.line_id = d.line_id
    GROUP BY 1) d ON d.return_id = r.id
WHERE r.order_id = :id AND coalesce(p.paid, 0) <> coalesce(d.worth, 0) AND NOT EXISTS (
    SELECT FROM timeline t WHERE t.order_id = :id AND t.kind = 'reshipped'
        AND t.data->>'fulfilment_id' = r.fulfilment_id)
    AND NOT EXISTS (SELECT FROM fulfilments f WHERE f.id = r.fulfilment_id AND f.status = 'lost')
""",
}
ONCE_OVER: Final[Mapping[str, str]] = {
    "stock is reserved for it": "SELECT * FROM reservations WHERE order_id = :id AND status = 'active'",
    "a parcel has two bookings that stand": """
SELECT sf.fulfilment_id, count(*) FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
JOIN fulfilments f ON f.id = sf.fulfilment_id
WHERE f.order_id = :id AND s.status <> 'voided' GROUP BY 1 HAVING count(*) > 1
""",
    "a booking stands that nobody needs": """
SELECT s.id, s.status, f.status FROM shipments s JOIN shipment_fulfilments sf ON sf.shipment_id = s.id
JOIN fulfilments f ON f.id = sf.fulfilment_id
WHERE f.order_id = :id AND s.status = 'booked' AND f.status = ANY(:gave_day_back)
""",
    "a cancellation is asked for": "SELECT id FROM cancellation_requests WHERE order_id = :id AND status = 'asked'",
    "a return is open": "SELECT id FROM returns WHERE order_id = :id AND status <> ALL(:final_return)",
    "a message has not left": """
SELECT business_key, status FROM outbox WHERE order_id = :id AND status NOT IN ('sent', 'uncertain')
    AND NOT (medium = 'workflow' AND status = 'failed')
""",
    "it is said to be short of stock": """
SELECT kind FROM exceptions WHERE order_id = :id AND status = 'open' AND kind IN ('backorder', 'no_process')
""",
}
LEFT: Final = """
SELECT fl.sku, sum(fl.quantity) AS units FROM fulfilment_lines fl JOIN fulfilments f ON f.id = fl.fulfilment_id
WHERE f.order_id = :id AND f.status = ANY(:left_node) GROUP BY 1
"""
"""Units that left the nodes, by SKU."""
MISSING: Final = """
SELECT l.sku, sum(m.value::int) AS units FROM timeline t, jsonb_each_text(t.data -> 'missing') m, order_lines l
WHERE t.order_id = :id AND jsonb_typeof(t.data -> 'missing') = 'object'
    AND l.order_id = t.order_id AND l.line_id = m.key
GROUP BY 1
"""
"""Units that nodes did not find, or found damaged, by SKU."""
RESTOCKED: Final = """
SELECT l.sku, sum(d.quantity) AS units FROM return_dispositions d JOIN returns r ON r.id = d.return_id
JOIN order_lines l ON l.order_id = r.order_id AND l.line_id = d.line_id
WHERE r.order_id = :id AND d.disposition = 'restock' GROUP BY 1
"""
ON_HAND: Final = "SELECT sku, sum(on_hand) AS units FROM stock WHERE sku = ANY(:skus) GROUP BY 1"
DAYS: Final = """
SELECT d.node_id, d.day, d.used, count(f.id) AS taken FROM node_days d LEFT JOIN fulfilments f
    ON f.node_id = d.node_id AND f.ship_day = d.day AND f.status <> ALL(:gave_day_back)
GROUP BY d.node_id, d.day, d.used HAVING d.used <> count(f.id)
"""


def named(query: str, order_id: str, skus: Sequence[str]) -> dict[str, Any]:
    """The parameters that the query names."""
    values = {"id": order_id, "skus": list(skus)} | {name: sorted(each) for name, each in _STATUSES.items()}
    return {name: value for name, value in values.items() if f":{name}" in query}


async def violations(
    engine: AsyncEngine, promises: Mapping[str, str], order_id: str, skus: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """What is broken: each promise with its rows. All are asked at one moment of the store."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        for promise, query in promises.items():
            rows = (await connection.execute(text(query), named(query, order_id, skus))).mappings().all()
            if rows:
                found[promise] = [dict(row) for row in rows]
    return found


async def units(engine: AsyncEngine, query: str, order_id: str, skus: Sequence[str]) -> dict[str, int]:
    """Units by SKU."""
    async with engine.connect() as connection:
        found = await connection.execute(text(query), named(query, order_id, skus))
        return {row.sku: int(row.units) for row in found}
