"""What must not be found after a crash: each query answers the violations of one promise."""

from __future__ import annotations

_STANDING = """
SELECT sf.fulfilment_id, count(*) AS bookings FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
WHERE s.status <> 'voided' GROUP BY sf.fulfilment_id HAVING count(*) > 1
"""
_TRACKING = """
SELECT carrier, tracking_number, count(*) FROM shipments GROUP BY carrier, tracking_number HAVING count(*) > 1
"""
_SHIPPED_UNITS = """
WITH left_the_node AS (
    SELECT order_id, business_key, sum(-on_hand_delta) AS units FROM stock_ledger WHERE kind = 'ship'
    GROUP BY order_id, business_key
), sent AS (
    SELECT f.id, sum(l.quantity) AS units FROM fulfilments f JOIN fulfilment_lines l ON l.fulfilment_id = f.id
    WHERE f.status IN ('handed_over', 'delivered', 'collected', 'lost', 'returned_to_sender') GROUP BY f.id
)
SELECT s.id, s.units, n.units AS ledger FROM sent s FULL JOIN left_the_node n ON n.business_key = s.id || '/ship'
WHERE s.units IS DISTINCT FROM n.units
"""
_LINE_UNITS = """
SELECT l.order_id, l.line_id, l.quantity, l.cancelled, l.backordered, coalesce(sum(f.quantity), 0) AS arrived
FROM order_lines l LEFT JOIN (
    SELECT fl.* FROM fulfilment_lines fl JOIN fulfilments f ON f.id = fl.fulfilment_id
    WHERE f.status IN ('delivered', 'collected')) f USING (order_id, line_id)
GROUP BY l.order_id, l.line_id, l.quantity, l.cancelled, l.backordered
HAVING l.quantity <> l.cancelled + l.backordered + coalesce(sum(f.quantity), 0)
"""
_REFUNDS = """
SELECT r.id FROM returns r
WHERE (SELECT coalesce(sum(p.amount), 0) FROM refunds p WHERE p.return_id = r.id) > (
    SELECT coalesce(sum(d.quantity * l.unit_price), 0) FROM return_dispositions d
    JOIN order_lines l ON l.order_id = r.order_id AND l.line_id = d.line_id WHERE d.return_id = r.id)
"""
# A parcel of which a part was cancelled is packed anew.
_STEPS = """
SELECT t.order_id, t.kind, t.data->>'fulfilment_id' AS fulfilment_id, t.business_key FROM timeline t
JOIN timeline before ON before.order_id = t.order_id AND before.kind = t.kind AND before.id < t.id
    AND before.data->>'fulfilment_id' IS NOT DISTINCT FROM t.data->>'fulfilment_id'
WHERE (t.kind LIKE 'fulfilment%' OR t.kind = 'accepted') AND NOT (t.kind = 'fulfilment_packed' AND EXISTS (
    SELECT FROM timeline c WHERE c.order_id = t.order_id AND c.kind = 'cancelled' AND c.id BETWEEN before.id AND t.id))
"""
_DAYS = """
SELECT d.node_id, d.day, d.used, count(f.id) AS taken FROM node_days d LEFT JOIN fulfilments f
    ON f.node_id = d.node_id AND f.ship_day = d.day AND f.status NOT IN ('rejected', 'cancelled')
GROUP BY d.node_id, d.day, d.used HAVING d.used <> count(f.id)
"""

COUNTED_TWICE = {
    "a fulfilment has two bookings that stand": _STANDING,
    "a tracking number was given twice": _TRACKING,
    "units left a node other than those that were sent": _SHIPPED_UNITS,
    "units of a line are nowhere, or in two places": _LINE_UNITS,
    "a return was refunded twice": _REFUNDS,
    "a step stands twice in a timeline": _STEPS,
    "a node's day counts other fulfilments than those it works on": _DAYS,
}

UNSETTLED = {
    "an order is open": "SELECT id, status FROM orders WHERE status NOT IN ('delivered', 'cancelled')",
    "a reservation is active": "SELECT order_id, fulfilment_id FROM reservations WHERE status = 'active'",
    "a message is on its way for ever": (
        # A notice to a process that has ended meanwhile reaches nobody, and nobody needs it.
        "SELECT business_key, status FROM outbox WHERE status NOT IN ('sent', 'uncertain') "
        "AND NOT (medium = 'workflow' AND status = 'failed')"
    ),
    "a return is open": "SELECT id, status FROM returns WHERE finished_at IS NULL",
}
