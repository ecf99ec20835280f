"""A booking stands once a key, a carrier's event once an id, and what has ended does not move any more."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.order import Order
from dom.orders.status import CarrierEventKind
from store.delivery import shipments
from store.delivery.shipments import BookedShipment, ParcelScan
from store.enums import ShipmentStatus
from store.orders import reads
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

ORDER = small.order("carried", A=1)


def shipment(key: str = "web-carried-F1-B1", tracking: str = "T1", price: int = 320) -> BookedShipment:
    return BookedShipment(
        id=key,
        carrier="northline",
        method="standard",
        tracking_number=tracking,
        parcels=1,
        weight_grams=500,
        price=price,
        currency="GBP",
        booking={"reference": "web-carried-F1"},
        label=b"label",
        label_media_type="application/pdf",
    )


async def book(engine: AsyncEngine, booked: BookedShipment, *orders: Order) -> bool:
    async with engine.begin() as connection:
        fulfilments = [f"{order.order_id}-F1" for order in orders or (ORDER,)]
        return await shipments.book(connection, booked, fulfilments, MONDAY_NOON)


async def scan(
    engine: AsyncEngine, event: str, kind: str = "in_transit", tracking: str = "T1"
) -> dict[str, Any] | None:
    at = MONDAY_NOON + timedelta(hours=1)
    async with engine.begin() as connection:
        seen = ParcelScan("northline", event, tracking, CarrierEventKind(kind), at, "Leeds")
        return await shipments.scan(connection, seen)


class TestBook:
    async def test_stands_once_a_key(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        assert await book(world, shipment())
        assert not await book(world, shipment(tracking="T2", price=999))
        assert await rows(world, "SELECT tracking_number, price, status FROM shipments") == [("T1", 320, "booked")]

    async def test_many_at_once_write_one_booking_and_one_label(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        fresh = await asyncio.gather(*(book(world, shipment()) for _ in range(8)))
        assert sum(fresh) == 1
        counted = "SELECT (SELECT count(*) FROM shipments), (SELECT count(*) FROM labels)"
        assert await rows(world, counted) == [(1, 1)]

    async def test_one_shipment_carries_fulfilments_of_two_orders(self, world: AsyncEngine) -> None:
        other = small.order("beside", A=1)
        await place(world, ORDER)
        await place(world, other)
        await book(world, shipment(), ORDER, other)
        seen = await scan(world, "e1")
        assert seen is not None
        assert seen["fulfilments"] == ["web-beside-F1", "web-carried-F1"]

    async def test_the_label_of_a_voided_booking_is_not_shown_any_more(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await book(world, shipment())
        async with world.begin() as connection:
            assert await reads.label(connection, "web-carried-F1") == ("application/pdf", b"label")
            await shipments.set_status(connection, "web-carried-F1-B1", ShipmentStatus.VOIDED, MONDAY_NOON)
            assert await reads.label(connection, "web-carried-F1") is None
            assert await connection.scalar(text("SELECT content FROM labels")) == b"label"


class TestScan:
    async def test_of_an_unknown_parcel_is_nobodys(self, world: AsyncEngine) -> None:
        assert await scan(world, "e1", tracking="T9") is None
        assert await one(world, "SELECT count(*) FROM carrier_events") == 0

    async def test_is_fresh_once(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await book(world, shipment())
        seen = await asyncio.gather(*(scan(world, "e1") for _ in range(6)))
        assert sum(bool(row and row["fresh"]) for row in seen) == 1
        assert await one(world, "SELECT count(*) FROM carrier_events") == 1
        assert await one(world, "SELECT status FROM shipments") == "in_transit"

    async def test_late_scans_do_not_move_what_has_ended(self, world: AsyncEngine) -> None:
        await place(world, ORDER)
        await book(world, shipment())
        await scan(world, "e2", "delivered")
        await scan(world, "e1")
        await scan(world, "e3", "lost")
        ended = MONDAY_NOON + timedelta(hours=1)
        assert await rows(world, "SELECT status, ended_at FROM shipments") == [("delivered", ended)]
        assert await one(world, "SELECT count(*) FROM carrier_events") == 3


async def test_one_of_many_heavy_units_weighs_what_it_does(world: AsyncEngine) -> None:
    await place(world, ORDER)
    heavy = replace(shipment(), weight_grams=2_500_000_000, parcels=200)
    assert await book(world, heavy, ORDER)
    assert await one(world, "SELECT weight_grams FROM shipments") == 2_500_000_000
