"""Firm reservations: an order line's units at a node, from accept to hand-over or release.

One statement takes the stock and the nodes' capacity of a whole plan, or nothing: `reserve_firm` in the database
(store/migrations/sql) locks the rows in (node, SKU) order, reclaims soft reservations that lapsed, and compares what is
free with what is wanted, each on what was committed while it waited for its locks.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.parameters import HAPPENED_AT


@dataclass(frozen=True, slots=True)
class Reserved:
    """Units of one order line that a fulfilment takes at a node."""

    fulfilment_id: str
    line_id: str
    node_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class WorkDay:
    """One fulfilment's place in a node's local day, and in what the node does of that service."""

    node_id: str
    day: date
    service: str


class OutOfReach(Exception):
    """The stock or capacity the plan counted on was taken meanwhile; plan again on a fresh snapshot."""


NOTHING: Final[Mapping[tuple[str, str], int]] = MappingProxyType({})

_RESERVE = text("""
SELECT reserve_firm(:order_id, :channel, :at, CAST(:nodes AS text[]), CAST(:skus AS text[]), CAST(:quantities AS int[]),
    CAST(:owned AS int[]),
    CAST(:u_fulfilments AS text[]), CAST(:u_lines AS text[]), CAST(:u_nodes AS text[]), CAST(:u_skus AS text[]),
    CAST(:u_quantities AS int[]),
    CAST(:d_nodes AS text[]), CAST(:d_days AS date[]), CAST(:d_services AS text[]), CAST(:d_units AS int[]))
""")


async def reserve(
    connection: AsyncConnection,
    order_id: str,
    channel: str,
    units: Sequence[Reserved],
    days: Iterable[WorkDay],
    at: datetime,
    owned: Mapping[tuple[str, str], int] = NOTHING,
) -> None:
    """Reserve every unit and every place in a node's day, or none. Raises OutOfReach; the transaction must then end.

    What the channel may not have (`channel_rules`) is not free for it; `owned` are units by (node, SKU) that this
    transaction gave back for the order, and they are the order's whatever the rules and safety stocks say by now.
    """
    wanted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for unit in units:
        wanted[unit.node_id, unit.sku] += unit.quantity
    work = Counter(days)
    parameters = {
        "order_id": order_id,
        "channel": channel,
        "at": at,
        "nodes": [node for node, _ in wanted],
        "skus": [sku for _, sku in wanted],
        "quantities": list(wanted.values()),
        "owned": [owned.get(row, 0) for row in wanted],
        "u_fulfilments": [u.fulfilment_id for u in units],
        "u_lines": [u.line_id for u in units],
        "u_nodes": [u.node_id for u in units],
        "u_skus": [u.sku for u in units],
        "u_quantities": [u.quantity for u in units],
        "d_nodes": [d.node_id for d in work],
        "d_days": [d.day for d in work],
        "d_services": [d.service for d in work],
        "d_units": list(work.values()),
    }
    if not await connection.scalar(_RESERVE, parameters):
        raise OutOfReach(order_id)


_RELEASE = text("""
WITH asked AS (
    SELECT * FROM unnest(CAST(:lines AS text[]), CAST(:quantities AS int[])) AS a (line_id, quantity)
), let_go AS (
    UPDATE reservations r SET quantity = r.quantity - a.quantity,
        status = CASE WHEN r.quantity = a.quantity THEN 'released' ELSE r.status END
    FROM asked a WHERE r.fulfilment_id = :fulfilment_id AND r.line_id = a.line_id AND r.status = 'active'
    RETURNING r.node_id, r.sku, a.quantity
), summed AS (
    SELECT node_id, sku, sum(quantity) AS quantity FROM let_go GROUP BY node_id, sku
), locked AS (
    SELECT node_id, sku FROM stock JOIN summed USING (node_id, sku) ORDER BY node_id, sku FOR NO KEY UPDATE OF stock
), freed AS (
    UPDATE stock s SET reserved = s.reserved - f.quantity, updated_at = now()
    FROM summed f JOIN locked USING (node_id, sku) WHERE s.node_id = f.node_id AND s.sku = f.sku
    RETURNING s.node_id, s.sku, f.quantity
)
INSERT INTO stock_ledger (node_id, sku, kind, reserved_delta, business_key, order_id, reason, actor, occurred_at)
SELECT node_id, sku, 'release', -quantity, :business_key, :order_id, :reason, :actor, :at FROM freed
""")


async def release(
    connection: AsyncConnection,
    order_id: str,
    fulfilment_id: str,
    quantities: dict[str, int],
    *,
    business_key: str,
    reason: str,
    actor: str,
    at: datetime,
) -> None:
    """Give reserved units of a fulfilment's lines back to availability."""
    await connection.execute(
        _RELEASE,
        {
            "order_id": order_id,
            "fulfilment_id": fulfilment_id,
            "lines": list(quantities),
            "quantities": list(quantities.values()),
            "business_key": business_key,
            "reason": reason,
            "actor": actor,
            "at": at,
        },
    )


