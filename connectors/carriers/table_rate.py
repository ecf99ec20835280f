"""A carrier that charges by its tariff and numbers its parcels itself.

It keeps no list: a booking follows from the request alone, so a repeat after a crash gives the same one.
"""

import asyncio
from collections.abc import Iterable

from connectors.carriers import s10
from connectors.carriers.labels import render_label, unprinted
from connectors.carriers.port import Booking, BookingRequest, Carrier
from dom.delivery.parcels import boxes
from dom.delivery.tariffs import Quote, Tariff, quote
from dom.shared.errors import OutsideFailure


class TableRateCarrier:
    """A carrier with table rates."""

    def __init__(self, tariff: Tariff) -> None:
        self._tariff = tariff

    @property
    def name(self) -> str:
        """The carrier's code."""
        return self._tariff.carrier

    async def book(self, request: BookingRequest) -> Booking:
        """Book by the tariff; OutsideFailure if there is no such service, or it does not take a unit or parcel."""
        offer, fewest = self._offer(request)
        return Booking(
            carrier=self.name,
            booking_key=request.booking_key,
            tracking_number=s10.tracking_number(f"{self.name}/{request.booking_key}", request.sender.country),
            parcels=request.parcels or fewest,
            price=offer.price,
            currency=offer.currency,
            transit_days_min=offer.transit_days_min,
            transit_days_max=offer.transit_days_max,
            unprinted=await asyncio.to_thread(unprinted, request),
        )

    async def label(self, request: BookingRequest, booking: Booking) -> bytes:
        """Draw the labels of a booking, beside the event loop: many parcels take a while."""
        return await asyncio.to_thread(render_label, self._tariff.name, request, booking)

    async def void(self, booking_key: str) -> None:
        """Nothing is to be undone: the carrier charges on hand-over and keeps no list of what was announced."""

    async def intercept(self, booking_key: str) -> None:
        """There is nobody to call: the carrier finds it in `GET /v1/shipments?intercept=asked`, and reports."""

    def _offer(self, request: BookingRequest) -> tuple[Quote, int]:
        """The price, and the fewest parcels the goods go in."""
        origin, destination = request.lane
        offer = quote(self._tariff, request.method, origin, destination, request.size)
        if offer is None:
            raise OutsideFailure(
                f"{self.name} has no {request.method} service from {origin} to {destination}",
                data={"carrier": self.name, "method": request.method, "origin": origin, "destination": destination},
            )
        largest = self._tariff.rates[request.method, origin, destination].largest
        for piece in request.pieces:
            if why := largest.refuses(piece):
                raise OutsideFailure(
                    f"{self.name} does not take a unit of {why}",
                    data={"carrier": self.name, "method": request.method, **piece.model_dump()},
                )
        fewest = boxes(request.pieces, largest.grams, self._tariff.divisor) or offer.parcels
        if request.parcels is not None and request.parcels < fewest:
            raise OutsideFailure(
                f"{self.name} takes {offer.chargeable_grams} g as {fewest} parcels, not as {request.parcels}",
                data={"carrier": self.name, "parcels": fewest, "chargeable_grams": offer.chargeable_grams},
            )
        return offer, fewest


def carriers_from(tariffs: Iterable[Tariff]) -> dict[str, Carrier]:
    """The table-rate carriers of these tariffs, by code; a carrier with two tariffs is a ValueError."""
    found: dict[str, Carrier] = {}
    for tariff in tariffs:
        if tariff.carrier in found:
            raise ValueError(f"carrier {tariff.carrier!r} has two tariffs")
        found[tariff.carrier] = TableRateCarrier(tariff)
    return found
