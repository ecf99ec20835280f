"""An order for pick-up whose goods another node sends to the store: its process needs nothing of its own for that."""

from datetime import UTC, datetime

from dom.orders.order import Order
from dom.orders.status import OrderStatus
from services import collecting
from services.change_orders import Writing
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.running import House
from tests.worlds.steps import comes, ended, until_event, until_order, until_released
from tests.worlds.to_store import DC, STORE, allow
from tests.worlds.waiting import until_booked, until_status

KEPT = "SELECT max(collect_by) FROM collections WHERE order_id = :id"


def collected(name: str, **units: int) -> Order:
    return small.order(name, **units, shipping_method="pickup", pickup_node=STORE)


async def brought(house: House, order: Order, number: int = 1) -> None:
    """The node sends it, and the carrier brings it to the store."""
    await house.node(order, "accept", "pick", "pack", number=number)
    await until_booked(house.engine, order, number)
    await house.node(order, "hand-over", number=number)
    await house.carrier_says(order, "delivered", number=number)
    await until_status(house.engine, f"{order.order_id}-F{number}", "ready_for_collection")


async def test_stock_that_comes_elsewhere_is_sent_to_the_store(house: House) -> None:
    await allow(house.engine)
    order = collected("to-store-waits", NEVER=1)
    assert (await house.send(order)).status is OrderStatus.BACKORDERED
    await comes(house.engine, "NEVER", 1, DC)
    assert await until_released(house, order, 1) == DC
    await brought(house, order)
    await house.node(order, "collect")
    assert (await ended(house, order)).status is OrderStatus.DELIVERED
    assert await balance(house.engine, STORE, "NEVER") == (0, 0)
    assert await balance(house.engine, DC, "NEVER") == (0, 0)
    assert sum(house.carrier.booked.values()) == 1
    told = [message.text for message in house.mail.sent]
    assert sum("It takes them to St York" in text for text in told) == 1
    assert sum("waiting for you at St York" in text for text in told) == 1
    assert not [text for text in told if "deliver it" in text]


async def test_a_lost_parcel_is_replaced(house: House) -> None:
    await allow(house.engine)
    order = collected("to-store-lost", RARE=1)
    await house.send(order)
    await until_released(house, order, 1)
    await house.node(order, "pack")
    await until_booked(house.engine, order)
    await house.node(order, "hand-over")
    await house.carrier_says(order, "lost")
    assert await until_released(house, order, 2) == DC
    await brought(house, order, 2)
    await house.node(order, "collect", number=2)
    assert (await ended(house, order)).status is OrderStatus.DELIVERED
    await check_books(house.engine)


async def test_what_nobody_collects_ends_the_process_and_voids_nothing(house: House) -> None:
    await allow(house.engine)
    order = collected("to-store-left", B=2).model_copy(update={"tags": ()})
    await house.send(order)
    await until_released(house, order, 1)
    await brought(house, order)
    end = await one(house.engine, KEPT, id=order.order_id)
    assert isinstance(end, datetime)
    assert end > datetime.now(UTC)
    await collecting.look(house.engine, end, Writing(webhook=False, notify=True))
    await until_order(house, order, "cancelled")
    await until_event(house, order, "cancelled")
    assert (await ended(house, order)).status is OrderStatus.CANCELLED
    assert await rows(house.engine, "SELECT status FROM shipments") == [("delivered",)]
    assert await balance(house.engine, STORE, "B") == (2, 0)
    await check_books(house.engine)
