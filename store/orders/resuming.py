"""What an order's process needs to know of the order beyond its units: bookings, and why units have no node."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.fulfilment.carrier_reports import ParcelReport
from dom.orders.lifecycle import OrderState
from dom.orders.status import CARRIER_MILESTONES, ENDED_UNDELIVERED, NETWORK, SourcingCause
from store.database.parameters import listed
from store.orders import state as order_state
from store.sourcing import reoptimisation

_CAUSES: Final = {
    "fulfilment_rejected": SourcingCause.REJECTED,
    "fulfilment_lost": SourcingCause.LOST,
    "fulfilment_picked": SourcingCause.SHORT_PICK,
    "hold_released": SourcingCause.HOLD_RELEASED,
    "edited": SourcingCause.EDITED,
    "reshipped": SourcingCause.RESHIPPED,
    "sourced_again": SourcingCause.SOURCED_AGAIN,
}
_NODE_FAILED: Final = frozenset({"fulfilment_rejected", "fulfilment_picked"})
# What units were sourced by, and what took them from their nodes or has them sourced: a short pick names what is
# missing, and a hold's release what it took back, or that nothing was sourced while it stood.
_SOURCINGS: Final = """
SELECT t.kind, t.actor, t.occurred_at, f.node_id, (t.data->>'attempt')::int AS attempt,
       coalesce(t.data->>'without_node', '') = 'true' AS without_node
FROM timeline t LEFT JOIN fulfilments f ON f.id = t.data->>'fulfilment_id'
WHERE t.order_id = :id AND (t.kind IN ('accepted', 'sourced', 'fulfilment_rejected', 'fulfilment_lost',
                                       'reshipped', 'sourced_again')
                            OR t.kind = 'fulfilment_picked' AND t.data ? 'missing'
                            OR t.kind = 'edited' AND (t.data ? 'added' OR t.data ? 'recalled')
                            OR t.kind = 'hold_released' AND (t.data ? 'recalled' OR t.data->'blocks' ? 'sourcing'))
ORDER BY t.id
"""
# Each booking's status by its id; what the carrier calls the one that stands.
_ALL: Final = f"""
SELECT {order_state.COLUMNS},
       (SELECT jsonb_object_agg(b.id, jsonb_build_array(b.bookings, b.tracking)) FROM (
            SELECT f.id, coalesce(jsonb_object_agg(s.id, s.status) FILTER (WHERE s.id IS NOT NULL), '{{}}') AS bookings,
                   coalesce((array_agg(s.carrier || ' ' || s.tracking_number ORDER BY s.booked_at DESC)
                             FILTER (WHERE s.status <> 'voided'))[1], '') AS tracking
            FROM fulfilments f LEFT JOIN shipment_fulfilments sf ON sf.fulfilment_id = f.id
            LEFT JOIN shipments s ON s.id = sf.shipment_id
            WHERE f.order_id = :id GROUP BY f.id) b) AS bookings,
       (SELECT jsonb_agg(s) FROM ({_SOURCINGS}) s
        WHERE EXISTS (SELECT FROM order_lines WHERE order_id = :id AND backordered > 0)) AS sourcings
"""
_READ_ALL: Final = text(_ALL)
_MARK_APPLIED: Final = text(f"WITH taken_in AS ({reoptimisation.TAKE_IN}) {_ALL}")
_READ_SOURCINGS: Final = text(_SOURCINGS)
_LAST_SOURCING: Final = text("""
SELECT max(substring(business_key FROM '^sourced:([0-9]+)$')::int) FROM sourcing_decisions WHERE order_id = :id
""")
# Waiting began with the first decision that left units over which are released, after the last one that did not.
_SINCE: Final = text("""
WITH decided AS (
    SELECT recorded_at, business_key = :last AS is_last,
           coalesce(jsonb_array_length(document->'decision'->'unfilled'), 0) > 0
               AND document->'decision'->>'next_release' IS NULL AS waits
    FROM sourcing_decisions WHERE order_id = :id AND business_key LIKE 'sourced:%'
)
SELECT greatest(extract(epoch FROM statement_timestamp() - coalesce(min(recorded_at) FILTER (
           WHERE waits AND recorded_at > coalesce((SELECT max(recorded_at) FROM decided WHERE NOT waits),
                                                  '-infinity')), statement_timestamp()))::int, 0) AS waiting,
       greatest(extract(epoch FROM statement_timestamp() - max(recorded_at) FILTER (WHERE is_last))::int, 0) AS decided
