"""Carriers are booked once a booking key, and bookings that nobody needs are taken back."""

from collections import Counter
from contextlib import suppress

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.carriers.port import LABEL_MEDIA_TYPE, Booking, BookingRequest, Carrier
from connectors.carriers.registry import CarrierRegistry
from dom.delivery.parcels import MOST_PARCELS, measure, piece
from dom.exceptions import ExceptionKind
from dom.fulfilment.carrier_reports import needs_booking
from dom.fulfilment.packing import Interception, Packing
from dom.network import Node, ShippingMethod, Sku
from dom.orders.asked import AskedOf, CancellationStatus
from dom.orders.commands import AnswerCancellation, CarrierBooked
from dom.orders.events import BookingVoidedData, EventKind
from dom.orders.lifecycle import OrderState
from dom.orders.order import ShipTo
from dom.orders.transitions import decide
from dom.shared import ids
from dom.shared.errors import NotFound, OutsideFailure
from services.change_orders import change_order, locked, write
from services.database import Database
from store import exceptions
from store.delivery import shipments
from store.enums import ShipmentStatus
from store.fulfilment import fulfilments
from store.orders import timeline


async def book(database: Database, carriers: CarrierRegistry, packing: Packing) -> Booking:
    """Book the transport and keep shipment and label. The same packing gives the same booking.

    One that comes about when nobody needs it any more is taken back at once: the process that asked for it was
    terminated, and the work is cancelled, or packed anew. Raises OutsideFailure if the carrier refuses for good, or
    takes it as more parcels than a booking may have.
    """
    async with database.statement() as connection:
        row = await fulfilments.to_book(connection, packing.fulfilment_id)
    asked = _what_to_book(row, packing.key)
    carrier = await _carrier(database, carriers, row["carrier"])
    booking = await carrier.book(asked)
    try:
        _labels_can_be_drawn(booking)
        shipment = _shipment(asked, booking, await carrier.label(asked, booking), _units(row))
        async with database.transaction() as connection:
            needed = await _write(database, connection, packing, shipment, booking.unprinted)
    except OutsideFailure:
        await carrier.void(packing.key)
        raise
    except Exception:
        if not await _is_still_needed(database, packing):
            await carrier.void(packing.key)
        raise
    if not needed:
        await _void(database, carrier, packing)
    return booking


async def void(database: Database, carriers: CarrierRegistry, packing: Packing) -> None:
    """Tell the carrier not to come. Compensation of `book`: repeats and unknown bookings do no harm."""
    async with database.statement() as connection:
        row = await fulfilments.get(connection, packing.fulfilment_id)
        booked = await shipments.get(connection, packing.key)
    if row is None or row["carrier"] is None or (booked and booked["status"] == ShipmentStatus.VOIDED):
        return
    await _void(database, await _carrier(database, carriers, row["carrier"]), packing)


async def intercept(database: Database, carriers: CarrierRegistry, asked: Interception) -> bool:
    """Ask the carrier to bring a parcel back, while the request is open. False if it refuses for good, or nobody serves
    it: then the request is refused.
    """
    async with database.transaction() as connection:
        state = await locked(connection, asked.order_id)
        booked = await shipments.standing(connection, asked.fulfilment_id)
    if booked is None or asked.request_id not in state.asked:
        return True
    try:
        carrier = await _carrier(database, carriers, booked["carrier"])
        await carrier.intercept(booked["id"])
    except OutsideFailure as error:
        command = AnswerCancellation(
            request_id=asked.request_id,
            answer=CancellationStatus.REFUSED,
            asked_of=AskedOf.CARRIER,
            actor=f"carrier:{booked['carrier']}",
            at=database.now(),
            reason=error.detail[:200],
        )
        async with database.transaction() as connection:
            with suppress(NotFound):  # it ended meanwhile
                await change_order(connection, asked.order_id, command, database.writing)
        return False
    return True


async def _carrier(database: Database, carriers: CarrierRegistry, code: str | None) -> Carrier:
    """The carrier, by the tariffs as the planner reads them."""
    async with database.statement() as connection:
        tariffs = (await database.reference.now(connection)).tariffs
    return carriers.serving(code, tariffs)


async def _is_still_needed(database: Database, packing: Packing) -> bool:
    async with database.transaction() as connection:
        return await _is_needed(connection, await locked(connection, packing.order_id), packing)


