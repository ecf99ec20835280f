"""Goods that wait for their customer, and what nodes, staff and time do to them."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import TakeNodeStep
from dom.orders.order import Order
from dom.orders.pickup_commands import KeepForCollection, PutBack
from services import collecting, node_steps
from services.change_orders import Writing
from services.database import Database
from store.fulfilment.work_list import WorkFilter, work_list
from tests.worlds import small
from tests.worlds.advancing import S, comes_to
from tests.worlds.books import one
from tests.worlds.captured import accept

WRITING: Final = Writing(webhook=True, notify=True)
READY: Final = (S.ACCEPTED, S.PICKED, S.READY)
KEPT: Final = "SELECT collect_by FROM collections WHERE fulfilment_id = :id"


async def ready(world: AsyncEngine, name: str = "kept", units: int = 1, **fields: Any) -> Order:
    """An order of today that is ready for its customer."""
    order = small.order(name, A=units, **{"tags": [], "shipping_method": "pickup", "pickup_node": "st-york", **fields})
    await accept(Database(world), order)
    await comes_to(world, work(order), *READY)
    return order


def work(order: Order) -> str:
    return f"{order.order_id}-F1"


async def code_of(world: AsyncEngine, order: Order) -> str:
    return str(await one(world, "SELECT code FROM collections WHERE fulfilment_id = :id", id=work(order)))


async def kept(world: AsyncEngine, order: Order) -> datetime:
    found = await one(world, KEPT, id=work(order))
    assert isinstance(found, datetime)
    return found


async def status(world: AsyncEngine, order: Order) -> object:
    return await one(world, "SELECT status FROM fulfilments WHERE id = :id", id=work(order))


async def collect(world: AsyncEngine, order: Order, **said: Any) -> Any:
    """The node says that the goods were collected; without a code, unless one is given."""
    command = TakeNodeStep(fulfilment_id=work(order), step="collect", actor="york", at=datetime.now(UTC), **said)
    return await node_steps.take(world, command, WRITING)


async def say(world: AsyncEngine, command: KeepForCollection | PutBack) -> Any:
    async with world.begin() as connection:
        return await collecting.say(connection, command, WRITING)


def keeping(order: Order, until: datetime, **fields: Any) -> KeepForCollection:
    return KeepForCollection(
        fulfilment_id=work(order), until=until, actor="ada", at=datetime.now(UTC), reason="away", **fields
    )


async def look(world: AsyncEngine, now: datetime) -> int:
    return await collecting.look(world, now, WRITING)


async def to_put_back(world: AsyncEngine, order_id: str | None = None) -> list[str]:
    """The work of which goods are to be put back."""
    async with world.connect() as connection:
        return [row["id"] for row in await work_list(connection, WorkFilter(order_id=order_id, put_back=True))]
