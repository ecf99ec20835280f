"""Reads that people and programs ask for: an order with everything about it, lists with filters, returns.

Lists page by key, never by offset: the next page starts after the last row seen, however many rows came in between.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, RowMapping, Text, cast, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.status import ARRIVED, ENDED_UNDELIVERED
from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.database.parameters import any_of
from store.tables.orders import order_lines, orders
from store.tables.returns import returns

_ORDER = text("""
SELECT o.id AS order_id, o.channel, o.external_id, o.status, o.currency, o.goods_total, o.document, o.placed_at,
       o.captured_at, o.finished_at, o.promise_earliest, o.promise_latest, living.*,
       (SELECT jsonb_agg(jsonb_build_object(
            'line_id', l.line_id, 'sku', l.sku, 'unit_price', l.unit_price, 'ordered', l.quantity,
            'cancelled', l.cancelled, 'backordered', l.backordered, 'allocated', u.allocated,
            'delivered', u.delivered, 'returned', r.returned) ORDER BY l.position)
        FROM order_lines l
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(fl.quantity) FILTER (WHERE f.status = ANY(:arrived)), 0) AS delivered,
                   coalesce(sum(fl.quantity) FILTER (WHERE f.status <> ALL(:arrived) AND f.status <> ALL(:gone)), 0)
                       AS allocated
            FROM fulfilments f JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id
            WHERE f.order_id = o.id AND fl.line_id = l.line_id) u
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(rl.received), 0) AS returned
            FROM return_lines rl JOIN returns rr ON rr.id = rl.return_id AND rr.fulfilment_id IS NULL
            WHERE rl.order_id = o.id AND rl.line_id = l.line_id) r
        WHERE l.order_id = o.id) AS lines,
       (SELECT jsonb_agg(jsonb_build_object(
            'id', f.id, 'node_id', f.node_id, 'status', f.status, 'method', f.method, 'carrier', f.carrier,
            'pickup_node', coalesce(f.pickup_node, CASE WHEN f.method = 'pickup' THEN f.node_id END),
            'ship_by', f.ship_by, 'ship_day', f.ship_day, 'cost', f.cost, 'reason', f.reason,
            'promise', jsonb_build_object('earliest', f.promise_earliest, 'latest', f.promise_latest),
            'released_at', f.released_at, 'updated_at', f.updated_at,
            'collect_by', c.collect_by, 'collection_code', c.code,
            'lines', coalesce((
                SELECT jsonb_agg(jsonb_build_object('line_id', fl.line_id, 'sku', fl.sku, 'quantity', fl.quantity)
                                 ORDER BY ol.position)
                FROM fulfilment_lines fl JOIN order_lines ol USING (order_id, line_id)
                WHERE fl.fulfilment_id = f.id AND fl.quantity > 0), '[]'),
            'shipments', coalesce((
                SELECT jsonb_agg(jsonb_build_object(
                    'id', s.id, 'carrier', s.carrier, 'method', s.method, 'tracking_number', s.tracking_number,
                    'status', s.status, 'parcels', s.parcels, 'weight_grams', s.weight_grams, 'price', s.price,
                    'currency', s.currency, 'booked_at', s.booked_at, 'ended_at', s.ended_at,
                    'events', coalesce((
                        SELECT jsonb_agg(jsonb_build_object('kind', e.kind, 'place', e.place,
                                                            'occurred_at', e.occurred_at) ORDER BY e.occurred_at, e.id)
                        FROM carrier_events e
                        WHERE e.carrier = s.carrier AND e.tracking_number = s.tracking_number), '[]'))
                    ORDER BY s.booked_at, s.id)
                FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
                WHERE sf.fulfilment_id = f.id), '[]')) ORDER BY f.released_at, f.id)
        FROM fulfilments f LEFT JOIN collections c ON c.fulfilment_id = f.id AND c.ended_at IS NULL
        WHERE f.order_id = o.id) AS fulfilments,
       (SELECT jsonb_agg(jsonb_build_object(
            'id', m.id, 'message_key', m.message_key, 'kind', m.kind, 'medium', m.medium, 'recipient', m.recipient,
            'status', m.status, 'error', m.error, 'created_at', m.created_at, 'sent_at', m.sent_at) ORDER BY m.id)
        FROM outbox m WHERE m.order_id = o.id AND m.message_key IS NOT NULL) AS messages,
       (SELECT jsonb_agg(jsonb_build_object(
            'id', r.id, 'status', r.status, 'reason', r.reason, 'node_id', r.node_id, 'fulfilment_id', r.fulfilment_id,
            'requested_at', r.requested_at, 'finished_at', r.finished_at, 'expires_at', r.expires_at)
            ORDER BY r.requested_at, r.id)
        FROM returns r WHERE r.order_id = o.id) AS returns,
       (SELECT jsonb_agg(jsonb_build_object(
            'return_id', p.return_id, 'amount', p.amount, 'currency', p.currency, 'reason', p.reason,
            'recorded_at', p.recorded_at) ORDER BY p.id)
        FROM refunds p WHERE p.order_id = o.id) AS refunds,
       (SELECT jsonb_agg(jsonb_build_object(
            'id', x.id, 'kind', x.kind, 'detail', x.detail, 'data', x.data, 'owner', x.owner, 'opened_at', x.opened_at,
            'due_at', x.due_at, 'version', x.version) ORDER BY x.id)
        FROM exceptions x WHERE x.order_id = o.id AND x.status = 'open') AS exceptions,
       (SELECT jsonb_agg(jsonb_build_object(
            'hold_id', h.id, 'type', h.type, 'blocks', h.blocks, 'purpose', h.purpose, 'owner', h.owner,
            'placed_by', h.placed_by, 'placed_at', h.placed_at, 'due_at', h.due_at, 'release_at', h.release_at)
            ORDER BY length(h.id), h.id)
        FROM order_holds h WHERE h.order_id = o.id AND h.released_at IS NULL) AS holds,
       (SELECT jsonb_agg(jsonb_build_object(
            'fulfilment_id', q.fulfilment_id, 'asked_of', q.asked_of, 'units', q.units, 'answer_by', q.answer_by)
            ORDER BY length(q.id), q.id)
        FROM cancellation_requests q WHERE q.order_id = o.id AND q.status = 'asked') AS cancellations_asked
