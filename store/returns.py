"""Returns: goods that come back for money, their units, what became of them, and the refund recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.status import ARRIVED, ReturnStatus
from store.database.parameters import listed, to_json, to_rows

_DELIVERED = text(f"""
SELECT l.line_id, l.sku, l.unit_price, o.currency, o.status AS order_status, o.channel, o.customer_id,
       coalesce(d.units, 0) AS delivered,
       coalesce(r.units, 0) AS returned, d.node_id
FROM orders o JOIN order_lines l ON l.order_id = o.id
LEFT JOIN LATERAL (
    SELECT sum(fl.quantity) AS units, min(f.node_id) AS node_id
    FROM fulfilments f JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id AND fl.line_id = l.line_id
    WHERE f.order_id = o.id AND f.status IN ({listed(ARRIVED)})) d ON true
LEFT JOIN LATERAL (
    SELECT sum(quantity) AS units FROM return_lines WHERE order_id = o.id AND line_id = l.line_id) r ON true
WHERE o.id = :order_id ORDER BY l.position
""")


async def returnable(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """Every line of the order with its units delivered and already returned. The order's row is locked first, so
    that two returns of the same units cannot both be allowed. Empty if there is no such order.
    """
    await connection.execute(text("SELECT 1 FROM orders WHERE id = :id FOR UPDATE"), {"id": order_id})
    return (await connection.execute(_DELIVERED, {"order_id": order_id})).mappings().all()


async def get(connection: AsyncConnection, return_id: str) -> RowMapping | None:
    """The return's own row, or None."""
    rows = await connection.execute(text("SELECT * FROM returns WHERE id = :id"), {"id": return_id})
    return rows.mappings().one_or_none()


async def under_key(connection: AsyncConnection, key: str) -> str | None:
    """The return that was asked for under an Idempotency-Key, or None."""
    found = await connection.scalar(text("SELECT id FROM returns WHERE request_key = :key"), {"key": key})
    return None if found is None else str(found)


async def lines(connection: AsyncConnection, return_id: str) -> Sequence[RowMapping]:
    """The return's lines with the price that was paid."""
    rows = await connection.execute(
        text("""
        SELECT r.line_id, r.sku, r.quantity, r.received, l.unit_price, o.currency
        FROM return_lines r JOIN order_lines l USING (order_id, line_id) JOIN orders o ON o.id = r.order_id
        WHERE r.return_id = :id ORDER BY l.position
        """),
        {"id": return_id},
    )
    return rows.mappings().all()


_OPEN = text("""
WITH opened AS (
    INSERT INTO returns (id, order_id, node_id, status, reason, content_hash, request_key, requested_at)
    VALUES (:id, :order_id, :node_id, 'requested', :reason, :content_hash, :key, :at)
)
INSERT INTO return_lines (return_id, line_id, order_id, sku, quantity)
SELECT :id, l.line_id, :order_id, l.sku, l.quantity
FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (line_id text, sku text, quantity int)
""")


async def open_(
    connection: AsyncConnection,
    *,
    return_id: str,
    order_id: str,
    node_id: str,
    reason: str,
    content_hash: str,
    key: str | None = None,
    lines: Sequence[Mapping[str, object]],
    at: datetime,
) -> None:
    """Write a new return down; lines are `line_id`, `sku`, `quantity`."""
    await connection.execute(
        _OPEN,
        {
            "id": return_id,
            "order_id": order_id,
            "node_id": node_id,
            "reason": reason,
            "content_hash": content_hash,
            "key": key,
            "lines": to_rows(lines),
            "at": at,
        },
    )


async def receive(connection: AsyncConnection, return_id: str, units: Mapping[str, int], at: datetime) -> None:
    """The goods arrived: units by line. The database refuses more than were announced."""
    await connection.execute(
        text("""
        WITH received AS (
            UPDATE return_lines l SET received = CAST(u.value AS int)
            FROM jsonb_each_text(CAST(:units AS jsonb)) AS u WHERE l.return_id = :id AND l.line_id = u.key
        )
        UPDATE returns SET status = 'received', received_at = :at WHERE id = :id
        """),
        {"id": return_id, "units": to_json(dict(units)), "at": at},
    )


_FINISH = text("""
WITH found AS (
    INSERT INTO return_dispositions (return_id, line_id, disposition, quantity)
    SELECT :id, d.line_id, d.disposition, d.quantity
    FROM jsonb_to_recordset(CAST(:dispositions AS jsonb)) AS d (line_id text, disposition text, quantity int)
), refunded AS (
    INSERT INTO refunds (business_key, order_id, return_id, amount, currency, reason)
    VALUES (:id || '/refund', :order_id, :id, :amount, :currency, 'return')
)
UPDATE returns SET status = :status, finished_at = :at WHERE id = :id
""")


async def finish(
    connection: AsyncConnection,
    *,
    return_id: str,
    order_id: str,
    dispositions: Sequence[Mapping[str, object]],
    amount: int,
    currency: str,
    at: datetime,
) -> None:
    """Write what became of the units (`line_id`, `disposition`, `quantity`) and record the refund, once a return."""
    await connection.execute(
        _FINISH,
        {
            "id": return_id,
            "order_id": order_id,
            "dispositions": to_rows(dispositions),
            "amount": amount,
            "currency": currency,
            "status": ReturnStatus.REFUNDED,
            "at": at,
        },
    )
