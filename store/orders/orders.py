"""Orders and their lines: captured once, then only their units' counts and their status move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import searching
from dom.orders.order import Order, Promise
from dom.orders.status import ENDED_UNDELIVERED, FINAL_ORDER, LEFT_NODE, OrderStatus
from dom.shared.errors import NotFound
from store.database.parameters import listed, to_rows

_CAPTURE = text("""
WITH captured AS (
    INSERT INTO orders (id, channel, external_id, customer_id, status, currency, goods_total, document, content_hash,
                        ship_complete, priority, placed_at)
    VALUES (:id, :channel, :external_id, :customer_id, 'accepted', :currency, :goods_total, CAST(:document AS jsonb),
            :content_hash, :ship_complete, :priority, :placed_at)
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO order_search (order_id, text, postal_code) SELECT id, :search_text, :postal_code FROM captured
RETURNING order_id
""")
# Without naming the key: of two at the same moment the loser may be stopped by the id first, which says the same.


async def capture(connection: AsyncConnection, request: Order) -> bool:
    """Write the order down; False if the channel's order number was captured before."""
    parameters = {
        "id": request.order_id,
        "channel": request.channel,
        "external_id": request.external_id,
        "customer_id": request.customer.id,
        "currency": request.currency,
        "goods_total": request.total,
        "document": request.model_dump_json(),
        "content_hash": request.content_hash(),
        "search_text": searching.search_text(request),
        "postal_code": searching.code(request.ship_to.postal_code),
        "ship_complete": request.ship_complete,
        "priority": request.priority,
        "placed_at": request.placed_at,
    }
    return await connection.scalar(_CAPTURE, parameters) is not None


_LINES = text("""
WITH written AS (
    INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price, backordered, promised)
    SELECT :order_id, l.line_id, l.position, l.sku, l.quantity, l.unit_price, l.backordered,
           CASE WHEN l.backordered = 0 THEN CAST(:latest AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:lines AS jsonb))
        AS l (line_id text, position int, sku text, quantity int, unit_price bigint, backordered int)
)
UPDATE orders SET status = :status, promise_earliest = :earliest, promise_latest = :latest WHERE id = :order_id
""")


async def write_lines(
    connection: AsyncConnection,
    request: Order,
    *,
    backordered: Mapping[str, int],
    status: OrderStatus,
    promise: tuple[datetime, datetime] | None,
) -> None:
    """Write the lines of a captured order with what sourcing left open, and the order's status and promise."""
    lines = to_rows(
        {
            "line_id": line.line_id,
            "position": position,
            "sku": line.sku,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "backordered": backordered.get(line.line_id, 0),
        }
        for position, line in enumerate(request.lines)
    )
    earliest, latest = promise or (None, None)
    await connection.execute(
        _LINES,
        {"order_id": request.order_id, "lines": lines, "status": status, "earliest": earliest, "latest": latest},
    )


_MOVE_UNITS = text("""
UPDATE order_lines l SET cancelled = l.cancelled + m.cancelled, backordered = l.backordered + m.backordered
FROM jsonb_to_recordset(CAST(:moves AS jsonb)) AS m (line_id text, cancelled int, backordered int)
WHERE l.order_id = :order_id AND l.line_id = m.line_id
""")


@dataclass(frozen=True, slots=True)
class UnitMove:
    """A change of one line's counts."""

    line_id: str
    cancelled: int = 0
    backordered: int = 0


async def move_units(connection: AsyncConnection, order_id: str, moves: Sequence[UnitMove]) -> None:
    """Change lines' counts of cancelled and backordered units."""
    rows = to_rows({"line_id": m.line_id, "cancelled": m.cancelled, "backordered": m.backordered} for m in moves)
    await connection.execute(_MOVE_UNITS, {"order_id": order_id, "moves": rows})


_SET_STATUS = text("""
UPDATE orders SET status = :status,
    finished_at = CASE WHEN :final THEN coalesce(finished_at, :at) END,
    promise_earliest = coalesce(:earliest, promise_earliest),
    promise_latest = CASE WHEN CAST(:latest AS timestamptz) IS NULL THEN promise_latest
                          ELSE greatest(promise_latest, :latest) END
WHERE id = :order_id
""")


async def set_status(
    connection: AsyncConnection,
    order_id: str,
    status: OrderStatus,
    at: datetime,
    promise: tuple[datetime, datetime] | None = None,
) -> None:
    """Write the order's status; a promise given later than the one made moves its end."""
    earliest, latest = promise or (None, None)
    await connection.execute(
        _SET_STATUS,
        {
            "order_id": order_id,
            "status": status,
            "final": status in FINAL_ORDER,
            "at": at,
            "earliest": earliest,
            "latest": latest,
        },
    )


_WORK = f"""
SELECT CASE WHEN bool_and(method = 'pickup' OR pickup_node IS NOT NULL) THEN max(promise_earliest)
            ELSE min(promise_earliest) END AS earliest, max(promise_latest) AS latest FROM fulfilments
WHERE order_id = :order_id AND status NOT IN ({listed(ENDED_UNDELIVERED)})"""
_BEGIN_ANEW = text(f"""
UPDATE orders SET promise_earliest = work.earliest FROM ({_WORK}) work
WHERE id = :order_id AND work.earliest IS NOT NULL
""")
_NARROW = text(f"""
UPDATE orders SET promise_earliest = work.earliest, promise_latest = least(promise_latest, work.latest)
FROM ({_WORK}) work WHERE id = :order_id AND (work.earliest IS NOT NULL OR status NOT IN ({listed(FINAL_ORDER)}))
""")


async def begin_promise_anew(connection: AsyncConnection, order_id: str) -> None:
    """The promise begins when the first of the living work arrives, or all of it can be collected; its end stays."""
    await connection.execute(_BEGIN_ANEW, {"order_id": order_id})


async def narrow_promise(connection: AsyncConnection, order_id: str) -> None:
    """Units were cancelled: the promise is that of the work that remains, and no later than before.

    None where what remains has no node. An order that ended without any work keeps what was promised.
    """
    latest = text("UPDATE orders SET promise_latest = NULL WHERE id = :order_id AND promise_earliest IS NULL")
    for statement in (_NARROW, latest):
        await connection.execute(statement, {"order_id": order_id})


@dataclass(frozen=True, slots=True)
class Captured:
    """What tells whether a repeated message is the same order, and what the caller hears again."""

    order_id: str
    content_hash: str
    status: OrderStatus
    promise: Promise | None


async def find(connection: AsyncConnection, order_id: str) -> Captured | None:
    """The captured order, or None."""
    row = (
        await connection.execute(
            text("""
            SELECT id, content_hash, status, promise_earliest, promise_latest FROM orders WHERE id = :id
            """),
            {"id": order_id},
        )
    ).one_or_none()
    if row is None:
        return None
    earliest, latest = row.promise_earliest, row.promise_latest
    promise = Promise(earliest=earliest, latest=latest) if earliest is not None and latest is not None else None
    return Captured(row.id, row.content_hash, OrderStatus(row.status), promise)


_WANTED = text("SELECT line_id, quantity - cancelled AS units FROM order_lines WHERE order_id = :id")


async def wanted_units(connection: AsyncConnection, order_id: str) -> dict[str, int]:
    """The units of each line that are not cancelled."""
    return {row.line_id: row.units for row in await connection.execute(_WANTED, {"id": order_id})}


_LEFT = text(f"""
SELECT fl.line_id, sum(fl.quantity) AS units FROM fulfilments f JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id
WHERE f.order_id = :id AND f.status IN ({listed(LEFT_NODE)}) GROUP BY fl.line_id
""")


async def left_units(connection: AsyncConnection, order_id: str) -> dict[str, int]:
    """The units of each line that left a node, those that were lost or came back among them."""
    return {row.line_id: int(row.units) for row in await connection.execute(_LEFT, {"id": order_id})}


async def set_priority(connection: AsyncConnection, order_id: str, priority: int | None) -> None:
    """Give the order its own place among those that wait for stock; None: its channel's."""
    query = text("UPDATE orders SET priority = :priority WHERE id = :id")
    await connection.execute(query, {"id": order_id, "priority": priority})


async def channel_of(connection: AsyncConnection, order_id: str) -> str:
    """The order's channel; it must be there."""
    return str(await connection.scalar(text("SELECT channel FROM orders WHERE id = :id"), {"id": order_id}))


async def document(connection: AsyncConnection, order_id: str) -> Order:
    """The order as the channel gave it. Raises NotFound."""
    found = await connection.scalar(text("SELECT document FROM orders WHERE id = :id"), {"id": order_id})
    if found is None:
        raise NotFound(f"there is no order {order_id}")
    # Checked when it was captured; checking it again would let a stricter rule lose old orders.
    return Order.model_validate(found)