FROM orders o CROSS JOIN LATERAL (
    SELECT coalesce(sum((quantity - cancelled) * unit_price), 0)::bigint AS goods_total_living,
           coalesce(sum(backordered), 0) AS units_waiting FROM order_lines WHERE order_id = o.id) living
WHERE o.id = :order_id
""")


async def order(connection: AsyncConnection, order_id: str) -> dict[str, Any] | None:
    """An order with its lines' units, fulfilments, shipments, messages, returns, refunds, open exceptions, holds, and
    the cancellations that nodes and carriers are asked for.
    """
    rows = await connection.execute(
        _ORDER, {"order_id": order_id, "arrived": sorted(ARRIVED), "gone": sorted(ENDED_UNDELIVERED)}
    )
    row = rows.mappings().one_or_none()
    if row is None:
        return None
    lists = ("lines", "fulfilments", "messages", "returns", "refunds", "exceptions", "holds", "cancellations_asked")
    return {**row, **{name: row[name] or [] for name in lists}}


async def summaries(connection: AsyncConnection, order_ids: Sequence[str]) -> Sequence[RowMapping]:
    """What a list shows of these orders, in their sequence."""
    units = (
        select(
            func.count().label("lines"),
            func.sum(order_lines.c.quantity).label("units"),
            func.sum(order_lines.c.backordered).label("units_waiting"),
            _LIVING.label("goods_total_living"),
        )
        .where(order_lines.c.order_id == orders.c.id)
        .lateral()
    )
    wanted = literal(list(order_ids), ARRAY(Text))
    query = (
        select(
            orders.c.id.label("order_id"),
            *(orders.c[name] for name in _LISTED),
            orders.c.document["customer"]["name"].as_string().label("customer_name"),
            orders.c.document["ship_to"]["country"].as_string().label("country"),
            units.c.lines,
            *(func.coalesce(units.c[name], 0).label(name) for name in ("units", "units_waiting", "goods_total_living")),
        )
        .select_from(orders.join(units, text("true")))
        .where(orders.c.id == func.any(wanted))
        .order_by(func.array_position(wanted, orders.c.id))
    )
    return (await connection.execute(query)).mappings().all()


_LIVING = cast(func.sum((order_lines.c.quantity - order_lines.c.cancelled) * order_lines.c.unit_price), BigInteger)
_LISTED = (
    "channel",
    "external_id",
    "customer_id",
    "status",
    "currency",
    "goods_total",
    "placed_at",
    "captured_at",
    "promise_earliest",
    "promise_latest",
)

_RETURN = text("""
SELECT r.id, r.order_id, r.node_id, r.fulfilment_id, r.status, r.reason, r.requested_at, r.received_at, r.finished_at,
       r.expires_at,
       (SELECT jsonb_agg(jsonb_build_object(
            'line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'received', l.received,
            'released', l.released,
            'dispositions', coalesce((
                SELECT jsonb_object_agg(d.disposition, d.quantity) FROM return_dispositions d
                WHERE d.return_id = l.return_id AND d.line_id = l.line_id), '{}')) ORDER BY ol.position)
        FROM return_lines l JOIN order_lines ol USING (order_id, line_id) WHERE l.return_id = r.id) AS lines,
       (SELECT jsonb_build_object('amount', sum(p.amount), 'currency', min(p.currency),
                                  'recorded_at', max(p.recorded_at))
        FROM refunds p WHERE p.return_id = r.id HAVING count(*) > 0) AS refund
