"""Orders that wait for stock on the small world of the tests."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.order import Order
from dom.orders.status import OrderStatus
from services import backorder_allocation
from services.backorder_allocation import AllocationOutcome
from store import backorders, stock
from store.enums import LedgerKind
from store.orders import orders
from store.policy import policies
from store.stock import Movement
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.policies import changed
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import release

Balance = tuple[str, str]
LEEDS: Balance = ("dc-leeds", "NEVER")
YORK: Balance = ("st-york", "NEVER")


async def waits(engine: AsyncEngine, name: str, /, age: int = 0, **fields: object) -> str:
    """An order, `age` hours old, all of whose units wait; answers its id."""
    order = small.order(name, placed_at=MONDAY_NOON - timedelta(hours=age), **fields)
    async with engine.begin() as connection:
        assert await orders.capture(connection, order)
        short = {line.line_id: line.quantity for line in order.lines}
        await orders.write_lines(connection, order, backordered=short, status=OrderStatus.BACKORDERED, promise=None)
    return order.order_id


async def comes(engine: AsyncEngine, balance: Balance, units: int, *, key: str = "", at_once: bool = False) -> None:
    """Goods come in; `at_once`: and waiting orders get them in the same transaction."""
    node, sku = balance
    kind = LedgerKind.RECEIPT if units > 0 else LedgerKind.ADJUSTMENT
    goods = Movement(node, sku, units, kind, "test", key or f"in-{await one(engine, 'SELECT gen_random_uuid()')}")
    async with engine.begin() as connection:
        if at_once:
            async with backorder_allocation.arriving(connection, [balance]):
                await stock.move(connection, goods, actor="test", at=MONDAY_NOON)
        else:
            await stock.move(connection, goods, actor="test", at=MONDAY_NOON)


async def deal(engine: AsyncEngine, *skus: str) -> AllocationOutcome:
    async with engine.begin() as connection:
        return await backorder_allocation.allocate(connection, skus or ["NEVER"])


async def aside(engine: AsyncEngine) -> dict[str, dict[Balance, int]]:
    """What is set aside, by order."""
    query = """
        SELECT h.backorder_of, node_id, sku, sum(quantity)::int
        FROM reservations r JOIN soft_reservations h ON h.id = r.soft_id
        WHERE h.backorder_of IS NOT NULL AND r.status = 'active' AND r.expires_at > now() GROUP BY 1, 2, 3
    """
    found: dict[str, dict[Balance, int]] = {}
    for order_id, node, sku, units in await rows(engine, query):
        found.setdefault(str(order_id), {})[str(node), str(sku)] = int(str(units))
    return found


async def told(engine: AsyncEngine) -> list[str]:
    """The orders that are told, in the sequence in which it was written."""
    found = await rows(engine, "SELECT order_id FROM outbox WHERE kind = 'stock_arrived' ORDER BY id")
    return [str(order_id) for (order_id,) in found]


async def settle(engine: AsyncEngine, order_id: str, **lines: int) -> None:
    """The order takes units of its lines at Leeds, as its sourcing does."""
    async with engine.begin() as connection:
        await backorders.lock_order(connection, order_id)
        await backorders.take_allocated(connection, order_id, {LEEDS: sum(lines.values())} if lines else {})
        moves = [orders.UnitMove(name[1:], backordered=-units) for name, units in lines.items()]
        await orders.move_units(connection, order_id, moves)
        if lines:
            order = await orders.document(connection, order_id)
            units = await release(connection, order)
            await stock.reserve(connection, order_id, order.channel, units, [], MONDAY_NOON)


async def place(engine: AsyncEngine, order: Order) -> None:
    """A new order takes its units at Leeds."""
    async with engine.begin() as connection:
        assert await orders.capture(connection, order)
        await orders.write_lines(connection, order, backordered={}, status=OrderStatus.ACCEPTED, promise=None)
        await stock.reserve(
            connection, order.order_id, order.channel, await release(connection, order), [], MONDAY_NOON
        )


async def allocated_to(engine: AsyncEngine, order: Order, soft_id: str) -> None:
    """Make a soft reservation one of units that are allocated to an order."""
    async with engine.begin() as connection:
        await orders.capture(connection, order)
        await connection.execute(
            text("UPDATE soft_reservations SET backorder_of = :order_id, ready = true WHERE id = :id"),
            {"order_id": order.order_id, "id": soft_id},
        )


async def expires(connection: AsyncConnection, after: str) -> None:
    """What is set aside, by whomever, lapses then."""
    for query in (
        "UPDATE reservations SET expires_at = now() + CAST(:after AS interval)",
        "UPDATE soft_reservations SET expires_at = now() + CAST(:after AS interval)",
    ):
        await connection.execute(text(query), {"after": after})


async def impatient(engine: AsyncEngine, order_id: str) -> None:
    async with engine.begin() as connection:
        query = "UPDATE orders SET captured_at = captured_at - interval '4 days' WHERE id = :id"
        await connection.execute(text(query), {"id": order_id})


async def patient(engine: AsyncEngine, *, retry_minutes: int, cancel_after_days: int) -> None:
    """Publish how long waiting units are looked for."""
    patience = changed(small.POLICY, after_minutes=retry_minutes, cancel_after_days=cancel_after_days)
    async with engine.begin() as connection:
        await policies.publish_policy(connection, patience, "test")
