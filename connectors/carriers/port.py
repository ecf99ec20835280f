"""What the system asks of a carrier, whichever it is."""

from typing import Final, Protocol

from pydantic import Field

from dom.delivery.parcels import ParcelSize, Piece
from dom.delivery.tariffs import CarrierId
from dom.network import NodeAddress, ShippingMethod
from dom.orders.order import ShipTo
from dom.shared.base import Country, Currency, Minor, Text, Utc, Value

LABEL_MEDIA_TYPE: Final = "application/pdf"
"""What `Carrier.label` returns."""


class BookingRequest(Value):
    """A shipment to be moved.

    `booking_key` stands for this one booking and this one content. `parcels` is the number of boxes the node packed;
    None leaves it to the carrier, which then takes as few as it can. `pieces` are the units in them, none
    of which can be cut. `reference` is printed on the label, and `ship_by`
    in the time of `sender_zone`, an IANA time zone.
    """

    booking_key: str = Field(min_length=1, max_length=300, examples=["web-536365-F1-B1"])
    method: ShippingMethod
    sender_name: Text
    sender: NodeAddress
    recipient: ShipTo
    size: ParcelSize
    pieces: tuple[Piece, ...] = ()
    parcels: int | None = Field(default=None, ge=1, le=10_000)
    reference: str = Field(min_length=1, max_length=300, examples=["web-536365-F1"])
    ship_by: Utc
    sender_zone: str = "UTC"

    @property
    def lane(self) -> tuple[Country, Country]:
        """The countries from and to."""
        return self.sender.country, self.recipient.country


class Booking(Value):
    """What the carrier agreed to. `price` in minor units; transit in working days after the day of hand-over.

    `unprinted` are lines of the address that the label cannot show as they are written.
    """

    carrier: CarrierId
    booking_key: str
    tracking_number: str
    parcels: int
    price: Minor
    currency: Currency
    transit_days_min: int
    transit_days_max: int
    unprinted: tuple[str, ...] = ()


class Carrier(Protocol):
    """A carrier.

    Every method is safe to repeat. OutsideFailure is a refusal for good; any other error may pass with time.
    """

    @property
    def name(self) -> str:
        """The carrier's code."""

    async def book(self, request: BookingRequest) -> Booking:
        """Order the transport; the same booking key gives the same booking, however often it is sent."""

    async def label(self, request: BookingRequest, booking: Booking) -> bytes:
        """The labels to stick on the parcels, one page each, as `LABEL_MEDIA_TYPE`."""

    async def void(self, booking_key: str) -> None:
        """Take a booking back before hand-over; nothing happens for a key that was never booked or is void."""

    async def intercept(self, booking_key: str) -> None:
        """Ask for a parcel to be stopped on its way and brought back. Whether it is, the carrier reports later, as
        `intercepted` or `intercept_failed`; OutsideFailure says at once that it is not.
        """
