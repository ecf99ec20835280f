"""Carriers' events, carriers and shipments."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.http.items import Items
from api.http.models import ItemProblem, Page
from dom.network import ShippingMethod
from dom.orders.asked import CancellationStatus
from dom.orders.status import CarrierEventKind
from dom.shared.base import GivenTime, Key, Utc, Value
from store.enums import ShipmentStatus


class CarrierService(BaseModel):
    """A service of a carrier, and the countries it connects."""

    method: ShippingMethod
    max_parcel_grams: int = Field(description="The heaviest parcel it takes, in grams of chargeable weight.")
    origins: list[str] = Field(description="Countries it collects in, ISO 3166-1 alpha-2.")
    destinations: list[str] = Field(description="Countries it delivers to, ISO 3166-1 alpha-2.")


class CarrierSummary(BaseModel):
    """A carrier by whose table rates shipments are booked."""

    carrier: str
    name: str
    currency: str = Field(description="Currency of its rates, ISO 4217.")
    services: list[CarrierService]
    updated_at: Utc = Field(description="When its rates were last put in.")


class CarrierList(Page):
    """A page of carriers by code."""

    items: list[CarrierSummary]


class ShipmentHead(BaseModel):
    """A booking with a carrier, and what became of it."""

    id: str = Field(description="The booking's id; a fulfilment that is booked again gets another.")
    carrier: str
    method: ShippingMethod
    tracking_number: str
    status: ShipmentStatus = Field(
        description="What the carrier last said of the shipment; `voided`: its label may not be used any more."
    )
    parcels: int = Field(description="How many parcels the shipment has; each carries the same tracking number.")
    weight_grams: int = Field(description="What the parcels weigh together, in grams.")
    price: int | None = Field(
        description="What the carrier charges, in minor units of `currency`; null for callers who are no carrier and "
        "have no scope `sourcing:read`."
    )
    currency: str
    booked_at: Utc
    ended_at: Utc | None = Field(description="When it was voided, delivered, lost or returned, in UTC; null before.")


class ShipmentSummary(ShipmentHead):
    """A booking with a carrier, in a list."""

    fulfilments: list[str] = Field(description="Ids of the fulfilments in it.")
    orders: list[str] = Field(description="Ids of the orders these belong to.")
    intercept: CancellationStatus | None = Field(
        description="Whether the carrier is asked to bring it back (`asked`), or how that ended; null if it was not."
    )


class ShipmentList(Page):
    """A page of shipments, the newest booking first."""

    items: list[ShipmentSummary]


class CarrierEvent(Value):
    """A scan of a shipment; `event_id` is the carrier's own and makes it count once."""

    event_id: Key
    tracking_number: Annotated[Key, Field(max_length=64)]
    kind: CarrierEventKind
    occurred_at: GivenTime
    place: Annotated[str, Field(max_length=200)] = ""


class CarrierEvents(Value):
    """Scans of one carrier."""

    events: Items[CarrierEvent]


class CarrierEventResult(BaseModel):
    """What became of one scan."""

    index: int
    event_id: str = Field(description="As it was sent; empty if it could not be read.")
    status: Literal["recorded", "repeated", "refused"]
    problem: ItemProblem | None = None


class CarrierEventResults(BaseModel):
    """What became of the scans, in the sequence they were sent."""

    results: list[CarrierEventResult]
