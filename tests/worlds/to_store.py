"""Ship to store: orders of today that another node sends to the store in York, where their customers collect them."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.fulfilment.carrier_reports import ParcelReport
from dom.orders.commands import TakeNodeStep
from dom.orders.order import Order
from dom.orders.pickup_commands import KeepForCollection, PutBack
from dom.orders.status import CarrierEventKind
from dom.shared import ids
from services import carrier_reports, collecting, node_steps
from services.change_orders import Writing
from services.database import Database
from store.policy import policies
from tests.worlds import small
from tests.worlds.advancing import S, comes_to
from tests.worlds.books import one
from tests.worlds.captured import accept
from tests.worlds.policies import policy

WRITING: Final = Writing(webhook=True, notify=True)
ON_THE_WAY: Final = (S.ACCEPTED, S.PICKED, S.PACKED, S.BOOKED, S.HANDED_OVER)
DC, STORE = "dc-leeds", "st-york"


async def allow(world: AsyncEngine) -> None:
    """The policy lets other nodes send goods to the store."""
    async with world.begin() as connection:
        allowed = policy(name="to the store", collection={"ship_to_store": {}}, split_penalty=10)
        await policies.publish_policy(connection, allowed, "test")


async def captured(world: AsyncEngine, name: str = "sent", **fields: Any) -> Order:
    """An order of today for B, which the store does not hold."""
    units = {key: value for key, value in fields.items() if key.isupper()} or {"B": 2}
    other = {key: value for key, value in fields.items() if not key.isupper()}
    terms = {"tags": [], "shipping_method": "pickup", "pickup_node": STORE}
    order = small.order(name, **units, **{**terms, **other})
    await accept(Database(world), order)
    return order


async def on_the_way(world: AsyncEngine, name: str = "sent", **fields: Any) -> Order:
    """An order of which the carrier has the parcel."""
    order = await captured(world, name, **fields)
    await comes_to(world, work(order), *ON_THE_WAY)
    return order


async def at_the_store(world: AsyncEngine, name: str = "sent", **fields: Any) -> Order:
    """An order that is ready for its customer at the store."""
    order = await on_the_way(world, name, **fields)
    await comes_to(world, work(order), S.DELIVERED)
    return order


def work(order: Order) -> str:
    """The id of its first fulfilment."""
    return f"{order.order_id}-F1"


async def status(world: AsyncEngine, order: Order) -> object:
    """How far that is."""
    return await one(world, "SELECT status FROM fulfilments WHERE id = :id", id=work(order))


async def code_of(world: AsyncEngine, order: Order) -> str:
    """The code that its customer has."""
    return str(await one(world, "SELECT code FROM collections WHERE fulfilment_id = :id", id=work(order)))


async def kept(world: AsyncEngine, order: Order) -> datetime:
    """Until when it is kept."""
    found = await one(world, "SELECT collect_by FROM collections WHERE fulfilment_id = :id", id=work(order))
    assert isinstance(found, datetime)
    return found


async def collect(world: AsyncEngine, order: Order, **said: Any) -> Any:
    """The store says that it was collected; without a code, unless one is given."""
    command = TakeNodeStep(fulfilment_id=work(order), step="collect", actor="york", at=datetime.now(UTC), **said)
    return await node_steps.take(world, command, WRITING)


async def say(world: AsyncEngine, command: KeepForCollection | PutBack) -> Any:
    """Somebody says something of goods that wait."""
    async with world.begin() as connection:
        return await collecting.say(connection, command, WRITING)


async def carrier_says(world: AsyncEngine, order: Order, kind: CarrierEventKind, event_id: str = "e1") -> bool:
    """The carrier reports of its first booking; whether that can be true."""
    report = ParcelReport(
        fulfilment_id=work(order),
        kind=kind,
        actor="test",
        at=datetime.now(UTC),
        shipment_id=ids.booking_key(work(order), 1),
        event_id=event_id,
    )
    async with world.begin() as connection:
        return await carrier_reports.heed(connection, order.order_id, report, WRITING)
