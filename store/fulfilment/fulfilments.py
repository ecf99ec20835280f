"""Fulfilments: one node's work for one order, and the units it is for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import ShippingMethod
from dom.orders.changes import StatusMove
from dom.orders.status import ENDED_UNDELIVERED, FINAL_ORDER, UNBEGUN, OrderStatus
from dom.shared import ids
from dom.shared.errors import NotFound
from dom.sourcing.models import PlannedShipment, SourcingDecision
from store.database.parameters import listed, to_json, to_rows
from store.notifications import outbox
from store.notifications.outbox import Entry
from store.orders.timeline import Event, as_parameters
from store.stock.firm import Reserved

TIME_TO_WORK: Final = timedelta(hours=2)
"""Work is not held back any longer once so much is left until its node's cut-off."""

_NEXT = text("""
SELECT coalesce(max(substring(id FROM '-F([0-9]+)$')::int), 0) + 1 FROM fulfilments WHERE order_id = :order_id
""")
_RELEASE = text("""
WITH released AS (
    INSERT INTO fulfilments (id, order_id, node_id, status, method, carrier, pickup_node, ship_day, cost, ship_by,
                             promise_earliest, promise_latest, released_at)
    SELECT f.id, :order_id, f.node_id, 'released', f.method, f.carrier, f.pickup_node, f.ship_day, f.cost, f.ship_by,
           f.promise_earliest, f.promise_latest, f.released_at
    FROM jsonb_to_recordset(CAST(:fulfilments AS jsonb)) AS f (
        id text, node_id text, method text, carrier text, pickup_node text, ship_day date, cost bigint,
        ship_by timestamptz, promise_earliest timestamptz, promise_latest timestamptz, released_at timestamptz)
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


async def next_number(connection: AsyncConnection, order_id: str) -> int:
    """The number of the order's next fulfilment. Ask once the order is locked."""
    return int(await connection.scalar(_NEXT, {"order_id": order_id}) or 1)


def released_at(shipment: PlannedShipment, at: datetime, hold: timedelta) -> datetime:
    """When a node sees work planned at a moment: after the hold, but early enough before the node's cut-off.

    What the customer collects is never held back.
    """
    if shipment.service is ShippingMethod.PICKUP:
        return at
    return max(at, min(at + hold, shipment.ship_by - TIME_TO_WORK))


async def release(
    connection: AsyncConnection, decision: SourcingDecision, first: int, at: datetime, hold: timedelta = timedelta()
) -> None:
    """Hand the planned work to the nodes: it stands in their work lists from now on, or once it was held back."""
    await connection.execute(
        _RELEASE,
        {
            "order_id": decision.order_id,
            "fulfilments": to_rows(
                {
                    "id": ids.fulfilment_id(decision.order_id, number),
                    "node_id": shipment.node_id,
                    "method": shipment.service,
                    "carrier": shipment.carrier,
                    "pickup_node": shipment.pickup_node,
                    "ship_day": shipment.ship_day,
                    "cost": shipment.cost,
                    "ship_by": shipment.ship_by,
                    "promise_earliest": shipment.promise.earliest,
                    "promise_latest": shipment.promise.latest,
                    "released_at": released_at(shipment, at, hold),
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


_RELEASE_HELD: Final = text(f"""
UPDATE fulfilments SET released_at = greatest(released_at, :at)
WHERE order_id = :order_id AND status IN ({listed(UNBEGUN)})
""")


async def release_held(connection: AsyncConnection, order_id: str, at: datetime) -> None:
    """Nodes see the order's unbegun work from now on: it was on hold. The order must be locked."""
    await connection.execute(_RELEASE_HELD, {"order_id": order_id, "at": at})


# The only statement that writes a fulfilment's status after it was released.
_SET_STATUSES: Final = """
UPDATE fulfilments f SET status = s.status, reason = coalesce(s.reason, f.reason), updated_at = now()
FROM jsonb_to_recordset(CAST(:statuses AS jsonb)) AS s (id text, status text, reason text)
WHERE f.id = s.id"""
_WITH_ITS_EVENT: Final = """
WITH noted AS (
    INSERT INTO timeline (order_id, kind, business_key, actor, reason, data, occurred_at)
    VALUES (:order_id, :kind, :business_key, :actor, :reason, CAST(:data AS jsonb), CAST(:occurred_at AS timestamptz))
), ordered AS (
    UPDATE orders SET status = :order_status,
        finished_at = CASE WHEN :final THEN coalesce(finished_at, CAST(:occurred_at AS timestamptz)) END
    WHERE id = :order_id
)"""
_ADVANCE = text(_WITH_ITS_EVENT + _SET_STATUSES)
_ADVANCE_AND_TELL = text(f"{_WITH_ITS_EVENT}, told AS ({outbox.WRITING}) {_SET_STATUSES}")
_SET = text(_SET_STATUSES)


async def advance(
    connection: AsyncConnection,
    event: Event,
    statuses: Sequence[StatusMove],
    order_status: OrderStatus,
    tells: Sequence[Entry],
) -> None:
    """Write that fulfilments come to other statuses, with the order's status, its timeline and what that tells whom, in
    one statement.

    For who has locked the order, and decided on what it holds. An event that was written before is an error of the
    database: it shows that this was not so.
    """
    await connection.execute(
        _ADVANCE_AND_TELL if tells else _ADVANCE,
        {
            **as_parameters(event),
            **(outbox.as_parameter(tells) if tells else {}),
            "statuses": _status_rows(statuses),
            "order_status": order_status,
            "final": order_status in FINAL_ORDER,
        },
    )


async def set_statuses(connection: AsyncConnection, statuses: Sequence[StatusMove]) -> None:
    """Write fulfilments' statuses where their event is written elsewhere. They, or their orders, must be locked."""
    await connection.execute(_SET, {"statuses": _status_rows(statuses)})


def _status_rows(statuses: Iterable[StatusMove]) -> str:
    return to_rows({"id": move.fulfilment_id, "status": move.status, "reason": move.reason} for move in statuses)


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


_ALIKE: Final = text("""
WITH made AS (
    INSERT INTO fulfilments (id, order_id, node_id, status, method, carrier, pickup_node, ship_day, cost, ship_by,
                             promise_earliest, promise_latest, released_at)
    VALUES (:made, :order_id, :node_id, :status, :method, :carrier, :pickup_node, :ship_day, 0, :ship_by,
            :promise_earliest, :promise_latest, :released_at)
)
INSERT INTO fulfilment_lines (fulfilment_id, line_id, order_id, sku, quantity)
SELECT :made, u.key, :order_id, CAST(:skus AS jsonb) ->> u.key, CAST(u.value AS int)
FROM jsonb_each_text(CAST(:units AS jsonb)) AS u
""")


async def write_alike(
    connection: AsyncConnection, alike: RowMapping, made: str, units: Mapping[str, int], skus: Mapping[str, str]
) -> None:
    """Write the fulfilment `made` as another one's own row says, with these units and SKUs by line. What was planned as
    cost stays with the other one.
    """
    own = {"made": made, "units": to_json(dict(units)), "skus": to_json(dict(skus))}
    await connection.execute(_ALIKE, {**alike, **own})


async def get(connection: AsyncConnection, fulfilment_id: str) -> RowMapping | None:
    """The fulfilment's own row, or None."""
    rows = await connection.execute(text("SELECT * FROM fulfilments WHERE id = :id"), {"id": fulfilment_id})
    return rows.mappings().one_or_none()


async def must_be_there(connection: AsyncConnection, fulfilment_id: str) -> RowMapping:
    """The fulfilment's own row. Raises NotFound."""
    row = await get(connection, fulfilment_id)
    if row is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}")
    return row


async def kind_of_node(connection: AsyncConnection, fulfilment_id: str) -> str | None:
    """What sort of place does the work; None if there is no such work."""
    kind = text("SELECT n.kind FROM fulfilments f JOIN nodes n ON n.id = f.node_id WHERE f.id = :id")
    found: str | None = await connection.scalar(kind, {"id": fulfilment_id})
    return found


_LIVING: Final = text(f"""
SELECT f.id, f.node_id, f.status, f.method, f.carrier, f.ship_by, f.ship_day, f.promise_earliest, f.promise_latest,
       (SELECT jsonb_object_agg(l.line_id, l.quantity) FROM fulfilment_lines l
        WHERE l.fulfilment_id = f.id AND l.quantity > 0) AS lines
FROM fulfilments f WHERE f.order_id = :order_id AND f.status NOT IN ({listed(ENDED_UNDELIVERED)})
ORDER BY length(f.id), f.id
""")


async def living(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """The order's work that did not end without the goods reaching the customer, with its units by line."""
    return (await connection.execute(_LIVING, {"order_id": order_id})).mappings().all()


_AT_THE_NODE: Final = "fulfilments f WHERE f.id = :id AND f.released_at <= statement_timestamp()"
_GET_AT_THE_NODE = text(f"""
SELECT f.*, EXISTS (SELECT FROM shipment_fulfilments WHERE fulfilment_id = f.id) AS was_booked FROM {_AT_THE_NODE}
""")
_LOCK_AT_THE_NODE = text(f"SELECT id FROM orders WHERE id = (SELECT f.order_id FROM {_AT_THE_NODE}) FOR NO KEY UPDATE")


async def at_the_node(connection: AsyncConnection, fulfilment_id: str) -> RowMapping | None:
    """The fulfilment's own row, and whether a carrier was ever booked for it (`was_booked`).

    None also while it is held back, for its node does not know of it yet.
    """
    rows = await connection.execute(_GET_AT_THE_NODE, {"id": fulfilment_id})
    return rows.mappings().one_or_none()


async def lock_at_the_node(connection: AsyncConnection, fulfilment_id: str) -> bool:
    """Lock the order of a fulfilment. False if the fulfilment is not there, or held back: then nothing is locked."""
    return await connection.scalar(_LOCK_AT_THE_NODE, {"id": fulfilment_id}) is not None


_TO_BOOK = text("""
SELECT f.id, f.method, f.carrier, f.ship_by, n.document AS node, o.document->'ship_to' AS ship_to,
       (SELECT s.document FROM nodes s WHERE s.id = f.pickup_node) AS store,
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
