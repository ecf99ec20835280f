"""Shipments: what a carrier was booked for, once a booking key, and what it reported since."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.changes import OwnShipment
from dom.orders.status import CARRIER_MILESTONES, CarrierEventKind
from dom.shared.errors import Conflict
from store.database.parameters import to_json
from store.enums import ShipmentStatus


@dataclass(frozen=True, slots=True)
class BookedShipment:
    """A booking as the carrier confirmed it."""

    id: str
    carrier: str
    method: str
    tracking_number: str
    parcels: int
    weight_grams: int
    price: int
    currency: str
    booking: dict[str, Any]
    label: bytes
    label_media_type: str


@dataclass(frozen=True, slots=True)
class ParcelScan:
    """What a carrier says of a parcel; `event_id` is the carrier's own and makes it count once."""

    carrier: str
    event_id: str
    tracking_number: str
    kind: CarrierEventKind
    occurred_at: datetime
    place: str = ""


_BOOK = text("""
WITH booked AS (
    INSERT INTO shipments (id, carrier, method, tracking_number, status, parcels, weight_grams, price, currency,
                           booking, booked_at)
    VALUES (:id, :carrier, :method, :tracking_number, 'booked', :parcels, :weight_grams, :price, :currency,
            CAST(:booking AS jsonb), :at)
    ON CONFLICT (id) DO NOTHING RETURNING id
), labelled AS (
    INSERT INTO labels (shipment_id, media_type, content) SELECT id, :media_type, :label FROM booked
)
INSERT INTO shipment_fulfilments (shipment_id, fulfilment_id)
SELECT id, unnest(CAST(:fulfilments AS text[])) FROM booked RETURNING shipment_id
""")


async def book(connection: AsyncConnection, shipment: BookedShipment, fulfilments: Sequence[str], at: datetime) -> bool:
    """Write a booking and its label down; False if it stands already."""
    rows = await connection.execute(
        _BOOK,
        {
            "id": shipment.id,
            "carrier": shipment.carrier,
            "method": shipment.method,
            "tracking_number": shipment.tracking_number,
            "parcels": shipment.parcels,
            "weight_grams": shipment.weight_grams,
            "price": shipment.price,
            "currency": shipment.currency,
            "booking": to_json(shipment.booking),
            "media_type": shipment.label_media_type,
            "label": shipment.label,
            "fulfilments": list(fulfilments),
            "at": at,
        },
    )
    return rows.first() is not None


_SEND = text("""
WITH sent AS (
    INSERT INTO shipments (id, carrier, method, tracking_number, status, parcels, weight_grams, price, currency,
                           booking, booked_at)
    SELECT :id, :carrier, f.method, :tracking_number, 'in_transit', :parcels, g.weight, 0, o.currency,
           jsonb_build_object('units', g.units), CAST(:at AS timestamptz)
    FROM fulfilments f JOIN orders o ON o.id = f.order_id CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(u.sku, u.units) AS units, sum(u.weight) AS weight FROM (
            SELECT l.sku, sum(l.quantity) AS units,
                   sum(l.quantity * CAST(s.document->>'weight_grams' AS bigint)) AS weight
            FROM fulfilment_lines l JOIN skus s ON s.id = l.sku
            WHERE l.fulfilment_id = f.id AND l.quantity > 0 GROUP BY l.sku) u) g
    WHERE f.id = :fulfilment_id
    ON CONFLICT (carrier, tracking_number) DO NOTHING RETURNING id
)
INSERT INTO shipment_fulfilments (shipment_id, fulfilment_id) SELECT id, :fulfilment_id FROM sent RETURNING shipment_id
""")


async def send(connection: AsyncConnection, sent: OwnShipment, at: datetime) -> None:
    """Write down what a node sent with a carrier of its own. Raises Conflict for a number that the carrier gave another
    shipment.
    """
    rows = await connection.execute(_SEND, {**asdict(sent), "at": at})
    if rows.first() is None:
        raise Conflict(f"{sent.carrier} has another shipment {sent.tracking_number}", field="tracking_number")


_SENT = text("""
SELECT EXISTS (SELECT FROM shipments s JOIN shipment_fulfilments f ON f.shipment_id = s.id
               WHERE s.id = :id AND f.fulfilment_id = :fulfilment_id AND s.carrier = :carrier
                 AND s.tracking_number = :tracking_number AND s.parcels = :parcels)
""")


async def was_sent(connection: AsyncConnection, sent: OwnShipment) -> bool:
    """Whether it was written down before that a node sent just this."""
    return bool(await connection.scalar(_SENT, asdict(sent)))


async def get(connection: AsyncConnection, shipment_id: str) -> RowMapping | None:
    """The shipment's row, or None if it was never booked."""
    rows = await connection.execute(text("SELECT * FROM shipments WHERE id = :id"), {"id": shipment_id})
    return rows.mappings().one_or_none()


async def standing(connection: AsyncConnection, fulfilment_id: str) -> RowMapping | None:
    """The fulfilment's booking that stands."""
    query = text("""
        SELECT s.id, s.carrier FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
        WHERE sf.fulfilment_id = :id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1
    """)
    return (await connection.execute(query, {"id": fulfilment_id})).mappings().one_or_none()


async def set_status(
    connection: AsyncConnection, shipment_id: str, status: ShipmentStatus, ended_at: datetime | None = None
) -> None:
    """Write where the shipment is."""
    await connection.execute(
        text("UPDATE shipments SET status = :status, ended_at = coalesce(:ended_at, ended_at) WHERE id = :id"),
        {"id": shipment_id, "status": status, "ended_at": ended_at},
    )