FROM decided
""")
# Of work that ended only what no process heard: what was heard of it a person knows.
_REPORTS: Final = text(f"""
SELECT f.id AS fulfilment_id, e.kind, e.carrier AS actor, e.occurred_at AS at, live.id AS shipment_id, e.event_id
FROM fulfilments f
CROSS JOIN LATERAL (
    SELECT s.id, s.carrier, s.tracking_number
    FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) live
JOIN carrier_events e ON e.carrier = live.carrier AND e.tracking_number = live.tracking_number
WHERE f.order_id = :id
  AND (e.notified_at IS NULL OR e.kind IN ({listed(CARRIER_MILESTONES)}) AND f.status <> ALL(:gone))
ORDER BY f.id, e.id
""")


@dataclass(frozen=True, slots=True)
class CarrierBookings:
    """A fulfilment's bookings with their statuses, by id, and carrier and tracking number of the one that stands."""

    bookings: dict[str, str]
    tracking: str


@dataclass(frozen=True, slots=True)
class Sourcings:
    """Why units lost their node after the last sourcing (None: they did not), the nodes that failed the order, the
    business time of the last of all this, and how often the order was sourced. `by_staff`: the last thing that took
    units from their node, since which nothing happened but that they were sourced, was that staff had work sourced
    again, one or more at once, without these nodes (often none); else None.
    """

    cause: SourcingCause | None
    failed_nodes: frozenset[str]
    as_of: datetime
    number: int
    by_staff: frozenset[str] | None = None


async def sourcings(connection: AsyncConnection, order_id: str) -> Sourcings:
    """How the order was sourced, and what came of it. What the network rejects in a node's name is no failure."""
    return _sourcings((await connection.execute(_READ_SOURCINGS, {"id": order_id})).mappings().all())


def _sourcings(rows: Sequence[Any]) -> Sourcings:
    cause = _CAUSES.get(rows[-1]["kind"])
    failed = {
        row["node_id"]
        for row in rows
        if (row["kind"] in _NODE_FAILED and row["actor"] != NETWORK) or row["without_node"]
    }
    number = max([row["attempt"] or 0 for row in rows])
    last = next((row for row in reversed(rows) if row["kind"] not in {"accepted", "sourced"}), None)
    by_staff = None
    if last is not None and last["kind"] == "sourced_again":
        at_once = [each for each in rows if (each["kind"], each["attempt"]) == (last["kind"], last["attempt"])]
        by_staff = frozenset(each["node_id"] for each in at_once if each["without_node"])
    return Sourcings(cause, frozenset(failed), max(row["occurred_at"] for row in rows), number, by_staff)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order at one moment: its units, the bookings of each fulfilment, and how it was sourced if units wait."""

    state: OrderState
    bookings: Mapping[str, CarrierBookings]
    sourcings: Sourcings | None


async def read(connection: AsyncConnection, order_id: str, *, takes_in: bool = False) -> OrderRecord | None:
    """The order, in one statement; None if there is none. With `takes_in` its process has from now on what
    re-optimisations changed up to this moment, and nothing later.
    """
    row = (await connection.execute(_MARK_APPLIED if takes_in else _READ_ALL, {"id": order_id})).one()
    state = order_state.of_row(order_id, row)
    if not state.lines:
        return None
    bookings = {id_: CarrierBookings(*booked) for id_, booked in (row.bookings or {}).items()}
    sourced = [{**each, "occurred_at": datetime.fromisoformat(each["occurred_at"])} for each in row.sourcings or ()]
    return OrderRecord(state, bookings, _sourcings(sourced) if sourced else None)


@dataclass(frozen=True, slots=True)
class LastSourcing:
    """The number of the order's last sourcing, how long ago it was decided, and how long units that are
    released wait.
    """

    number: int
    waiting_seconds: int
    decided_seconds: int


async def last_sourcing(connection: AsyncConnection, order_id: str) -> LastSourcing:
    """When the order was last sourced; lock it first, so that nothing moves in between."""
    number = int(await connection.scalar(_LAST_SOURCING, {"id": order_id}) or 0)
    spans = (await connection.execute(_SINCE, {"id": order_id, "last": f"sourced:{number}"})).one()
    return LastSourcing(number, spans.waiting, spans.decided or 0)


async def carrier_reports(connection: AsyncConnection, order_id: str) -> list[ParcelReport]:
    """What carriers reported of the bookings that stand, some of which the order may not have heard."""
    rows = await connection.execute(_REPORTS, {"id": order_id, "gone": sorted(ENDED_UNDELIVERED)})
    return [ParcelReport(**row) for row in rows.mappings()]
