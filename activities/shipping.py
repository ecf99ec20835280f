"""Shipping: carriers are booked and told not to come, for the order's process. The use cases are in
`services.bookings`.
"""

from dataclasses import dataclass

from temporalio import activity

from activities.defects import step
from connectors.carriers.registry import CarrierRegistry
from dom.fulfilment.packing import Interception, Packing
from dom.shared.base import Value
from services import bookings
from services.database import Database


class Booked(Value):
    """A carrier will fetch the parcel."""

    carrier: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class Shipping:
    """Bookings with carriers."""

    database: Database
    carriers: CarrierRegistry

    @activity.defn(name="book_carrier")
    async def book_carrier(self, packing: Packing) -> Booked:
        """Book the transport; see `bookings.book`."""
        async with step(self.database, packing.order_id, packing.order_id):
            booking = await bookings.book(self.database, self.carriers, packing)
        return Booked(carrier=booking.carrier, tracking_number=booking.tracking_number)

    @activity.defn(name="void_booking")
    async def void_booking(self, packing: Packing) -> None:
        """Take a booking back; see `bookings.void`."""
        async with step(self.database, packing.order_id, packing.order_id):
            await bookings.void(self.database, self.carriers, packing)

    @activity.defn(name="intercept_parcel")
    async def intercept_parcel(self, asked: Interception) -> bool:
        """Ask for a parcel to be brought back; see `bookings.intercept`."""
        async with step(self.database, asked.order_id, asked.order_id):
            return await bookings.intercept(self.database, self.carriers, asked)
