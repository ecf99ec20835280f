"""An order as it was captured, and the promise its customer got. `dom.orders.intake` is where it is checked."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from dom.network import ShippingMethod
from dom.shared import ids
from dom.shared.base import ChannelId, Country, Currency, LineId, Minor, NodeId, Quantity, SkuId, Text, Utc, Value

ExternalId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\S(.*\S)?$", examples=["536365"])]
Tags = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(max_length=20)]
CustomerClass = Annotated[str, Field(max_length=40, examples=["vip"])]
"""What the channel calls customers of one kind; the OFL policy may ask for it."""
Priority = Annotated[int, Field(ge=0, le=1000, examples=[10])]
"""A place among orders that wait for stock; a lower one is served first."""
MAX_LINES = 1000
CAME_LATER = frozenset({"ship_complete", "priority", "allow_substitutes"})
"""Fields that orders captured by an earlier release do not have."""
NOT_CONTENT = frozenset({"reservation_id"})
"""Fields that say how an order gets its units, not what was bought: the cart may be another when it is sent again."""
REPLAY_TAG = "replay"
"""Marks an order of the past that is sent again: where replaying is on, it is planned as of when it was placed."""


class Customer(Value):
    """Who bought; the id is the channel's own."""

    id: Annotated[str, Field(min_length=1, max_length=64, examples=["C17850"])]
    name: Text
    email: Annotated[str, Field(max_length=254, examples=["ada@customer.example"])]
    phone: Annotated[str, Field(max_length=32, examples=["+447700900123"])] = ""
    customer_class: CustomerClass = ""


class ShipTo(Value):
    """Where the goods go."""

    name: Text
    lines: tuple[Text, ...] = Field(
        description="The address above the town, as it is written: street and house number, building.",
        min_length=1,
        max_length=4,
        examples=[["12 Mill Lane"]],
    )
    city: Annotated[str, Field(max_length=200, examples=["Leeds"])] = ""
    region: Annotated[str, Field(max_length=200)] = ""
    postal_code: Annotated[str, Field(max_length=20, examples=["LS1 4AP"])] = ""
    country: Country


class OrderLine(Value):
    """One SKU and how many units of it; `unit_price` in minor units of the order's currency."""

    line_id: LineId
    sku: SkuId
    quantity: Quantity
    unit_price: Minor


class PaymentMethod(StrEnum):
    """How the channel says the order was paid."""

    CARD = "card"
    INVOICE = "invoice"
    CASH = "cash"
    WALLET = "wallet"
    PREPAID = "prepaid"


class Payment(Value):
    """What the channel says of the payment; recorded, not taken."""

    method: PaymentMethod
    amount: Minor
    reference: Annotated[str, Field(max_length=64)] = ""


class Order(Value):
    """What a customer bought over a channel. All money in minor units of `currency`."""

    channel: ChannelId
    external_id: ExternalId
    placed_at: Utc
    currency: Currency
    customer: Customer
    ship_to: ShipTo
    lines: tuple[OrderLine, ...] = Field(min_length=1, max_length=MAX_LINES)
    shipping_method: ShippingMethod = ShippingMethod.STANDARD
    pickup_node: NodeId | None = None
    requested_by: Utc | None = None
    payment: Payment | None = None
    tags: Tags = ()
    ship_complete: bool = Field(
        default=False, description="everything is sourced at once, or the whole order waits until it can be"
    )
    allow_substitutes: bool = Field(
        default=False, description="the customer takes approved substitutes of what is short, as their price rule says"
    )
    priority: Priority | None = Field(
        default=None, description="place among waiting orders, lower first; none: the channel's"
    )
    reservation_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="the soft reservation that holds the order's units; one that lapsed does no harm"
    )

    @property
    def order_id(self) -> str:
        """The order's id, from channel and external id."""
        return ids.order_id(self.channel, self.external_id)

    @property
    def total(self) -> int:
        """Value of the goods in minor units."""
        return sum(line.quantity * line.unit_price for line in self.lines)

    def content_hash(self) -> str:
        """Tells whether two messages say the same: SHA-256 over the normalised content.

        A field that came later counts only where it says something: orders captured before keep their hash.
        """
        fields = type(self).model_fields
        left_out: dict[str, Any] = {
            name: True for name in CAME_LATER if getattr(self, name) == fields[name].default
        } | dict.fromkeys(NOT_CONTENT, True)
        if not self.customer.customer_class:
            left_out["customer"] = {"customer_class"}
        return hashlib.sha256(self.model_dump_json(exclude=left_out).encode()).hexdigest()


class Correction(Value):
    """A harmless oddity of an order as it came, and what was kept in its place; both empty where nothing is."""

    field: str = Field(description="JSON path into the order as it was sent")
    sent: str
    kept: str


class Promise(Value):
    """The delivery window given to the customer; for pick-up, when the goods can be collected."""

    earliest: datetime
    latest: datetime
