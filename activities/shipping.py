"""Shipping: carriers are booked once a booking key, and bookings that are not needed are taken back."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from activities.errors import as_application_error
from connectors.carriers.port import LABEL_MEDIA_TYPE, Booking, BookingRequest, Carrier
from connectors.carriers.registry import CarrierRegistry
from dom.delivery.parcels import measure, piece
from dom.exceptions import ExceptionKind
from dom.fulfilment.carrier_reports import NEEDS_BOOKING
from dom.network import Node, ShippingMethod, Sku
from dom.orders.commands import CarrierBooked
from dom.orders.events import BookingVoidedData, EventKind
from dom.orders.lifecycle import OrderState
from dom.orders.order import ShipTo
from dom.orders.transitions import decide
from dom.shared import ids
from dom.shared.base import Value
from dom.shared.errors import OutsideFailure
from services.change_orders import Writing, locked, write
from store import exceptions
from store.delivery import shipments
from store.enums import ShipmentStatus
from store.fulfilment import fulfilments
from store.orders import timeline


class BookCarrier(Value):
    """Book the carrier that sourcing chose; `attempt` counts how often the fulfilment was packed."""

    order_id: str
    fulfilment_id: str
    attempt: int


class Booked(Value):
    """A carrier will fetch the parcel."""

    carrier: str
    tracking_number: str


class VoidBooking(Value):
    """Take a booking back; safe for one that was never made."""

    order_id: str
    fulfilment_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Shipping:
    """Bookings with carriers."""

    database: Database
    carriers: CarrierRegistry

    @activity.defn(name="book_carrier")
    async def book_carrier(self, request: BookCarrier) -> Booked:
        """Book the transport and keep shipment and label. The same attempt gives the same booking.

        One that comes about when nobody needs it any more is taken back at once: the process that asked for it was
        terminated, and the work is cancelled, or packed anew.
        """
        key = ids.booking_key(request.fulfilment_id, request.attempt)
        async with self.database.statement() as connection:
            row = await fulfilments.to_book(connection, request.fulfilment_id)
        asked = _what_to_book(row, key)
        try:
            carrier = await self._carrier(row["carrier"])
            booking = await carrier.book(asked)
        except OutsideFailure as error:
            raise as_application_error(error) from error
        try:
            shipment = _shipment(asked, booking, await carrier.label(asked, booking), _units(row))
            async with self.database.transaction() as connection:
                needed = await self._write(connection, request, shipment, booking.unprinted)
        except OutsideFailure as error:
            await carrier.void(key)
            raise as_application_error(error) from error
        except Exception:
            if not await self._is_still_needed(request):
                await carrier.void(key)
            raise
        if not needed:
            await self._void(carrier, key, request)
        return Booked(carrier=booking.carrier, tracking_number=booking.tracking_number)

    async def _is_still_needed(self, request: BookCarrier) -> bool:
        async with self.database.transaction() as connection:
            return _is_needed(await locked(connection, request.order_id), request)

    async def _write(
        self,
        connection: AsyncConnection,
        request: BookCarrier,
        shipment: shipments.BookedShipment,
        unprinted: tuple[str, ...],
    ) -> bool:
        """Write the booking down, once. False if nobody needs it any more."""
        state = await locked(connection, request.order_id)
        needed = _is_needed(state, request)
        now = self.database.now()
        if unprinted and needed:
            await exceptions.open_(
                connection,
                request.order_id,
                ExceptionKind.LABEL_TRANSLITERATED,
                f"{shipment.id}:label",
                f"{request.fulfilment_id}: printed in Roman letters, no font has them: {'; '.join(unprinted)}",
            )
        if await shipments.book(connection, shipment, [request.fulfilment_id], now):
            booked = CarrierBooked(
                fulfilment_id=request.fulfilment_id,
                shipment_id=shipment.id,
                carrier=shipment.carrier,
                tracking_number=shipment.tracking_number,
                price=shipment.price,
                currency=shipment.currency,
                is_needed=needed,
                at=now,
            )
            await write(connection, state, decide(state, booked), Writing(webhook=self.database.webhooks))
        return needed

    @activity.defn(name="void_booking")
    async def void_booking(self, request: VoidBooking) -> None:
        """Tell the carrier not to come. Compensation of `book_carrier`: repeats and unknown bookings do no harm."""
        key = ids.booking_key(request.fulfilment_id, request.attempt)
        async with self.database.statement() as connection:
            row = await fulfilments.get(connection, request.fulfilment_id)
            booked = await shipments.get(connection, key)
        if row is None or row["carrier"] is None or (booked and booked["status"] == ShipmentStatus.VOIDED):
            return
        await self._void(await self._carrier(row["carrier"]), key, request)

    async def _void(self, carrier: Carrier, key: str, request: BookCarrier | VoidBooking) -> None:
        await carrier.void(key)
        async with self.database.transaction() as connection:
            if await shipments.get(connection, key) is None:
                return
            now = self.database.now()
            await shipments.set_status(connection, key, ShipmentStatus.VOIDED, now)
            event = timeline.Event(
                request.order_id,
                EventKind.BOOKING_VOIDED,
                f"{key}:void",
                f"carrier:{carrier.name}",
                now,
                BookingVoidedData(fulfilment_id=request.fulfilment_id),
            )
            await timeline.append(connection, event)

    async def _carrier(self, code: str | None) -> Carrier:
        """The carrier, by the tariffs as the planner reads them."""
        async with self.database.statement() as connection:
            tariffs = (await self.database.reference.now(connection)).tariffs
        return self.carriers.serving(code, tariffs)


def _is_needed(state: OrderState, request: BookCarrier) -> bool:
    fulfilment = state.fulfilments[request.fulfilment_id]
    return fulfilment.status in NEEDS_BOOKING and request.attempt >= fulfilment.packings


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


def _what_to_book(row: RowMapping, key: str) -> BookingRequest:
    skus = {document["id"]: Sku.model_validate(document) for _, document in row["goods"]}
    node = Node.model_validate(row["node"])
    return BookingRequest(
        booking_key=key,
        method=ShippingMethod(row["method"]),
        sender_name=node.name,
        sender=node.address,
        recipient=ShipTo.model_validate(row["ship_to"]),
        pieces=tuple(piece(skus[document["id"]], quantity) for quantity, document in row["goods"]),
        size=measure(((document["id"], quantity) for quantity, document in row["goods"]), skus),
        reference=row["id"],
        ship_by=row["ship_by"],
        sender_zone=node.time_zone,
    )
