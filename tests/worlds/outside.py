"""The outside world as tests play it: our own ports, implemented by hand, that remember what reached them."""

from collections import Counter

from connectors.carriers.port import Booking, BookingRequest
from connectors.notifications.port import OutboundMessage, TemporaryFailureError
from dom.errors import OutsideFailure


class RecordingSender:
    """Takes every message; puts off the first `put_off` of them."""

    def __init__(self, put_off: int = 0) -> None:
        self.sent: list[OutboundMessage] = []
        self._put_off = put_off

    async def send(self, message: OutboundMessage) -> None:
        """Remember the message, or put it off."""
        if self._put_off:
            self._put_off -= 1
            raise TemporaryFailureError("come back later")
        self.sent.append(message)

    async def close(self) -> None:
        """Nothing is open."""


class RecordingCarrier:
    """Books everything; `refuses` makes it refuse for good, `failures` fail for a while first."""

    name = "northline"

    def __init__(self, *, refuses: bool = False, failures: int = 0) -> None:
        self.booked: Counter[str] = Counter()
        self.voided: Counter[str] = Counter()
        self._refuses = refuses
        self._failures = failures

    async def book(self, request: BookingRequest) -> Booking:
        """The same key gives the same booking."""
        if self._refuses:
            raise OutsideFailure("no lane")
        if self._failures:
            self._failures -= 1
            raise ConnectionError("the carrier is away")
        self.booked[request.booking_key] += 1
        return Booking(
            carrier=self.name,
            booking_key=request.booking_key,
            tracking_number=f"T-{request.booking_key}",
            parcels=1,
            price=320,
            currency="GBP",
            transit_days_min=1,
            transit_days_max=3,
        )

    async def label(self, request: BookingRequest, booking: Booking) -> bytes:
        """Enough of a label for a test."""
        return f"label {booking.tracking_number}".encode()

    async def void(self, booking_key: str) -> None:
        """Remember what was taken back."""
        self.voided[booking_key] += 1
