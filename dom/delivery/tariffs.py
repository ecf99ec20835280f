"""What carriers charge: table rates by service, lane and weight, and the quote for a shipment.

A carrier charges for the larger of what a parcel weighs and its dimensional weight, volume over a divisor. The formula
is the air cargo rule of IATA (TACT Rules 3.9.4: 6,000 cm3 a kilogram); parcel carriers took it over with a divisor of
their own, 5,000 or 4,000 cm3 a kilogram on most European tariffs. See `ParcelSize.chargeable_grams`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from typing import Annotated, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from dom.delivery.parcels import ParcelSize, Piece
from dom.network import ShippingMethod
from dom.shared.base import Country, Currency, Minor, Text, Value

CarrierId = Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z0-9-]*$", examples=["northline"])]
"""A carrier's code."""

Grams = Annotated[int, Field(gt=0, le=10_000_000)]
Millimetres = Annotated[int, Field(gt=0, le=100_000)]
Days = Annotated[int, Field(ge=0, le=365)]


class Break(NamedTuple):
    """The price, in minor units, of a parcel of up to so many grams."""

    up_to_grams: Grams
    price: Minor


class Lane(Value):
    """What it costs and how long it takes from any of the origins to any of the destinations.

    Transit is counted in working days after the day of hand-over. Breaks ascend; a heavier parcel never costs less.
    """

    origins: tuple[Country, ...] = Field(min_length=1)
    destinations: tuple[Country, ...] = Field(min_length=1)
    zone: Text
    transit_days_min: Days
    transit_days_max: Days
    breaks: tuple[Break, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _transit_is_a_window(self) -> Self:
        if self.transit_days_min > self.transit_days_max:
            raise ValueError("transit_days_min is after transit_days_max")
        return self

    @field_validator("breaks")
    @classmethod
    def _breaks_ascend(cls, breaks: tuple[Break, ...]) -> tuple[Break, ...]:
        for lower, upper in pairwise(breaks):
            if upper.up_to_grams <= lower.up_to_grams:
                raise ValueError(f"the breaks do not ascend at {upper.up_to_grams} g")
            if upper.price < lower.price:
                raise ValueError(f"up to {upper.up_to_grams} g costs less than up to {lower.up_to_grams} g")
        return breaks


class Largest(NamedTuple):
    """The largest parcel a service takes: grams with packaging, and millimetres where the carrier has such a limit."""

    grams: int
    length_mm: int | None = None
    length_plus_girth_mm: int | None = None

    def takes(self, unit: Piece) -> bool:
        """Whether such a unit can be moved: it cannot be cut."""
        return not self.refuses(unit)

    def refuses(self, unit: Piece) -> str:
        """Why such a unit cannot be moved, in words; empty where it can."""
        length, *others = sorted((unit.length_mm, unit.width_mm, unit.height_mm), reverse=True)
        if unit.size.weight_grams > self.grams:
            return f"{unit.size.weight_grams / 1000:g} kg with packaging, of at most {self.grams / 1000:g} kg"
        if self.length_mm is not None and length > self.length_mm:
            return f"{length / 1000:g} m long, of at most {self.length_mm / 1000:g} m"
        around = length + 2 * sum(others)
        if self.length_plus_girth_mm is not None and around > self.length_plus_girth_mm:
            return f"{around / 1000:g} m of length and girth, of at most {self.length_plus_girth_mm / 1000:g} m"
        return ""


class TariffService(Value):
    """One service of a carrier: the largest parcel it takes, and where it goes.

    No parcel weighs more than `max_parcel_grams`, packaging included; what goes in several is also charged by it.
    `max_length_mm` is of the longest side, `max_length_plus_girth_mm` of that and twice the other two; without them a
    parcel may have any size.
    """

    method: ShippingMethod
    max_parcel_grams: Grams
    max_length_mm: Millimetres | None = None
    max_length_plus_girth_mm: Millimetres | None = None
    lanes: tuple[Lane, ...] = Field(min_length=1)

    @property
    def largest(self) -> Largest:
        """The largest parcel it takes."""
        return Largest(self.max_parcel_grams, self.max_length_mm, self.max_length_plus_girth_mm)

    @field_validator("method")
    @classmethod
    def _method_needs_a_carrier(cls, method: ShippingMethod) -> ShippingMethod:
        if method is ShippingMethod.PICKUP:
            raise ValueError("no carrier moves what the customer collects")
        return method

    @model_validator(mode="after")
    def _every_parcel_has_a_price(self) -> Self:
        for lane in self.lanes:
            if lane.breaks[-1].up_to_grams < self.max_parcel_grams:
                raise ValueError(f"zone {lane.zone!r} has no price for a parcel of {self.max_parcel_grams} g")
        return self


@dataclass(frozen=True, slots=True)
class Rate:
    """A lane of one service, laid out for looking up."""

    zone: str
    transit_days_min: int
    transit_days_max: int
    max_parcel_grams: int
    limits: tuple[int, ...]
    prices: tuple[int, ...]
    max_length_mm: int | None = None
    max_length_plus_girth_mm: int | None = None

    @property
    def largest(self) -> Largest:
        """The largest parcel the service takes."""
        return Largest(self.max_parcel_grams, self.max_length_mm, self.max_length_plus_girth_mm)

    def charge(self, grams: int) -> tuple[int, int]:
        """How many parcels so much chargeable weight takes, and their price in minor units."""
        if grams <= self.max_parcel_grams:
            return 1, self._parcel_price(grams)
        full, rest = divmod(grams, self.max_parcel_grams)
        price = full * self._parcel_price(self.max_parcel_grams)
        return (full + 1, price + self._parcel_price(rest)) if rest else (full, price)

    def _parcel_price(self, grams: int) -> int:
        return self.prices[bisect_left(self.limits, grams)]


RateKey = tuple[ShippingMethod, str, str]
"""Method, origin country, destination country."""


class Tariff(Value):
    """A carrier's table rates, all in minor units of one currency; `divisor` in cm3 per kg of dimensional weight.

    The look-up table is built once and kept with the object: hold on to a tariff instead of reading it anew per order.
    """

    carrier: CarrierId
    name: Text
    currency: Currency
    divisor: int = Field(ge=1000, le=20_000)
    services: tuple[TariffService, ...] = Field(min_length=1)

    @cached_property
    def rates(self) -> dict[RateKey, Rate]:
        """Every rate by method, origin and destination. ValueError if a lane stands twice in a service."""
        found: dict[RateKey, Rate] = {}
        for service in self.services:
            for lane in service.lanes:
                rate = _laid_out(service, lane)
                for origin, destination in product(lane.origins, lane.destinations):
                    key = (service.method, origin, destination)
                    if key in found:
                        raise ValueError(f"{service.method} from {origin} to {destination} stands twice")
                    found[key] = rate
        return found

    def takes(self, method: ShippingMethod, unit: Piece) -> bool:
        """Whether the service moves such a unit, wherever it goes."""
        return any(service.method is method and service.largest.takes(unit) for service in self.services)

    @model_validator(mode="after")
    def _each_lane_stands_once(self) -> Self:
        _ = self.rates
        return self


def _laid_out(service: TariffService, lane: Lane) -> Rate:
    return Rate(
        zone=lane.zone,
        transit_days_min=lane.transit_days_min,
        transit_days_max=lane.transit_days_max,
        max_parcel_grams=service.max_parcel_grams,
        limits=tuple(step.up_to_grams for step in lane.breaks),
        prices=tuple(step.price for step in lane.breaks),
        max_length_mm=service.max_length_mm,
        max_length_plus_girth_mm=service.max_length_plus_girth_mm,
    )


@dataclass(frozen=True, slots=True)
class Quote:
    """What a carrier would charge for a shipment, in minor units of `currency`, and how long it would take.

    Transit is counted in working days after the day of hand-over.
    """

    carrier: str
    method: ShippingMethod
    zone: str
    parcels: int
    chargeable_grams: int
    price: int
    currency: str
    transit_days_min: int
    transit_days_max: int


def quote(
    tariff: Tariff, method: ShippingMethod, origin: Country, destination: Country, size: ParcelSize
) -> Quote | None:
    """The price of a shipment; None if the carrier does not offer the service between the two countries.

    What is heavier than the largest parcel goes as full parcels and one with the rest; the price is their sum.
    """
    rate = tariff.rates.get((method, origin, destination))
    if rate is None:
        return None
    grams = size.chargeable_grams(tariff.divisor)
    parcels, price = rate.charge(grams)
    return Quote(
        carrier=tariff.carrier,
        method=method,
        zone=rate.zone,
        parcels=parcels,
        chargeable_grams=grams,
        price=price,
        currency=tariff.currency,
        transit_days_min=rate.transit_days_min,
        transit_days_max=rate.transit_days_max,
    )
