"""What must hold of returns in the store, whatever happened to them."""

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.worlds.books import rows

_UNITS = """
SELECT l.order_id, l.line_id, d.units AS delivered, r.claimed, r.returned
FROM order_lines l
JOIN LATERAL (
    SELECT coalesce(sum(fl.quantity), 0) AS units FROM fulfilments f JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id
    WHERE f.order_id = l.order_id AND fl.line_id = l.line_id AND f.status IN ('delivered', 'collected')) d ON true
JOIN LATERAL (
    SELECT coalesce(sum(b.quantity - b.received - b.released), 0) AS claimed, coalesce(sum(b.received), 0) AS returned
    FROM return_lines b WHERE b.order_id = l.order_id AND b.line_id = l.line_id) r ON true
WHERE d.units - r.claimed - r.returned < 0
"""
_ENDED = """
SELECT r.id, r.status FROM returns r WHERE (r.status IN ('refunded', 'cancelled', 'expired')) <> (NOT EXISTS (
    SELECT FROM return_lines l WHERE l.return_id = r.id AND (l.received + l.released < l.quantity OR l.received > (
        SELECT coalesce(sum(d.quantity), 0) FROM return_dispositions d
        WHERE d.return_id = l.return_id AND d.line_id = l.line_id))))
"""
_FOR_EVER = """
SELECT r.id FROM returns r JOIN return_lines l ON l.return_id = r.id
WHERE l.received + l.released < l.quantity AND r.expires_at IS NULL
"""
_REFUNDS = """
SELECT r.id FROM returns r
WHERE (SELECT coalesce(sum(p.amount), 0) FROM refunds p WHERE p.return_id = r.id) <> (
    SELECT coalesce(sum(d.quantity * l.unit_price), 0) FROM return_dispositions d
    JOIN order_lines l ON l.order_id = r.order_id AND l.line_id = d.line_id WHERE d.return_id = r.id)
"""
_STEPS = """
SELECT r.id FROM returns r WHERE r.number <> (
    SELECT count(*) FROM timeline t WHERE t.order_id = r.order_id AND t.kind LIKE 'return\\_%'
      AND t.data->>'return_id' = r.id)
"""
BROKEN = {
    "more units are on their way back or came back than were delivered": _UNITS,
    "a return has ended and is waited for, or the other way round": _ENDED,
    "a return is waited for without end": _FOR_EVER,
    "refunds are not the price of what was inspected": _REFUNDS,
    "a step of a return is not in the timeline, or twice": _STEPS,
}


async def check_returns(engine: AsyncEngine) -> None:
    """Raises AssertionError with what is broken."""
    for promise, query in BROKEN.items():
        assert await rows(engine, query) == [], promise
