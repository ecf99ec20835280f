"""Lists of what the network and the day's work consist of."""

from typing import Literal

from pydantic import BaseModel, Field

from api.models.common import Page
from dom.network import Node, ShippingMethod, Sku
from dom.notifications.messages import MessageKind
from dom.shared.base import Utc
from store.enums import ExceptionStatus, MessageStatus, ShipmentStatus

Medium = Literal["mail", "webhook"]


class NodeList(Page):
    """A page of nodes by code."""

    items: list[Node]


class SkuList(Page):
    """A page of SKUs by code."""

    items: list[Sku]


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


class ShipmentSummary(BaseModel):
    """A booking with a carrier."""

    id: str = Field(description="The booking's id; a fulfilment that is booked again gets another.")
    carrier: str
    method: ShippingMethod
    tracking_number: str
    status: ShipmentStatus = Field(
        description="What the carrier last said of the shipment; `voided`: its label may not be used any more."
    )
    parcels: int = Field(description="How many parcels the shipment has; each carries the same tracking number.")
    weight_grams: int = Field(description="What the parcels weigh together, in grams.")
    price: int = Field(description="What the carrier charges, in minor units of `currency`.")
    currency: str
    booked_at: Utc
    ended_at: Utc | None = Field(description="When it was voided, delivered, lost or returned, in UTC; null before.")
    fulfilments: list[str] = Field(description="Ids of the fulfilments in it.")
    orders: list[str] = Field(description="Ids of the orders these belong to.")


class ShipmentList(Page):
    """A page of shipments, the newest booking first."""

    items: list[ShipmentSummary]


class MessageSummary(BaseModel):
    """A message that was or is to be sent; whom it goes to stands with its order."""

    id: int = Field(description="Counts up with every message written.")
    order_id: str
    occasion: str
    kind: MessageKind
    medium: Medium
    status: MessageStatus
    created_at: Utc
    sent_at: Utc | None


class MessageList(Page):
    """A page of messages, newest first."""

    items: list[MessageSummary]


class ExceptionSummary(BaseModel):
    """What a person must look at, or has looked at."""

    id: int = Field(description="Counts up with every exception opened.")
    order_id: str | None = Field(description="Null where it is about a node's or a feed's trouble, not an order's.")
    kind: str = Field(description="What kind of trouble it is; decide by it.")
    detail: str = Field(description="What went wrong and for which goods, in a sentence.")
    status: ExceptionStatus = Field(description="Whether somebody still has to look at it.")
    owner: str | None = Field(description="Who looks after it; null while nobody does.")
    opened_at: Utc
    closed_at: Utc | None = Field(
        description="When somebody closed it, or what it was about was over, in UTC; null while it is open."
    )


class ExceptionList(Page):
    """A page of exceptions, newest first."""

    items: list[ExceptionSummary]
