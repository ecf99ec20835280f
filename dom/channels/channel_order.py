"""An order as its channel states it: the form that every channel's orders are brought into before anything is decided.

Amounts are minor units of `currency`, the shop's own; with or without tax as `tax_included` says. Of a line five counts
are told apart: what was `ordered` first, what is `current` of it after edits, and of that what the channel knows to be
cancelled, shipped and refunded. Nothing of this is our own state: what we do about it is decided against our order.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from dom.network import ShippingMethod
from dom.orders.order import MAX_LINES, ExternalId, PaymentMethod, Tags
from dom.shared.base import Country, GivenTime, LineId, Minor, NodeId, SkuId, Text, Value
from dom.shared.money import KnownCurrency

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Free = Annotated[str, Field(max_length=2_000)]


class ChannelState(StrEnum):
    """Where an order stands in its channel, as far as it matters to whether goods are to be sent."""

    OPEN = "open"
    PENDING = "pending"
    """It is not paid yet, or not complete: nothing is to be done, and more will come."""
    DRAFT = "draft"
    """Nobody has ordered yet."""
    CANCELLED = "cancelled"


class ChannelLine(Value):
    """A line of the channel's order. `unit_price` is before `discount`, which is of the whole line, as is `tax`."""

    line_id: LineId
    sku: SkuId
    name: Free = Field(default="", description="What the channel calls the article.")
    ordered: Count = Field(description="Units that were ordered first.")
    current: Count = Field(description="Units that are left of it after edits.")
    cancelled: Count = Field(default=0, description="Of these, units that the channel knows to be cancelled.")
    shipped: Count = Field(default=0, description="Of these, units that the channel knows to be sent.")
    refunded: Count = Field(default=0, description="Of these, units that the channel has paid back.")
    unit_price: Minor = Field(description="What one unit costs, in minor units.")
    discount: Minor = Field(default=0, description="What is taken off the whole line, in minor units.")
    tax: Minor = Field(default=0, description="The tax of the whole line, in minor units.")
    ships: bool = Field(default=True, description="False for what is not sent: gift cards, downloads.")

    @property
    def wanted(self) -> int:
        """Units that are to be sent, or were."""
        return max(self.current - self.cancelled, 0)

    @property
    def unsent(self) -> int:
        """Units that are to be sent, and of which the channel does not know that they were."""
        return max(self.wanted - self.shipped, 0)

    @property
    def worth(self) -> int:
        """What the line costs now."""
        return self.current * self.unit_price - self.discount


class Tender(Value):
    """One of the payments of an order: an order may have a card's and a gift card's."""

    method: PaymentMethod = Field(description="How it was paid.")
    amount: Minor
    reference: Annotated[str, Field(max_length=64)] = ""


class ChannelCustomer(Value):
    """Who bought, as the channel knows him."""

    id: Annotated[str, Field(max_length=64)] = ""
    name: Text
    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=64)] = ""
    customer_class: Annotated[str, Field(max_length=40)] = ""


class ChannelAddress(Value):
    """Where the goods go, as the channel has it."""

    name: Text
    company: Free = Field(default="", description="The firm, where one is named.")
    lines: tuple[Text, ...] = Field(min_length=1, max_length=6)
    city: Annotated[str, Field(max_length=200)] = ""
    region: Annotated[str, Field(max_length=200)] = ""
    postal_code: Annotated[str, Field(max_length=20)] = ""
    country: Country


