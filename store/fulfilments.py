"""Fulfilments: one node's work for one order, and the units it is for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom import ids
from dom.errors import NotFound
from dom.ofl.models import SourcingDecision
from dom.status import FINAL_ORDER, FulfilmentStatus, OrderStatus
from store.rows import to_json, to_rows
from store.stock.firm import Reserved
from store.timeline import Event, as_parameters

_RELEASE = text("""
WITH released AS (
    INSERT INTO fulfilments (id, order_id, node_id, status, method, carrier, ship_day, cost, ship_by,
                             promise_earliest, promise_latest, released_at)
    SELECT f.id, :order_id, f.node_id, 'released', f.method, f.carrier, f.ship_day, f.cost, f.ship_by,
           f.promise_earliest, f.promise_latest, :at
    FROM jsonb_to_recordset(CAST(:fulfilments AS jsonb)) AS f (
        id text, node_id text, method text, carrier text, ship_day date, cost bigint, ship_by timestamptz,
        promise_earliest timestamptz, promise_latest timestamptz)
)
INSERT INTO fulfilment_lines (fulfilment_id, line_id, order_id, sku, quantity)
SELECT l.fulfilment_id, l.line_id, :order_id, l.sku, l.quantity
FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (fulfilment_id text, line_id text, sku text, quantity int)
""")


def planned_units(decision: SourcingDecision, first: int) -> list[Reserved]:
    """The units a decision takes, by the fulfilment they belong to; fulfilments are numbered from `first`."""
    return [
        Reserved(ids.fulfilment_id(decision.order_id, number), line.line_id, shipment.node_id, line.sku, line.quantity)
        for number, shipment in enumerate(decision.shipments, first)
        for line in shipment.lines
    ]


async def release(connection: AsyncConnection, decision: SourcingDecision, first: int, at: datetime) -> None:
    """Hand the planned work to the nodes: it stands in their work lists from now on."""
    await connection.execute(
        _RELEASE,
        {
            "order_id": decision.order_id,
            "at": at,
            "fulfilments": to_rows(
                {
                    "id": ids.fulfilment_id(decision.order_id, number),
                    "node_id": shipment.node_id,
                    "method": shipment.service,
                    "carrier": shipment.carrier,
                    "ship_day": shipment.ship_day,
                    "cost": shipment.cost,
                    "ship_by": shipment.ship_by,
                    "promise_earliest": shipment.promise.earliest,
                    "promise_latest": shipment.promise.latest,
                }
                for number, shipment in enumerate(decision.shipments, first)
            ),
            "lines": to_rows(
                {
                    "fulfilment_id": unit.fulfilment_id,
                    "line_id": unit.line_id,
                    "sku": unit.sku,
                    "quantity": unit.quantity,
                }
                for unit in planned_units(decision, first)
            ),
        },
    )


_ADVANCE = text("""
WITH noted AS (
    INSERT INTO timeline (order_id, kind, business_key, actor, reason, data, occurred_at)
    VALUES (:order_id, :kind, :business_key, :actor, :reason, CAST(:data AS jsonb), :occurred_at)
    ON CONFLICT (order_id, business_key) DO NOTHING RETURNING id
), advanced AS (
    UPDATE fulfilments SET status = :status, reason = :reason, updated_at = now()
    WHERE id = :fulfilment_id AND EXISTS (SELECT FROM noted) RETURNING node_id, ship_day, method
), ordered AS (
    UPDATE orders SET status = :order_status,
        finished_at = CASE WHEN :final THEN CAST(:occurred_at AS timestamptz) END
    WHERE id = :order_id AND EXISTS (SELECT FROM noted)
)
SELECT node_id, ship_day, method FROM advanced
""")


async def advance(
    connection: AsyncConnection,
    event: Event,
    *,
    fulfilment_id: str,
    status: FulfilmentStatus,
    order_status: OrderStatus,
) -> RowMapping | None:
    """Move a fulfilment on, with the order's status and its timeline, in one statement.

    Answers the fulfilment's node, ship day and service; None if the event was recorded before, and nothing is to be
    done again.
    """
    rows = await connection.execute(
        _ADVANCE,
        {
            **as_parameters(event),
            "fulfilment_id": fulfilment_id,
            "status": status,
            "order_status": order_status,
            "final": order_status in FINAL_ORDER,
        },
    )
    return rows.mappings().one_or_none()


async def set_status(connection: AsyncConnection, fulfilment_id: str, status: FulfilmentStatus) -> None:
    """Write a fulfilment's status where its event is written elsewhere."""
    await connection.execute(
        text("UPDATE fulfilments SET status = :status, updated_at = now() WHERE id = :id"),
        {"id": fulfilment_id, "status": status},
    )