_LOCK = text("""
SELECT FROM stock WHERE (node_id, sku) IN (
    SELECT node_id, sku FROM reservations WHERE fulfilment_id = ANY(:fulfilments) AND status = 'active'
    UNION ALL
    SELECT f.pickup_node, l.sku FROM fulfilments f JOIN fulfilment_lines l ON l.fulfilment_id = f.id
    WHERE f.id = ANY(:fulfilments) AND f.pickup_node IS NOT NULL)
ORDER BY node_id, sku FOR NO KEY UPDATE
""")


async def lock(connection: AsyncConnection, fulfilments: Sequence[str]) -> None:
    """Lock every balance that the fulfilments have or get units of, in the sequence in which everybody locks them."""
    await connection.execute(_LOCK, {"fulfilments": list(fulfilments)})


_CONSUME = text(f"""
WITH could_leave AS (
    SELECT greatest(f.released_at, max(s.booked_at)) AS at
    FROM fulfilments f LEFT JOIN shipment_fulfilments sf ON sf.fulfilment_id = f.id
    LEFT JOIN shipments s ON s.id = sf.shipment_id WHERE f.id = :fulfilment_id GROUP BY f.id
), departure AS (
    SELECT CASE WHEN CAST(:at AS timestamptz) < (SELECT at FROM could_leave) THEN statement_timestamp()
                ELSE {HAPPENED_AT} END AS at
), gone AS (
    UPDATE reservations SET status = 'consumed' WHERE fulfilment_id = :fulfilment_id AND status = 'active'
    RETURNING node_id, sku, quantity
), summed AS (
    SELECT node_id, sku, sum(quantity) AS quantity FROM gone GROUP BY node_id, sku
), locked AS (
    SELECT node_id, sku, quantity,
           CASE WHEN counted_at >= (SELECT at FROM departure) THEN 0 ELSE quantity END AS leaving
    FROM stock JOIN summed USING (node_id, sku) ORDER BY node_id, sku FOR NO KEY UPDATE OF stock
), shipped AS (
    UPDATE stock s SET on_hand = s.on_hand - l.leaving, reserved = s.reserved - l.quantity, updated_at = now()
    FROM locked l WHERE s.node_id = l.node_id AND s.sku = l.sku
    RETURNING s.node_id, s.sku, l.quantity, l.leaving
)
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, order_id, actor, occurred_at)
SELECT node_id, sku, 'ship', -leaving, -quantity, :fulfilment_id || '/ship', :order_id, :actor, departure.at
FROM shipped, departure
""")


async def consume(connection: AsyncConnection, order_id: str, fulfilment_id: str, *, actor: str, at: datetime) -> None:
    """The goods left the node: on hand and reserved fall together.

    Where they left by the time of the node's last count, the count has seen that they are gone: only reserved falls.
    They cannot have left before the work was released and its carrier booked: a time before that is a clock that is
    wrong, and they leave now.
    """
    await connection.execute(_CONSUME, {"order_id": order_id, "fulfilment_id": fulfilment_id, "actor": actor, "at": at})


_GIVE_DAY_BACK = text("""
UPDATE node_days SET used = used - 1
WHERE node_id = :node_id AND day = :day AND service IN ('', :service) AND used > 0
""")


async def give_day_back(connection: AsyncConnection, work: WorkDay) -> None:
    """A fulfilment that will not be worked on frees its place in the node's day."""
    await connection.execute(_GIVE_DAY_BACK, {"node_id": work.node_id, "day": work.day, "service": work.service})
