"""A return locks its order against other changes, and not against rows that merely refer to the order."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.exceptions import ExceptionKind
from store import backorders, exceptions, returns
from tests.worlds import small
from tests.worlds.written import place

RETURN = "web-locked-R1"


async def impatient(connection: AsyncConnection) -> None:
    """Nothing is waited for."""
    await connection.execute(text("SET LOCAL lock_timeout = '50ms'"))


@pytest.fixture
async def order_id(world: AsyncEngine) -> str:
    order = small.order("locked", A=1)
    await place(world, order)
    return order.order_id


async def test_what_refers_to_the_order_is_written_meanwhile(world: AsyncEngine, order_id: str) -> None:
    async with world.begin() as holding, world.begin() as writing:
        assert await returns.lock(holding, order_id, RETURN) is not None
        await impatient(writing)
        await exceptions.open_(writing, order_id, ExceptionKind.PARCEL_LOST, "lost", "it is lost", {})


@pytest.mark.parametrize("change", ["another return", "a change of the order"])
async def test_what_changes_the_order_waits(world: AsyncEngine, order_id: str, change: str) -> None:
    async with world.begin() as holding, world.connect() as waiting:
        await returns.lock(holding, order_id, RETURN)
        await impatient(waiting)
        with pytest.raises(OperationalError, match="lock timeout"):
            await (
                backorders.lock_order(waiting, order_id) if "order" in change else returns.lock(waiting, order_id, "R2")
            )
