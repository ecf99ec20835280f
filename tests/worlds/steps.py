"""What nodes, carriers and customers do to an order, in the words of the tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from dom.orders.calls import CancelCall, CancelLine, CancelResult
from dom.orders.order import Order
from dom.shared import ids
from store import stock
from store.enums import LedgerKind
from store.stock import Movement
from tests.worlds.books import check_books, one
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.waiting import PATIENCE_SECONDS, until, until_booked
from workflows.messages import OrderResult, StockArrived
from workflows.order.process import OrderWorkflow


async def pack(house: House, order: Order, number: int = 1) -> None:
    """The node packs, and the carrier is booked."""
    await house.node(order, "accept", "pick", "pack", number=number)
    await until_booked(house.engine, order, number)


async def ship(house: House, order: Order, number: int = 1) -> None:
    """The parcel leaves the node."""
    await pack(house, order, number)
    await house.node(order, "hand-over", number=number)


async def deliver(house: House, order: Order, number: int = 1) -> None:
    """The parcel reaches the customer."""
    await ship(house, order, number)
    await house.carrier_says(order, "delivered", number)


async def cancel(house: House, order: Order, **lines: int) -> CancelResult:
    """Support cancels the order, or units of lines: `cancel(house, order, l1=2)` takes two of line 1."""
    asked = tuple(CancelLine(line_id=name[1:], quantity=units or None) for name, units in lines.items()) or None
    call = CancelCall(lines=asked, reason="changed mind", actor="support", occurred_at=MONDAY_NOON)
    return await house.handle(order).execute_update(OrderWorkflow.cancel, call)


async def stock_comes(house: House, order: Order, *skus: str) -> None:
    """The order hears of new stock."""
    news = StockArrived(skus=skus, occurred_at=MONDAY_NOON)
    await house.handle(order).signal(OrderWorkflow.stock_arrived, news)


async def ended(house: House, order: Order, *, reserved: int = 0) -> OrderResult:
    """The order's end, and everything was told; nothing is reserved but for other orders, and the books balance."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        result = await house.handle(order).result()
    await house.told()
    await check_books(house.engine, reserved=reserved)
    assert await status_of(house, order) == result.status
    return result


async def status_of(house: House, order: Order) -> object:
    """The order's status in the store."""
    return await one(house.engine, "SELECT status FROM orders WHERE id = :id", id=order.order_id)


async def until_order(house: House, order: Order, status: str) -> None:
    """Wait until the order has a status in the store."""

    async def reached() -> bool:
        return await status_of(house, order) == status

    await until(f"{order.order_id} is {status}", reached)


async def until_released(house: House, order: Order, number: int) -> str:
    """Wait until the order's fulfilment of that number is in a node's work list; answers the node."""
    found: list[str] = []

    async def there() -> bool:
        query = "SELECT coalesce((SELECT node_id FROM fulfilments WHERE id = :id), '')"
        found[:] = [str(await one(house.engine, query, id=ids.fulfilment_id(order.order_id, number)))]
        return bool(found[0])

    await until(f"fulfilment {number} of {order.order_id} is released", there)
    return found[0]


async def until_event(house: House, order: Order, kind: str, times: int = 1) -> None:
    """Wait until an event stands in the order's timeline."""

    async def there() -> bool:
        query = "SELECT count(*) FROM timeline WHERE order_id = :id AND kind = :kind"
        return bool(await one(house.engine, query, id=order.order_id, kind=kind) == times)

    await until(f"{order.order_id} has {times} {kind}", there)


@asynccontextmanager
async def refused(error_type: str) -> AsyncIterator[dict[str, Any]]:
    """What the block asks is refused for that reason; the error's field and data are in the dictionary after it."""
    about: dict[str, Any] = {}
    with pytest.raises(WorkflowUpdateFailedError) as error:
        yield about
    assert isinstance(error.value.cause, ApplicationError)
    assert error.value.cause.type == error_type
    about.update(error.value.cause.details[0])


async def comes(engine: AsyncEngine, sku: str, units: int, node: str) -> None:
    key = f"in-{await one(engine, 'SELECT gen_random_uuid()')}"
    async with engine.begin() as connection:
        goods = Movement(node, sku, units, LedgerKind.RECEIPT, "receipt", key)
        await stock.move(connection, goods, actor="test", at=MONDAY_NOON)
