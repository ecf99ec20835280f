"""Waiting for what happens meanwhile, with an end to patience."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.order import Order
from dom.shared import ids

PATIENCE_SECONDS = 20.0


async def until(what: str, condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds. Raises TimeoutError, saying what was waited for."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await condition():
                await asyncio.sleep(0.03)
    except TimeoutError as error:
        raise TimeoutError(f"it never came to this: {what}") from error


async def until_status(engine: AsyncEngine, fulfilment_id: str, status: str) -> None:
    """Wait until a fulfilment has a status in the store."""

    async def reached() -> bool:
        async with engine.connect() as connection:
            query = text("SELECT status FROM fulfilments WHERE id = :id")
            return bool(await connection.scalar(query, {"id": fulfilment_id}) == status)

    await until(f"{fulfilment_id} is {status}", reached)


async def until_booked(engine: AsyncEngine, order: Order, number: int = 1) -> None:
    """Wait until the carrier is booked for the order's fulfilment of that number."""
    await until_status(engine, ids.fulfilment_id(order.order_id, number), "booked")


async def until_notified(engine: AsyncEngine) -> None:
    """Wait until everything in the outbox has left, or failed."""

    async def gone() -> bool:
        async with engine.connect() as connection:
            return not await connection.scalar(
                text("SELECT count(*) FROM outbox WHERE status IN ('pending', 'sending')")
            )

    await until("everything was told", gone)
