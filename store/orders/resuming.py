"""What a process needs to know of an order that is under way, to go on where the store stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.status import CARRIER_MILESTONES

_LINES = text("SELECT line_id, cancelled, backordered FROM order_lines WHERE order_id = :id ORDER BY position")
_ORDER = text("SELECT promise_earliest, promise_latest FROM orders WHERE id = :id")
_FULFILMENTS = text("""
SELECT f.id, f.node_id, f.status, f.method = 'pickup' AS pickup,
       coalesce((SELECT jsonb_object_agg(l.line_id, l.quantity) FROM fulfilment_lines l WHERE l.fulfilment_id = f.id),
                '{}') AS lines,
       coalesce((
            SELECT jsonb_object_agg(s.id, s.status)
            FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
            WHERE sf.fulfilment_id = f.id), '{}') AS bookings,
       live.tracking,
       coalesce((
            SELECT jsonb_agg(jsonb_build_object('kind', e.kind, 'tracking_number', e.tracking_number,
                                                'occurred_at', e.occurred_at, 'actor', e.carrier,
                                                'shipment_id', live.id, 'event_id', e.event_id,
                                                'told', e.told_at IS NOT NULL) ORDER BY e.id)
            FROM carrier_events e WHERE e.carrier = live.carrier AND e.tracking_number = live.tracking_number
              AND (e.kind = ANY(:milestones) OR e.told_at IS NULL)), '[]') AS milestones
FROM fulfilments f
LEFT JOIN LATERAL (
    SELECT s.id, s.carrier, s.tracking_number, s.carrier || ' ' || s.tracking_number AS tracking
    FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) live ON true
WHERE f.order_id = :id ORDER BY f.released_at, f.id
""")
_EVENTS = text("SELECT kind, business_key, actor, data, occurred_at FROM timeline WHERE order_id = :id ORDER BY id")
_LAST_SOURCING = text("""
SELECT max(substring(business_key FROM '^sourced:([0-9]+)$')::int) FROM sourcing_decisions WHERE order_id = :id
""")
# Waiting began with the first decision that left units over, after the last one that placed them all.
_SINCE = text("""
WITH decided AS (
    SELECT recorded_at, coalesce(jsonb_array_length(document->'decision'->'unfilled'), 0) AS unfilled,
           business_key = :last AS is_last
    FROM sourcing_decisions WHERE order_id = :id
)
SELECT greatest(extract(epoch FROM statement_timestamp() - coalesce(min(recorded_at) FILTER (
           WHERE unfilled > 0 AND recorded_at > coalesce((SELECT max(recorded_at) FROM decided WHERE unfilled = 0),
                                                         '-infinity')), statement_timestamp()))::int, 0) AS waiting,
       greatest(extract(epoch FROM statement_timestamp() - max(recorded_at) FILTER (WHERE is_last))::int, 0) AS decided
FROM decided
""")
_LOOKS = text("SELECT coalesce(max(number), 0) FROM second_looks WHERE order_id = :id")


@dataclass(frozen=True, slots=True)
class Underway:
    """An order as the store holds it: its rows, events in their sequence, and what of it is open.

    `sourcing` is the number of its process's last sourcing; `waiting_seconds` ago units began to wait,
    `decided_seconds` ago that last sourcing was written down.
    """

    lines: Sequence[RowMapping]
    promise: tuple[datetime, datetime] | None
    fulfilments: Sequence[RowMapping]
    events: Sequence[RowMapping]
    sourcing: int
    waiting_seconds: int
    decided_seconds: int
    looks: int


async def read(connection: AsyncConnection, order_id: str) -> Underway:
    """The order as it stands; lock it first, so that nothing moves in between."""
    names = {"id": order_id}

    async def rows(query: object, **more: object) -> Sequence[RowMapping]:
        return (await connection.execute(query, names | more)).mappings().all()  # type: ignore[call-overload,no-any-return]

    sourcing = int(await connection.scalar(_LAST_SOURCING, names) or 0)
    spans = (await rows(_SINCE, last=f"sourced:{sourcing}"))[0]
    order = (await rows(_ORDER))[0]
    promised = order["promise_earliest"] is not None and order["promise_latest"] is not None
    return Underway(
        lines=await rows(_LINES),
        promise=(order["promise_earliest"], order["promise_latest"]) if promised else None,
        fulfilments=await rows(_FULFILMENTS, milestones=[str(kind) for kind in CARRIER_MILESTONES]),
        events=await rows(_EVENTS),
        sourcing=sourcing,
        waiting_seconds=spans["waiting"],
        decided_seconds=spans["decided"] or 0,
        looks=int(await connection.scalar(_LOOKS, names) or 0),
    )
