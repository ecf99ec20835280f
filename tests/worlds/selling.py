"""Orders sold, shipped and cancelled straight in the store, as the activities do it, and carts that hold units."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.order import Order
from store import stock
from store.stock import WorkDay, soft
from store.stock.soft import ReservationVerdict, SoftRequest, SoftUnits
from tests.worlds.sourcing import MONDAY, MONDAY_NOON
from tests.worlds.written import capture, release

SERVICE = "standard"


async def sell(engine: AsyncEngine, order: Order, node_id: str = "dc-leeds", *, status: str = "released") -> str:
    """An order with one fulfilment at a node, reserved; answers the fulfilment's id."""
    async with engine.begin() as connection:
        await capture(connection, order)
        units = await release(connection, order, node_id, status=status)
        days = [WorkDay(node_id, MONDAY, SERVICE)]
        await stock.reserve(connection, order.order_id, order.channel, units, days, MONDAY_NOON)
        return units[0].fulfilment_id


async def hand_over(engine: AsyncEngine, order: Order, fulfilment_id: str) -> None:
    """The goods leave the node."""
    async with engine.begin() as connection:
        await _status(connection, order, fulfilment_id, "shipped", "handed_over")
        await stock.consume(connection, order.order_id, fulfilment_id, actor="node", at=MONDAY_NOON)


async def call_off(engine: AsyncEngine, order: Order, fulfilment_id: str, node_id: str = "dc-leeds") -> None:
    """The whole order is cancelled before hand-over."""
    async with engine.begin() as connection:
        await _status(connection, order, fulfilment_id, "cancelled", "cancelled")
        await stock.release(
            connection,
            order.order_id,
            fulfilment_id,
            {line.line_id: line.quantity for line in order.lines},
            business_key=f"{fulfilment_id}:cancelled",
            reason="changed mind",
            actor="support",
            at=MONDAY_NOON,
        )
        await connection.execute(
            text("UPDATE fulfilment_lines SET quantity = 0 WHERE fulfilment_id = :id"), {"id": fulfilment_id}
        )
        await stock.give_day_back(connection, WorkDay(node_id, MONDAY, SERVICE))


async def hold(engine: AsyncEngine, name: str, node_id: str, sku: str, quantity: int, seconds: int = 600) -> None:
    """A cart holds units; with no seconds it has lapsed already."""
    request = SoftRequest(name, "web", f"owner-{name}", "cart", seconds, (SoftUnits(node_id, sku, quantity),))
    async with engine.begin() as connection:
        assert await soft.take(connection, [request]) == [ReservationVerdict.TAKEN]


async def _status(
    connection: AsyncConnection, order: Order, fulfilment_id: str, of_order: str, of_fulfilment: str
) -> None:
    await connection.execute(
        text("UPDATE orders SET status = :status WHERE id = :id"), {"id": order.order_id, "status": of_order}
    )
    await connection.execute(
        text("UPDATE fulfilments SET status = :status, updated_at = now() WHERE id = :id"),
        {"id": fulfilment_id, "status": of_fulfilment},
    )