class ChannelOrder(Value):
    """An order as its channel states it. `version` rises with every state of it that the channel tells: the time of its
    last change, or a number. `total` is what the customer pays by the channel's own words.
    """

    number: ExternalId = Field(description="The channel's own number of the order.")
    channel_id: Annotated[str, Field(max_length=200)] = Field(default="", description="The channel's id beside it.")
    version: Annotated[str, Field(max_length=64)] = Field(default="", description="Rises with each state of the order.")
    state: ChannelState = Field(default=ChannelState.OPEN, description="Where the order stands in its channel.")
    test: bool = Field(default=False, description="Whether nobody means it.")
    placed_at: GivenTime
    currency: KnownCurrency
    tax_included: bool = Field(default=True, description="Whether prices have the tax in them.")
    customer: ChannelCustomer
    ship_to: ChannelAddress
    lines: tuple[ChannelLine, ...] = Field(min_length=1, max_length=MAX_LINES)
    shipping: Minor = Field(default=0, description="What sending costs the customer, in minor units.")
    shipping_tax: Minor = Field(default=0, description="The tax of it, in minor units.")
    discount: Minor = Field(default=0, description="What is taken off the whole order, in minor units.")
    total: Minor | None = Field(default=None, description="What the customer pays by the channel's words.")
    presentment_currency: KnownCurrency | None = Field(default=None, description="In what he saw prices.")
    presentment_total: Minor | None = Field(default=None, description="The total in that, in its minor units.")
    tenders: tuple[Tender, ...] = Field(default=(), description="What it was paid with.")
    shipping_method: ShippingMethod = ShippingMethod.STANDARD
    pickup_node: NodeId | None = None
    requested_by: GivenTime | None = None
    ship_complete: bool = False
    allow_substitutes: bool = Field(default=False, description="Whether the customer takes approved substitutes.")
    tags: Tags = ()
    note: Free = Field(default="", description="What the customer wrote to the shop.")
    gift_message: Free = Field(default="", description="What is to be written to who gets it.")
    rounded: dict[str, str] = Field(
        default={}, description="What was rounded off amounts of the message, in minor units, by field."
    )

    @property
    def digest(self) -> str:
        """Tells this state of the order from others."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]

    @property
    def reckoned(self) -> int:
        """What lines, shipping, discounts and (where prices have none) taxes come to."""
        goods = sum([line.worth for line in self.lines])
        taxes = 0 if self.tax_included else sum([line.tax for line in self.lines]) + self.shipping_tax
        return goods + self.shipping + taxes - self.discount

    @property
    def residue(self) -> int:
        """Minor units by which the channel's own total differs from the sum of its parts: what rounding left over."""
        return 0 if self.total is None else self.total - self.reckoned


FieldType = Literal["text", "count", "amount", "time", "flag", "list"]

TYPES: Final[dict[str, FieldType]] = {
    "number": "text",
    "channel_id": "text",
    "version": "text",
    "state": "text",
    "test": "flag",
    "placed_at": "time",
    "currency": "text",
    "tax_included": "flag",
    "customer.id": "text",
    "customer.name": "text",
    "customer.email": "text",
    "customer.phone": "text",
    "customer.customer_class": "text",
    "ship_to.name": "text",
    "ship_to.company": "text",
    "ship_to.lines": "list",
    "ship_to.city": "text",
    "ship_to.region": "text",
    "ship_to.postal_code": "text",
    "ship_to.country": "text",
    "shipping": "amount",
    "shipping_tax": "amount",
    "discount": "amount",
    "total": "amount",
    "presentment_currency": "text",
    "presentment_total": "amount",
    "shipping_method": "text",
    "pickup_node": "text",
    "requested_by": "time",
    "ship_complete": "flag",
    "allow_substitutes": "flag",
    "tags": "list",
    "note": "text",
    "gift_message": "text",
}
"""What a mapping can fill of an order, and of what type each is; of lines and tenders see below."""
LINE_TYPES: Final[dict[str, FieldType]] = {
    "line_id": "text",
    "sku": "text",
    "name": "text",
    "ordered": "count",
    "current": "count",
    "cancelled": "count",
    "shipped": "count",
    "refunded": "count",
    "unit_price": "amount",
    "discount": "amount",
    "tax": "amount",
    "ships": "flag",
}
TENDER_TYPES: Final[dict[str, FieldType]] = {"method": "text", "amount": "amount", "reference": "text"}
NEEDED: Final = ("number", "placed_at", "currency", "customer.name", "ship_to.name", "ship_to.lines", "ship_to.country")
"""What an order cannot do without."""
NEEDED_OF_A_LINE: Final = ("sku", "ordered", "unit_price")
