"""What channels were told of their orders, each thing once; and how an order stands, for who tells it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.telling import OurFulfilment, OurOrder, OurRefund, TellStep
from dom.orders.status import FulfilmentStatus, OrderStatus

_ORDER: Final = text("""
SELECT o.id, o.channel, o.external_id, o.status, c.reference, c.number, c.document, c.sent_before,
       (SELECT jsonb_object_agg(l.line_id, l.quantity - l.cancelled)
        FROM order_lines l WHERE l.order_id = o.id) AS wanted,
       (SELECT jsonb_agg(jsonb_build_object(
            'id', f.id, 'status', f.status, 'carrier', coalesce(s.carrier, f.carrier, ''),
            'tracking_number', coalesce(s.tracking_number, ''),
            'lines', (SELECT coalesce(jsonb_object_agg(fl.line_id, fl.quantity) FILTER (WHERE fl.quantity > 0), '{}')
                      FROM fulfilment_lines fl WHERE fl.fulfilment_id = f.id)) ORDER BY f.released_at, f.id)
        FROM fulfilments f LEFT JOIN LATERAL (
            SELECT s.carrier, s.tracking_number FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
            WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) s ON true
        WHERE f.order_id = o.id) AS fulfilments,
       (SELECT jsonb_agg(jsonb_build_object(
            'key', r.business_key, 'amount', r.amount, 'currency', r.currency, 'reason', r.reason) ORDER BY r.id)
        FROM refunds r WHERE r.order_id = o.id) AS refunds
FROM orders o LEFT JOIN channel_orders c ON c.order_id = o.id
WHERE o.id = :order_id
""")
_DONE: Final = text("SELECT key, platform_id FROM channel_told WHERE order_id = :order_id")
_NOTE: Final = text("""
INSERT INTO channel_told (order_id, key, kind, platform_id, found)
VALUES (:order_id, :key, :kind, :platform_id, :found)
ON CONFLICT (order_id, key) DO UPDATE SET platform_id = excluded.platform_id
""")
_LEVELS: Final = text("""
UPDATE channel_levels SET told_at = clock_timestamp() WHERE channel = :channel AND sku = ANY(:skus)
""")
_AGE: Final = text("""
SELECT count(*) AS skus, count(told_at) AS told, min(told_at) AS oldest, max(told_at) AS newest
FROM channel_levels WHERE channel = :channel
""")


async def order(connection: AsyncConnection, order_id: str) -> RowMapping | None:
    """The order with what its channel told of it last; None if there is none."""
    return (await connection.execute(_ORDER, {"order_id": order_id})).mappings().one_or_none()


def as_ours(row: RowMapping, agreed: Mapping[str, int]) -> OurOrder:
    """A row of `order` as what is compared with the platform's state; `agreed` are the units that the channel wanted
    by the last state of it that was carried out.
    """
    return OurOrder(
        order_id=row["id"],
        number=row["number"] or row["external_id"],
        wanted=row["wanted"] or {},
        agreed=agreed,
        fulfilments=[
            OurFulfilment(**{**each, "status": FulfilmentStatus(each["status"])}) for each in row["fulfilments"] or ()
        ],
        refunds=[OurRefund(**each) for each in row["refunds"] or ()],
        is_cancelled=row["status"] == OrderStatus.CANCELLED,
        sent_before=row["sent_before"] or {},
    )


async def done(connection: AsyncConnection, order_id: str) -> dict[str, str]:
    """Keys of what the channel was told of the order, with the platform's own ids."""
    return {row.key: row.platform_id for row in await connection.execute(_DONE, {"order_id": order_id})}


async def note(connection: AsyncConnection, order_id: str, step: TellStep, platform_id: str) -> None:
    """The channel was told; or it was there already (`step.known`)."""
    values = {
        "order_id": order_id,
        "key": step.key,
        "kind": step.kind,
        "platform_id": platform_id,
        "found": step.known is not None,
    }
    await connection.execute(_NOTE, values)


async def stock_taken(connection: AsyncConnection, channel: str, skus: Sequence[str]) -> None:
    """The channel took what it was told of these SKUs."""
    await connection.execute(_LEVELS, {"channel": channel, "skus": list(skus)})


async def stock_age(connection: AsyncConnection, channel: str) -> dict[str, Any]:
    """Of how many SKUs the channel was told, and when it took the oldest and the newest of it."""
    return dict((await connection.execute(_AGE, {"channel": channel})).mappings().one())
