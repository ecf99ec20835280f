"""Reading: one inbound with all that came of it, a list by due date, and what is in transit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import RowMapping, exists, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.database.parameters import any_of
from store.enums import InboundKind, InboundStatus
from store.inbound.terms import EXPECTED
from store.tables.feeds import inbound, inbound_lines

_GET = text(f"""
SELECT i.reference, i.kind, i.status, i.origin_node, i.node_id, i.due_on, i.confidence, i.actor, i.created_at,
       i.updated_at,
       (SELECT jsonb_agg(jsonb_build_object(
            'sku', l.sku, 'quantity', l.quantity, 'received', l.received, 'expected', {EXPECTED},
            'missing', CASE WHEN i.status = 'received' THEN greatest(l.quantity - l.received, 0) ELSE 0 END,
            'surplus', greatest(l.received - l.quantity, 0)) ORDER BY l.sku)
        FROM inbound_lines l WHERE l.reference = i.reference) AS lines,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
            'idempotency_key', r.key, 'node_id', r.node_id, 'lines', r.lines, 'closed', r.closed, 'actor', r.actor,
            'occurred_at', r.occurred_at) ORDER BY r.recorded_at, r.key)
        FROM inbound_receipts r WHERE r.reference = i.reference), '[]') AS receipts
FROM inbound i WHERE i.reference = :reference
""")


async def get(connection: AsyncConnection, reference: str) -> RowMapping | None:
    """An inbound with its lines and receipts, or None."""
    return (await connection.execute(_GET, {"reference": reference})).mappings().one_or_none()


@dataclass(frozen=True, slots=True)
class InboundFilter:
    """Which are asked for; what is None does not matter. `node_id` is where they arrive."""

    node_id: str | None = None
    sku: str | None = None
    status: InboundStatus | Sequence[InboundStatus] | None = None
    kind: InboundKind | Sequence[InboundKind] | None = None
    limits: Limits = UNLIMITED


_LISTED = (
    "reference",
    "kind",
    "status",
    "origin_node",
    "node_id",
    "due_on",
    "confidence",
    "actor",
    "created_at",
    "updated_at",
)


async def find(
    connection: AsyncConnection, wanted: InboundFilter, *, after: tuple[date, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Inbound by due date, the next first, from behind the position `after` (due_on, reference) on."""
    units = (
        select(
            func.sum(inbound_lines.c.quantity).label("quantity"), func.sum(inbound_lines.c.received).label("received")
        )
        .where(inbound_lines.c.reference == inbound.c.reference)
        .lateral()
    )
    query = (
        select(*(inbound.c[name] for name in _LISTED), units.c.quantity, units.c.received)
        .join_from(inbound, units, onclause=text("true"))
        .where(*visibility.of_inbound(wanted.limits))
        .order_by(inbound.c.due_on, inbound.c.reference)
        .limit(limit)
    )
    for name in ("node_id", "status", "kind"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(inbound.c[name].in_(any_of(value)))
    if wanted.sku is not None:
        query = query.where(
            exists().where(inbound_lines.c.reference == inbound.c.reference, inbound_lines.c.sku == wanted.sku)
        )
    if after is not None:
        query = query.where(tuple_(inbound.c.due_on, inbound.c.reference) > after)
    return (await connection.execute(query)).mappings().all()


_IN_TRANSIT = text("""
SELECT i.origin_node, i.node_id, l.sku, sum(l.quantity - l.received)::int AS units
FROM inbound i JOIN inbound_lines l USING (reference)
WHERE i.kind = 'transfer' AND i.status = 'in_transit' AND l.received < l.quantity
  AND (CAST(:sku AS text) IS NULL OR l.sku = :sku)
GROUP BY i.origin_node, i.node_id, l.sku ORDER BY i.origin_node, i.node_id, l.sku
""")


async def in_transit(connection: AsyncConnection, sku: str | None = None) -> Sequence[RowMapping]:
    """Units that left a node and did not arrive at the other yet, by transfer's ends and SKU: in no balance."""
    return (await connection.execute(_IN_TRANSIT, {"sku": sku})).mappings().all()