async def end_with(connection: AsyncConnection, fulfilment_id: str, status: ShipmentStatus, ended_at: datetime) -> None:
    """The fulfilment's booking that stands ended so, whatever its carrier reported before or beside it."""
    await connection.execute(
        text("""
        UPDATE shipments SET status = :status, ended_at = :ended_at WHERE status <> :status AND id = (
            SELECT s.id FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
            WHERE sf.fulfilment_id = :id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1)
        """),
        {"id": fulfilment_id, "status": status, "ended_at": ended_at},
    )


_HOLD = text("""
SELECT FROM shipments WHERE carrier = :carrier AND tracking_number = ANY(:numbers) ORDER BY id FOR NO KEY UPDATE
""")
_HOLD_EVENTS = text("""
SELECT pg_advisory_xact_lock(hashtext('carrier_events/' || CAST(:carrier AS text)), share) FROM (
    SELECT DISTINCT hashtext(event_id) & 63 AS share FROM unnest(CAST(:event_ids AS text[])) AS e (event_id)
    ORDER BY share OFFSET 0) shares
""")


async def hold(
    connection: AsyncConnection, carrier: str, tracking_numbers: Iterable[str], event_ids: Iterable[str]
) -> None:
    """Lock the shipments and the event ids a feed is about, in one sequence: two feeds of the same parcels, or with the
    same ids, do not wait for each other. Ids share 64 locks: one for each would fill PostgreSQL's table of locks.
    """
    await connection.execute(_HOLD, {"carrier": carrier, "numbers": sorted(set(tracking_numbers))})
    await connection.execute(_HOLD_EVENTS, {"carrier": carrier, "event_ids": sorted(set(event_ids))})


_SCAN = text("""
WITH known AS (
    SELECT id, status, booked_at, ended_at FROM shipments
    WHERE carrier = :carrier AND tracking_number = :tracking_number
), written AS (
    INSERT INTO carrier_events (carrier, event_id, tracking_number, kind, place, occurred_at)
    SELECT :carrier, :event_id, :tracking_number, :kind, :place, :occurred_at FROM known
    ON CONFLICT (carrier, event_id) DO NOTHING RETURNING id
), moved AS (
    UPDATE shipments SET
        status = coalesce(CAST(:status AS text), CASE WHEN status = 'booked' THEN 'in_transit' ELSE status END),
        ended_at = CASE WHEN CAST(:status AS text) IS NULL THEN ended_at ELSE :occurred_at END
    WHERE id IN (SELECT id FROM known) AND status IN ('booked', 'in_transit') AND EXISTS (SELECT FROM written)
)
SELECT k.id AS shipment_id, (SELECT id FROM written) AS event, EXISTS (SELECT FROM written) AS fresh, false AS told,
       k.status AS shipment_status, k.ended_at, array_agg(f.id ORDER BY f.id) AS fulfilments,
       jsonb_agg(jsonb_build_object('id', f.id, 'status', f.status, 'stands', k.status <> 'voided' AND NOT EXISTS (
           SELECT FROM shipment_fulfilments o JOIN shipments later ON later.id = o.shipment_id
           WHERE o.fulfilment_id = f.id AND later.status <> 'voided' AND later.booked_at > k.booked_at))
           ORDER BY f.id) AS concerned
FROM known k JOIN shipment_fulfilments sf ON sf.shipment_id = k.id JOIN fulfilments f ON f.id = sf.fulfilment_id
GROUP BY k.id, k.status, k.booked_at, k.ended_at
""")
_BEFORE = text("""
SELECT id, tracking_number, kind, place, occurred_at, notified_at FROM carrier_events
WHERE carrier = :carrier AND event_id = :event_id
""")


async def scan(connection: AsyncConnection, scan: ParcelScan) -> dict[str, Any] | None:
    """Write a carrier's event down, once an event id, and move the shipment on.

    Answers the number of the event, whether it is `fresh` and, if not, whether the orders were `told` of it; the
    shipment, its status and end before this scan; its fulfilments, and of each (`concerned`) the status and whether
    the shipment is the one that stands for it. None if the tracking number is not known. Raises Conflict if the event
    id stands for another event: nothing is written then.
    """
    milestone = CARRIER_MILESTONES.get(scan.kind)
    names = asdict(scan) | {"status": None if milestone is None else ShipmentStatus(milestone.value)}
    row = (await connection.execute(_SCAN, names)).mappings().one_or_none()
    if row is None or row["fresh"]:
        return None if row is None else dict(row)
    before = (await connection.execute(_BEFORE, names)).mappings().one()
    for name in ("tracking_number", "kind", "occurred_at", "place"):
        if names[name] != before[name]:
            raise Conflict(
                f"{scan.carrier} used the event id {scan.event_id} before, for a scan with another {name}",
                field="event_id",
                data={"recorded": {other: before[other] for other in ("tracking_number", "kind", "occurred_at")}},
            )
    return {**row, "event": before["id"], "told": before["notified_at"] is not None}


async def mark_notified(connection: AsyncConnection, events: Iterable[int]) -> None:
    """Note of carriers' events that the orders concerned were told, or that nobody had to be."""
    await connection.execute(
        text(
            "UPDATE carrier_events SET notified_at = statement_timestamp() WHERE id = ANY(:ids) AND notified_at IS NULL"
        ),
        {"ids": sorted(events)},
    )
