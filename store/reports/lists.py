"""Lists for people: nodes, SKUs, carriers, shipments, messages. Each pages by key, through an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, ScalarSelect, Select, Text, cast, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.asked import AskedOf, CancellationStatus
from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.enums import ShipmentStatus
from store.tables.cancellations import cancellation_requests
from store.tables.network import nodes, skus
from store.tables.orders import fulfilments, shipment_fulfilments, shipments
from store.tables.outbox import outbox


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """Which nodes are asked for; what is None does not matter."""

    kind: str | None = None
    country: str | None = None
    active: bool | None = None
    limits: Limits = UNLIMITED


@dataclass(frozen=True, slots=True)
class ShipmentFilter:
    """Which shipments are asked for; what is None does not matter."""

    carrier: str | None = None
    status: str | None = None
    tracking_number: str | None = None
    order_id: str | None = None
    intercept: CancellationStatus | None = None
    limits: Limits = UNLIMITED


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages are asked for; what is None does not matter."""

    order_id: str | None = None
    kind: str | None = None
    medium: str | None = None
    status: str | None = None
    limits: Limits = UNLIMITED


async def list_nodes(
    connection: AsyncConnection, wanted: NodeFilter, *, after: str | None, limit: int
) -> Sequence[dict[str, Any]]:
    """Nodes by code, from above the code `after` on."""
    query = select(nodes.c.document).where(*_asked(nodes.c, wanted)).order_by(nodes.c.id).limit(limit)
    if wanted.limits.nodes is not None:
        query = query.where(nodes.c.id.in_(sorted(wanted.limits.nodes)))
    if after is not None:
        query = query.where(nodes.c.id > after)
    return (await connection.execute(query)).scalars().all()


async def list_skus(
    connection: AsyncConnection, *, part: str | None, after: str | None, limit: int
) -> Sequence[dict[str, Any]]:
    """SKUs by code, from above the code `after` on; with `part`, those with it in their code or description."""
    query = select(skus.c.document).order_by(skus.c.id).limit(limit)
    if part is not None:
        described = func.lower(skus.c.id + " " + func.coalesce(skus.c.document["description"].as_string(), ""))
        query = query.where(described.contains(part.lower(), autoescape=True))
    if after is not None:
        query = query.where(skus.c.id > after)
    return (await connection.execute(query)).scalars().all()


_CARRIERS = text("""
SELECT t.carrier, t.document->>'name' AS name, t.document->>'currency' AS currency, t.updated_at,
       (SELECT jsonb_agg(jsonb_build_object(
            'method', s->>'method', 'max_parcel_grams', s->'max_parcel_grams',
            'origins', (SELECT jsonb_agg(DISTINCT c ORDER BY c)
                        FROM jsonb_array_elements(s->'lanes') AS l, jsonb_array_elements_text(l->'origins') AS c),
            'destinations', (SELECT jsonb_agg(DISTINCT c ORDER BY c)
                             FROM jsonb_array_elements(s->'lanes') AS l,
                                  jsonb_array_elements_text(l->'destinations') AS c)) ORDER BY position)
        FROM jsonb_array_elements(t.document->'services') WITH ORDINALITY AS of_carrier (s, position)) AS services
FROM tariffs t WHERE CAST(:after AS text) IS NULL OR t.carrier > :after ORDER BY t.carrier LIMIT :limit
""")


async def list_carriers(connection: AsyncConnection, *, after: str | None, limit: int) -> Sequence[RowMapping]:
    """Carriers by code, from above the code `after` on, with their services and the countries these connect."""
    return (await connection.execute(_CARRIERS, {"after": after, "limit": limit})).mappings().all()


