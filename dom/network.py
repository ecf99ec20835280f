"""The network: nodes that hold stock and ship or hand out, and the SKUs that are stocked."""

from datetime import date, time
from enum import StrEnum
from functools import cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from opening_hours import OpeningHours
from pydantic import Field, field_validator, model_validator

from dom.shared.base import Country, Currency, GivenDay, Minor, NodeId, SkuId, Text, TimeOfDay, Value

_known_zones = cache(available_timezones)  # it walks the disk


AttributeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["brand"])]
"""The name of something that is known of a SKU."""


class NodeKind(StrEnum):
    """What sort of place a node is."""

    DISTRIBUTION_CENTRE = "distribution_centre"
    WAREHOUSE = "warehouse"
    STORE = "store"
    SUPPLIER = "supplier"


class ShippingMethod(StrEnum):
    """What the customer chose; a carrier's service of the same name fulfils it."""

    ECONOMY = "economy"
    STANDARD = "standard"
    EXPRESS = "express"
    PICKUP = "pickup"


class Handling(StrEnum):
    """What goods may need that not every node can do."""

    HAZMAT = "hazmat"
    COLD = "cold"
    OVERSIZE = "oversize"


class NodeAddress(Value):
    """Where a node stands."""

    lines: tuple[Text, ...] = Field(
        description="The address above the town, as it is written: street and house number, building.",
        min_length=1,
        max_length=4,
    )
    city: Text
    region: str = ""
    postal_code: str = ""
    country: Country


class HandlingCost(Value):
    """What a node's work costs, in minor units of the node's currency: per fulfilment and per unit."""

    fixed: Minor = 0
    per_unit: Minor = 0


class Node(Value):
    """A place that holds stock and can ship or hand out.

    `cut_off` is local to `time_zone`: orders accepted later leave on the next open day. `daily_capacity` counts
    fulfilment orders a day, `service_capacity` those of one service among them. `ships_to` lists countries; empty means
    everywhere. A lower `priority` is preferred. `handles` is what it can pack and send of what goods may need; what the
    customer collects goes over the counter.
    """

    id: NodeId
    name: Text
    kind: NodeKind
    address: NodeAddress
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    time_zone: str = Field(examples=["Europe/London"])
    opening_hours: str = Field(max_length=500, examples=["Mo-Fr 08:00-18:00; Sa 09:00-13:00"])
    cut_off: TimeOfDay
    daily_capacity: int = Field(ge=0, le=1_000_000)
    service_capacity: dict[ShippingMethod, Annotated[int, Field(ge=0, le=1_000_000)]] = Field(default={})
    handling_cost: HandlingCost = HandlingCost()
    currency: Currency = "GBP"
    priority: int = Field(default=100, ge=0, le=1000)
    services: tuple[ShippingMethod, ...] = (
        ShippingMethod.ECONOMY,
        ShippingMethod.STANDARD,
        ShippingMethod.EXPRESS,
    )
    ships_to: tuple[Country, ...] = ()
    pickup: bool = False
    handles: tuple[Handling, ...] = tuple(Handling)
    active: bool = True

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        if name not in _known_zones():
            raise ValueError(f"{name} is not an IANA time zone")
        return name

    @field_validator("opening_hours")
    @classmethod
    def _hours_can_be_read(cls, text: str) -> str:
        try:
            OpeningHours(text)
        except Exception as error:  # the parser's own error class is not exported
            raise ValueError(f"not in OpenStreetMap opening_hours syntax: {error}") from error
        return text

    @field_validator("cut_off")
    @classmethod
    def _cut_off_is_local(cls, at: time) -> time:
        if at.tzinfo is not None:
            raise ValueError("the cut-off is in the node's own zone; give it without an offset")
        return at

    @property
    def zone(self) -> ZoneInfo:
        """The node's time zone."""
        return ZoneInfo(self.time_zone)


class SubstitutePrice(StrEnum):
    """What the customer pays for a substitute."""

    KEEP = "keep"
    """What the units would have cost that it stands for."""
    LOWER = "lower"
    """That, or the substitute's list price if it is less."""
    DIFFERENCE = "difference"
    """The substitute's list price."""


class Substitute(Value):
    """A SKU that may be sent in place of another: so many of its `units` for one, at a price by this rule."""

    sku: SkuId
    units: int = Field(default=1, ge=1, le=1000)
    price: SubstitutePrice = Field(
        default=SubstitutePrice.KEEP,
        description="What the customer pays: `keep`, what the units would have cost; `lower`, that, or the list price "
        "if it is less; `difference`, the list price.",
    )


class Sku(Value):
    """A stock keeping unit. Weight in grams, sides in millimetres.

    Before `release_on` (a day of the sending node's calendar) it can be ordered and is not sent: a preorder. The limits
    are the most units that orders may wait for at once, before that day and from it on; none means no limit.
    `substitutes` are approved to be sent in its place, the preferred one first.
    """

    id: SkuId
    description: str = Field(default="", max_length=500)
    weight_grams: int = Field(gt=0, le=10_000_000)
    length_mm: int = Field(gt=0, le=100_000)
    width_mm: int = Field(gt=0, le=100_000)
    height_mm: int = Field(gt=0, le=100_000)
    hazmat: bool = False
    cold: bool = False
    oversize: bool = False
    list_price: Minor = 0
    currency: Currency = "GBP"
    attributes: dict[AttributeName, Annotated[str, Field(max_length=100)]] = Field(
        default={}, max_length=50, description="what the policy may ask for: brand, season, set ..."
    )
    release_on: GivenDay | None = None
    preorder_limit: int | None = Field(default=None, ge=0, le=100_000_000)
    backorder_limit: int | None = Field(default=None, ge=0, le=100_000_000)
    substitutes: tuple[Substitute, ...] = Field(
        default=(), max_length=20, description="Approved to be sent in its place, the preferred one first."
    )

    @model_validator(mode="after")
    def _substitutes_are_others(self) -> Self:
        named = [each.sku for each in self.substitutes]
        if self.id in named:
            raise ValueError("a SKU is no substitute of its own")
        if len(set(named)) < len(named):
            raise ValueError("a substitute stands twice")
        return self

    @property
    def handling(self) -> frozenset[Handling]:
        """What the goods need of a node."""
        return frozenset(need for need in Handling if getattr(self, need))

    def wait_limit(self, day: date) -> int | None:
        """The most units that may wait on a day; None for no limit."""
        return self.preorder_limit if self.release_on is not None and day < self.release_on else self.backorder_limit

    @property
    def volume_mm3(self) -> int:
        """Volume of one unit in cubic millimetres."""
        return self.length_mm * self.width_mm * self.height_mm
