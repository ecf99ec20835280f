"""Edited orders: the order as it stands, and what it was before each edit."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import searching
from dom.orders.lifecycle import LineState
from dom.orders.order import Order
from store.database.parameters import to_rows

_REVISE: Final = text("""
WITH captured AS (
    INSERT INTO order_revisions (order_id, number, document)
    SELECT id, 0, document FROM orders WHERE id = :id AND revision = 0
), kept AS (
    INSERT INTO order_revisions (order_id, number, document) VALUES (:id, :number, CAST(:document AS jsonb))
), found AS (
    UPDATE order_search SET text = :search_text, postal_code = :postal_code WHERE order_id = :id
)
UPDATE orders SET revision = :number, document = CAST(:document AS jsonb), goods_total = :goods_total,
    ship_complete = :ship_complete
WHERE id = :id
""")
_ADD_UNITS: Final = text("""
UPDATE order_lines l SET quantity = l.quantity + a.quantity
FROM jsonb_to_recordset(CAST(:added AS jsonb)) AS a (line_id text, quantity int)
WHERE l.order_id = :id AND l.line_id = a.line_id
""")
_ADD_LINES: Final = text("""
INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price, backordered)
SELECT :id, l.line_id, (SELECT max(position) FROM order_lines WHERE order_id = :id) + l.position, l.sku, l.quantity,
       l.unit_price, 0
FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (line_id text, position int, sku text, quantity int,
                                                     unit_price bigint)
""")


async def revise(
    connection: AsyncConnection, order: Order, number: int, added: Mapping[str, int], new: Sequence[LineState]
) -> None:
    """Write the order as it is after its edit of that number, with the units that come to its lines. Lock it first."""
    await connection.execute(
        _REVISE,
        {
            "id": order.order_id,
            "number": number,
            "document": order.model_dump_json(),
            "goods_total": order.total,
            "ship_complete": order.ship_complete,
            "search_text": searching.search_text(order),
            "postal_code": searching.code(order.ship_to.postal_code),
        },
    )
    of_new = {line.line_id for line in new}
    known = [{"line_id": i, "quantity": n} for i, n in added.items() if i not in of_new]
    if known:
        await connection.execute(_ADD_UNITS, {"id": order.order_id, "added": to_rows(known)})
    if new:
        lines = to_rows(
            {
                "line_id": line.line_id,
                "position": position,
                "sku": line.sku,
                "quantity": added[line.line_id],
                "unit_price": line.unit_price,
            }
            for position, line in enumerate(new, 1)
        )
        await connection.execute(_ADD_LINES, {"id": order.order_id, "lines": lines})


async def of_order(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """The order as it was captured and after each edit, with who made it and why; empty if it was never edited."""
    rows = await connection.execute(
        text("""
        SELECT r.number, r.document, t.actor, t.reason, t.occurred_at, t.data->'changes' AS changes
        FROM order_revisions r
        LEFT JOIN timeline t ON t.order_id = r.order_id AND t.business_key = 'edited:' || r.number
        WHERE r.order_id = :id ORDER BY r.number
        """),
        {"id": order_id},
    )
    return rows.mappings().all()