async def list_shipments(
    connection: AsyncConnection, wanted: ShipmentFilter, *, before: tuple[datetime, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Shipments by time of booking, newest first, from below the position `before` (booked_at, id) on."""
    shown = ("id", "carrier", "method", "tracking_number", "status", "parcels", "weight_grams", "price", "currency")
    carried = (
        select(
            func.array_agg(aggregate_order_by(fulfilments.c.id, fulfilments.c.id)).label("fulfilments"),
            func.array_agg(fulfilments.c.order_id.distinct()).label("orders"),
        )
        .select_from(shipment_fulfilments.join(fulfilments, fulfilments.c.id == shipment_fulfilments.c.fulfilment_id))
        .where(shipment_fulfilments.c.shipment_id == shipments.c.id)
        .lateral()
    )
    empty = cast(literal("{}"), ARRAY(Text))
    query = (
        select(
            *(shipments.c[name] for name in (*shown, "booked_at", "ended_at")),
            func.coalesce(carried.c.fulfilments, empty).label("fulfilments"),
            func.coalesce(carried.c.orders, empty).label("orders"),
            _intercept().label("intercept"),
        )
        .select_from(shipments.join(carried, text("true")))
        .where(*visibility.of_shipments(wanted.limits))
        .order_by(shipments.c.booked_at.desc(), shipments.c.id.desc())
        .limit(limit)
    )
    for name in ("carrier", "status", "tracking_number"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(shipments.c[name] == value)
    if wanted.order_id is not None:
        of_order = (
            select(shipment_fulfilments.c.shipment_id)
            .join(fulfilments, fulfilments.c.id == shipment_fulfilments.c.fulfilment_id)
            .where(fulfilments.c.order_id == wanted.order_id)
        )
        query = query.where(shipments.c.id.in_(of_order))
    if wanted.intercept is not None:
        query = query.where(
            shipments.c.id.in_(_asked_back(shipment_fulfilments.c.shipment_id, wanted.intercept)),
            shipments.c.status != ShipmentStatus.VOIDED,
        )
    if before is not None:
        query = query.where(tuple_(shipments.c.booked_at, shipments.c.id) < before)
    return (await connection.execute(query)).mappings().all()


def _asked_back(column: ColumnElement[Any], status: CancellationStatus | None = None) -> Select[Any]:
    """A column of what carriers are asked to bring back, requests and their shipments side by side."""
    asked = cancellation_requests
    query = (
        select(column)
        .select_from(asked.join(shipment_fulfilments, shipment_fulfilments.c.fulfilment_id == asked.c.fulfilment_id))
        .where(asked.c.asked_of == AskedOf.CARRIER)
    )
    return query if status is None else query.where(asked.c.status == status)


def _intercept() -> ScalarSelect[Any]:
    """How the last request stands that asked the carrier to bring the shipment back."""
    last = _asked_back(cancellation_requests.c.status).where(
        shipment_fulfilments.c.shipment_id == shipments.c.id, shipments.c.status != ShipmentStatus.VOIDED
    )
    last = last.order_by(cancellation_requests.c.asked_at.desc(), cancellation_requests.c.id.desc()).limit(1)
    return last.correlate(shipments).scalar_subquery()


async def list_messages(
    connection: AsyncConnection, wanted: MessageFilter, *, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Messages, newest first, from below the number `before` on; without what they say and to whom."""
    names = ("id", "order_id", "message_key", "kind", "medium", "status", "created_at", "sent_at")
    query = select(*(outbox.c[name] for name in names)).where(
        *_asked(outbox.c, wanted), outbox.c.message_key.is_not(None)
    )
    query = query.where(*visibility.of_order_in(outbox.c.order_id, wanted.limits))
    query = query.order_by(outbox.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(outbox.c.id < before)
    return (await connection.execute(query)).mappings().all()


def _asked(columns: Any, wanted: NodeFilter | MessageFilter) -> list[ColumnElement[bool]]:
    """The conditions that a row holds what is asked for."""
    named = {name: getattr(wanted, name) for name in wanted.__dataclass_fields__ if name != "limits"}
    return [columns[name] == value for name, value in named.items() if value is not None]
