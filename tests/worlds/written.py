"""Orders and fulfilments written straight into the store, for tests of what lies below sourcing."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.order import Order
from dom.orders.status import OrderStatus
from dom.shared import ids
from store.orders import orders
from store.stock import Reserved
from tests.worlds.sourcing import MONDAY, MONDAY_NOON

_FULFILMENT = text("""
INSERT INTO fulfilments (id, order_id, node_id, status, method, carrier, ship_day, cost, ship_by, promise_earliest,
                         promise_latest, released_at)
VALUES (:id, :order_id, :node_id, :status, 'standard', 'northline', :day, 0, :at, :later, :later, :released)
""")
_LINE = text("""
INSERT INTO fulfilment_lines (fulfilment_id, line_id, order_id, sku, quantity)
VALUES (:id, :line_id, :order_id, :sku, :quantity)
""")


async def capture(connection: AsyncConnection, order: Order) -> None:
    """An accepted order with its lines and nothing more."""
    assert await orders.capture(connection, order)
    await orders.write_lines(connection, order, backordered={}, status=OrderStatus.ACCEPTED, promise=None)


async def release(
    connection: AsyncConnection, order: Order, node_id: str = "dc-leeds", number: int = 1, status: str = "released"
) -> list[Reserved]:
    """One fulfilment of the whole order at a node; answers the units it is to reserve."""
    fulfilment_id = ids.fulfilment_id(order.order_id, number)
    parameters = {"id": fulfilment_id, "order_id": order.order_id, "node_id": node_id, "status": status}
    a_day = timedelta(days=1)
    moments = {"day": MONDAY, "at": MONDAY_NOON, "later": MONDAY_NOON + 2 * a_day, "released": MONDAY_NOON - a_day}
    await connection.execute(_FULFILMENT, parameters | moments)
    for line in order.lines:
        goods = {"line_id": line.line_id, "sku": line.sku, "quantity": line.quantity}
        await connection.execute(_LINE, {"id": fulfilment_id, "order_id": order.order_id} | goods)
    return [Reserved(fulfilment_id, line.line_id, node_id, line.sku, line.quantity) for line in order.lines]


async def place(
    engine: AsyncEngine, order: Order, node_id: str = "dc-leeds", *, status: str = "released"
) -> list[Reserved]:
    """An accepted order with one fulfilment, not reserved yet; answers the units it is to reserve."""
    async with engine.begin() as connection:
        await capture(connection, order)
        return await release(connection, order, node_id, status=status)