async def _is_needed(connection: AsyncConnection, state: OrderState, packing: Packing) -> bool:
    """Whether the work waits for it, or left its node with it; not where the node sent it with a carrier of its own."""
    fulfilment = state.fulfilments[packing.fulfilment_id]
    if not needs_booking(fulfilment) or packing.attempt < fulfilment.packings:
        return False
    return await shipments.get(connection, ids.own_shipment_id(fulfilment.id)) is None


async def _write(
    database: Database,
    connection: AsyncConnection,
    packing: Packing,
    shipment: shipments.BookedShipment,
    unprinted: tuple[str, ...],
) -> bool:
    """Write the booking down, once. False if nobody needs it any more."""
    state = await locked(connection, packing.order_id)
    needed = await _is_needed(connection, state, packing)
    now = database.now()
    if unprinted and needed:
        detail = f"{packing.fulfilment_id}: printed in Roman letters, no font has them: {'; '.join(unprinted)}"
        await exceptions.open_(
            connection, packing.order_id, ExceptionKind.LABEL_TRANSLITERATED, f"{shipment.id}:label", detail
        )
    if await shipments.book(connection, shipment, [packing.fulfilment_id], now):
        booked = CarrierBooked(
            fulfilment_id=packing.fulfilment_id,
            shipment_id=shipment.id,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            price=shipment.price,
            currency=shipment.currency,
            is_needed=needed,
            at=now,
        )
        await write(connection, state, decide(state, booked), database.writing)
    return needed


async def _void(database: Database, carrier: Carrier, packing: Packing) -> None:
    await carrier.void(packing.key)
    async with database.transaction() as connection:
        if await shipments.get(connection, packing.key) is None:
            return
        now = database.now()
        await shipments.set_status(connection, packing.key, ShipmentStatus.VOIDED, now)
        event = timeline.Event(
            packing.order_id,
            EventKind.BOOKING_VOIDED,
            f"{packing.key}:void",
            f"carrier:{carrier.name}",
            now,
            BookingVoidedData(fulfilment_id=packing.fulfilment_id),
        )
        await timeline.append(connection, event)


def _labels_can_be_drawn(booking: Booking) -> None:
    if booking.parcels > MOST_PARCELS:
        raise OutsideFailure(
            f"{booking.carrier} would take it as {booking.parcels} parcels, of at most {MOST_PARCELS}",
            data={"carrier": booking.carrier, "parcels": booking.parcels, "most": MOST_PARCELS},
        )


def _shipment(asked: BookingRequest, booking: Booking, label: bytes, units: dict[str, int]) -> shipments.BookedShipment:
    return shipments.BookedShipment(
        id=booking.booking_key,
        carrier=booking.carrier,
        method=asked.method,
        tracking_number=booking.tracking_number,
        parcels=booking.parcels,
        weight_grams=asked.size.weight_grams,
        price=booking.price,
        currency=booking.currency,
        booking={
            **asked.model_dump(mode="json", include={"reference", "ship_by", "size", "recipient"}),
            "units": units,
        },
        label=label,
        label_media_type=LABEL_MEDIA_TYPE,
    )


def _units(row: RowMapping) -> dict[str, int]:
    """What is in the parcel, by SKU: once units are cancelled, nothing else says what a label was made for."""
    units: Counter[str] = Counter()
    for quantity, document in row["goods"]:
        units[document["id"]] += quantity
    return dict(units)


def _recipient(row: RowMapping) -> ShipTo:
    """The customer, or the store where he collects it."""
    if row["store"] is None:
        return ShipTo.model_validate(row["ship_to"])
    store = Node.model_validate(row["store"])
    return ShipTo.model_validate({"name": store.name, **store.address.model_dump()})


def _what_to_book(row: RowMapping, key: str) -> BookingRequest:
    skus = {document["id"]: Sku.model_validate(document) for _, document in row["goods"]}
    node = Node.model_validate(row["node"])
    return BookingRequest(
        booking_key=key,
        method=ShippingMethod(row["method"]),
        sender_name=node.name,
        sender=node.address,
        recipient=_recipient(row),
        pieces=tuple(piece(skus[document["id"]], quantity) for quantity, document in row["goods"]),
        size=measure(((document["id"], quantity) for quantity, document in row["goods"]), skus),
        reference=row["id"],
        ship_by=row["ship_by"],
        sender_zone=node.time_zone,
    )
