"""A supplier sends goods with a carrier of its own: nobody books one, and everything else is as with any parcel."""

from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.carriers.registry import CarrierRegistry
from dom.fulfilment.packing import Packing
from dom.orders.commands import PlaceHold, ShipByOwnCarrier, TakeNodeStep
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.status import CarrierEventKind
from dom.shared.errors import Conflict, OnHold, StepNotPossible
from services import bookings, carrier_events, node_steps, order_views, own_carriers
from services.change_orders import OrderChanged, Writing
from services.database import Database
from store.delivery.shipments import ParcelScan
from tests.worlds import small
from tests.worlds.advancing import S, all_of, comes_to, do
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.outside import RecordingCarrier
from tests.worlds.sourcing import MONDAY_NOON

WRITING: Final = Writing(webhook=True, notify=True)
SHIPMENT: Final = "SELECT id, carrier, tracking_number, status, parcels, price, booking->'units' FROM shipments"


async def at_the_supplier(world: AsyncEngine, name: str = "far", units: int = 2) -> Order:
    order = small.order(name, FAR=units)
    await accept(Database(world, replaying=True), order)
    assert (
        await one(world, "SELECT node_id FROM fulfilments WHERE order_id = :id", id=order.order_id) == "dropship-lille"
    )
    return order


async def ship(world: AsyncEngine, order: Order, number: str = "CN4711FR", **fields: Any) -> OrderChanged:
    told = {"fulfilment_id": f"{order.order_id}-F1", "actor": "lille", "at": MONDAY_NOON, **fields}
    return await own_carriers.ship(
        world, ShipByOwnCarrier(carrier="colis-nord", tracking_number=number, **told), WRITING
    )


async def test_what_it_sent_is_gone_told_and_delivered_by_its_carriers_scans(world: AsyncEngine) -> None:
    order = await at_the_supplier(world)
    done = await ship(world, order, parcels=2, request="r", request_hash="h")
    assert (done.state.status(), done.repeated) == ("shipped", False)
    assert (await ship(world, order, parcels=2, request="r", request_hash="h")).repeated
    first = f"{order.order_id}-F1"
    assert await rows(world, SHIPMENT) == [(f"{first}-own", "colis-nord", "CN4711FR", "in_transit", 2, 0, {"FAR": 2})]
    assert await balance(world, "dropship-lille", "FAR") == (18, 0)
    event = "SELECT data->>'carrier', data->>'tracking_number' FROM timeline WHERE kind = 'fulfilment_handed_over'"
    assert await rows(world, event) == [("colis-nord", "CN4711FR")]
    assert await one(world, "SELECT count(*) FROM outbox WHERE kind = 'shipped' AND medium = 'mail'") == 1
    scan = ParcelScan("colis-nord", "e1", "CN4711FR", CarrierEventKind.DELIVERED, MONDAY_NOON + timedelta(days=1))
    assert await carrier_events.take_in(world, "colis-nord", {0: scan}, WRITING) == {0: True}
    assert await one(world, "SELECT status FROM orders") == "delivered"
    await check_books(world)


async def test_the_same_said_again_changes_nothing_and_something_else_is_refused(world: AsyncEngine) -> None:
    """Without a key, and with another one, as with every step of a node."""
    order = await at_the_supplier(world)
    assert not (await ship(world, order, parcels=2)).repeated
    for key in ({}, {"request": "another", "request_hash": "h"}):
        again = await ship(world, order, parcels=2, **key)
        assert (again.repeated, again.state.status()) == (True, "shipped")
    for other in ({"number": "CN4712FR", "parcels": 2}, {"parcels": 1}):
        with pytest.raises(StepNotPossible, match="handed_over"):
            await ship(world, order, **other)
    scan = ParcelScan("colis-nord", "e1", "CN4711FR", CarrierEventKind.DELIVERED, MONDAY_NOON + timedelta(days=1))
    await carrier_events.take_in(world, "colis-nord", {0: scan}, WRITING)
    assert (await ship(world, order, parcels=2)).repeated
    assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'fulfilment_handed_over'") == 1
    assert await balance(world, "dropship-lille", "FAR") == (18, 0)
    await check_books(world)


async def test_what_it_has_not_is_sourced_again_and_the_rest_is_sent(world: AsyncEngine) -> None:
    order = await at_the_supplier(world)
    pick = TakeNodeStep(
        fulfilment_id=f"{order.order_id}-F1", step="pick", actor="lille", at=MONDAY_NOON, found={"1": 1}
    )
    await node_steps.take(world, pick, WRITING)
    done = await ship(world, order)
    assert (done.state.waiting, done.state.status()) == ({"1": 1}, "part_shipped")
    assert await one(world, "SELECT booking->'units' FROM shipments") == {"FAR": 1}
    await check_books(world)


async def test_is_for_suppliers_and_for_what_no_carrier_is_booked_for(world: AsyncEngine) -> None:
    near = small.order("near", A=1)
    await accept(Database(world, replaying=True), near)
    with pytest.raises(StepNotPossible, match="distribution_centre"):
        await ship(world, near)
    packed, gone = await at_the_supplier(world, "packed"), await at_the_supplier(world, "gone")
    await comes_to(world, f"{packed.order_id}-F1", S.PICKED, S.PACKED)
    async with world.begin() as connection:
        await do(connection, gone.order_id, all_of())
    for order in (packed, gone):
        with pytest.raises(StepNotPossible):
            await ship(world, order)
    assert await rows(world, SHIPMENT) == []


async def test_a_number_is_of_one_shipment_and_a_hold_keeps_goods_there(world: AsyncEngine) -> None:
    first, second = await at_the_supplier(world, "first"), await at_the_supplier(world, "second")
    await ship(world, first)
    with pytest.raises(Conflict) as taken:
        await ship(world, second)
    assert taken.value.field == "tracking_number"
    held = PlaceHold(type="manual", blocks=frozenset({BlockedStep.HAND_OVER}), actor="ada", at=MONDAY_NOON)
    async with world.begin() as connection:
        await do(connection, second.order_id, held)
    with pytest.raises(OnHold):
        await ship(world, second, "CN4712FR")
    assert await balance(world, "dropship-lille", "FAR") == (18, 2)
    await check_books(world, reserved=2)


async def test_what_was_booked_before_it_was_packed_anew_is_taken_back(world: AsyncEngine) -> None:
    """Its process may hear of both at once: it sees work that was handed over, and one booking too many."""
    order = await at_the_supplier(world)
    packing = Packing(order_id=order.order_id, fulfilment_id=f"{order.order_id}-F1", attempt=1)
    await comes_to(world, packing.fulfilment_id, S.PICKED, S.PACKED)
    async with world.begin() as connection:
        await do(connection, order.order_id, all_of({"1": 1}))
    await ship(world, order)
    async with world.connect() as connection:
        (work,) = (await order_views.get(connection, order.order_id)).fulfilments
    assert (work.status, work.void) == (S.HANDED_OVER, (1,))
    carrier = RecordingCarrier()
    await bookings.book(Database(world), CarrierRegistry({carrier.name: carrier}), packing)
    assert carrier.live == set()