FROM returns r WHERE r.id = :id
""")


async def return_(connection: AsyncConnection, return_id: str) -> RowMapping | None:
    """A return with its lines, what became of them, and its refund."""
    return (await connection.execute(_RETURN, {"id": return_id})).mappings().one_or_none()


async def list_returns(
    connection: AsyncConnection,
    *,
    order_id: str | None = None,
    status: str | Sequence[str] | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
    limits: Limits = UNLIMITED,
) -> Sequence[RowMapping]:
    """Returns by time of request, newest first, from below the position `before` (requested_at, id) on."""
    moments = ("requested_at", "received_at", "finished_at", "expires_at")
    names = ("id", "order_id", "node_id", "fulfilment_id", "status", "reason", *moments)
    query = (
        select(*(returns.c[name] for name in names))
        .where(*visibility.of_returns(limits))
        .order_by(returns.c.requested_at.desc(), returns.c.id.desc())
        .limit(limit)
    )
    if order_id is not None:
        query = query.where(returns.c.order_id == order_id)
    if status is not None:
        query = query.where(returns.c.status.in_(any_of(status)))
    if before is not None:
        query = query.where(tuple_(returns.c.requested_at, returns.c.id) < before)
    return (await connection.execute(query)).mappings().all()


async def unknown_skus(connection: AsyncConnection, skus: Sequence[str]) -> list[str]:
    """Those of the SKUs that the catalogue does not hold."""
    rows = await connection.execute(
        text("SELECT s FROM unnest(CAST(:skus AS text[])) AS s WHERE NOT EXISTS (SELECT FROM skus WHERE id = s)"),
        {"skus": list(skus)},
    )
    return [sku for (sku,) in rows]


async def label(connection: AsyncConnection, fulfilment_id: str) -> tuple[str, bytes] | None:
    """Media type and content of the label of the booking that stands for a fulfilment, or None."""
    rows = await connection.execute(
        text("""
        SELECT l.media_type, l.content
        FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id JOIN labels l ON l.shipment_id = s.id
        WHERE sf.fulfilment_id = :id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1
        """),
        {"id": fulfilment_id},
    )
    row = rows.one_or_none()
    return None if row is None else (row.media_type, bytes(row.content))