async def mark_booked(connection: AsyncConnection, fulfilment_id: str) -> None:
    """Write that a carrier is booked, unless the fulfilment was cancelled or is to be packed anew meanwhile."""
    await connection.execute(
        text("UPDATE fulfilments SET status = 'booked', updated_at = now() WHERE id = :id AND status = 'packed'"),
        {"id": fulfilment_id},
    )


async def take_out(connection: AsyncConnection, fulfilment_id: str, units: Mapping[str, int]) -> None:
    """Take units out of a fulfilment's lines."""
    await connection.execute(
        text("""
        UPDATE fulfilment_lines l SET quantity = l.quantity - CAST(u.value AS int)
        FROM jsonb_each_text(CAST(:units AS jsonb)) AS u
        WHERE l.fulfilment_id = :id AND l.line_id = u.key
        """),
        {"id": fulfilment_id, "units": to_json(dict(units))},
    )


async def get(connection: AsyncConnection, fulfilment_id: str) -> RowMapping | None:
    """The fulfilment's own row, or None."""
    rows = await connection.execute(text("SELECT * FROM fulfilments WHERE id = :id"), {"id": fulfilment_id})
    return rows.mappings().one_or_none()


async def lines(connection: AsyncConnection, fulfilment_id: str) -> Sequence[RowMapping]:
    """The units a fulfilment is for."""
    rows = await connection.execute(
        text("""
        SELECT line_id, sku, quantity FROM fulfilment_lines
        WHERE fulfilment_id = :id AND quantity > 0 ORDER BY line_id
        """),
        {"id": fulfilment_id},
    )
    return rows.mappings().all()


_TO_BOOK = text("""
SELECT f.id, f.method, f.carrier, f.ship_by, n.document AS node, o.document->'ship_to' AS ship_to,
       (SELECT jsonb_agg(jsonb_build_array(l.quantity, s.document) ORDER BY l.line_id)
        FROM fulfilment_lines l JOIN skus s ON s.id = l.sku
        WHERE l.fulfilment_id = f.id AND l.quantity > 0) AS goods
FROM fulfilments f JOIN nodes n ON n.id = f.node_id JOIN orders o ON o.id = f.order_id WHERE f.id = :id
""")


async def to_book(connection: AsyncConnection, fulfilment_id: str) -> RowMapping:
    """What a carrier is asked for: from where, to whom, by when, and `goods` as (units, SKU). Raises NotFound."""
    row = (await connection.execute(_TO_BOOK, {"id": fulfilment_id})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}")
    return row


_WORK_LIST = """
SELECT f.*, o.channel, o.placed_at, o.document->'ship_to' AS ship_to,
       (SELECT jsonb_agg(jsonb_build_object('line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity)
                         ORDER BY l.line_id)
        FROM fulfilment_lines l WHERE l.fulfilment_id = f.id AND l.quantity > 0) AS lines,
       s.carrier AS booked_carrier, s.tracking_number, s.id AS shipment_id
FROM fulfilments f JOIN orders o ON o.id = f.order_id
LEFT JOIN LATERAL (
    SELECT s.* FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) s ON true
WHERE {conditions}
ORDER BY f.id LIMIT :limit
"""
_CONDITIONS = {
    "node_id": "f.node_id = :node_id",
    "statuses": "f.status = ANY(CAST(:statuses AS text[]))",
    "order_id": "f.order_id = :order_id",
    "after": "f.id > :after",
}


@cache
def _work_list(filters: tuple[str, ...]) -> TextClause:
    """The statement with just these filters: with all of them optional in one, no index would serve it."""
    return text(_WORK_LIST.format(conditions=" AND ".join(_CONDITIONS[name] for name in filters) or "true"))


async def work_list(
    connection: AsyncConnection,
    *,
    node_id: str | None = None,
    statuses: Sequence[str] | None = None,
    order_id: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Sequence[RowMapping]:
    """Fulfilments with their lines and shipment, by id: a node's work list, or an order's fulfilments."""
    asked: dict[str, Any] = {
        "node_id": node_id,
        "statuses": list(statuses) if statuses else None,
        "order_id": order_id,
        "after": after,
    }
    filters = {name: value for name, value in asked.items() if value is not None}
    rows = await connection.execute(_work_list(tuple(filters)), filters | {"limit": limit})
    return rows.mappings().all()
