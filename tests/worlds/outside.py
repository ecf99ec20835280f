"""The outside world as tests play it: our own ports, implemented by hand, that remember what reached them."""

import asyncio
from collections import Counter

from connectors.carriers.port import Booking, BookingRequest
from connectors.notifications.port import OutboundMessage, TemporaryFailureError
from dom.shared.errors import OutsideFailure


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
    """Books everything; `refuses` makes it refuse for good, `failures` fail for a while first.

    `live` are the bookings it would come for. The first `holds` requests reach it only once `let_go` is set. Each
    booking is of `parcels`; `labels` were drawn.
    """

    name = "northline"

    def __init__(
        self,
        *,
        refuses: bool = False,
        failures: int = 0,
        holds: int = 0,
        parcels: int = 1,
        refuses_intercepts: bool = False,
    ) -> None:
        self.booked: Counter[str] = Counter()
        self.voided: Counter[str] = Counter()
        self.live: set[str] = set()
        self.intercepted: Counter[str] = Counter()
        self.held = 0
        self.labels = 0
        self._parcels = parcels
        self.let_go = asyncio.Event()
        self._holds = holds
        self._refuses = refuses
        self._refuses_intercepts = refuses_intercepts
        self._failures = failures

    def comes_back(self) -> None:
        """It fails no more."""
        self._failures = 0

    async def book(self, request: BookingRequest) -> Booking:
        """The same key gives the same booking."""
        if self.held < self._holds:
            self.held += 1
            await self.let_go.wait()
            return self._book(request)
        if self._refuses:
            raise OutsideFailure("no lane")
        if self._failures:
            self._failures -= 1
            raise ConnectionError("the carrier is away")
        return self._book(request)

    def _book(self, request: BookingRequest) -> Booking:
        self.booked[request.booking_key] += 1
        self.live.add(request.booking_key)
        return Booking(
            carrier=self.name,
            booking_key=request.booking_key,
            tracking_number=f"T-{request.booking_key}",
            parcels=self._parcels,
            price=320,
            currency="GBP",
            transit_days_min=1,
            transit_days_max=3,
        )

    async def label(self, request: BookingRequest, booking: Booking) -> bytes:
        """Enough of a label for a test."""
        self.labels += 1
        return f"label {booking.tracking_number}".encode()

    async def intercept(self, booking_key: str) -> None:
        """Remember what is to come back, or refuse it for good."""
        if self._refuses_intercepts:
            raise OutsideFailure("no parcel is stopped on its way")
        self.intercepted[booking_key] += 1

    async def void(self, booking_key: str) -> None:
        """Remember what was taken back."""
        self.voided[booking_key] += 1
        self.live.discard(booking_key)
