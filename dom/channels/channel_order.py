"""An order as its channel states it: the form that every channel's orders are brought into before anything is decided.

Amounts are minor units of `currency`, the shop's own; with or without tax as `tax_included` says. Of a line five counts
are told apart: what was `ordered` first, what is `current` of it after edits, and of that what the channel knows to be
cancelled, shipped and refunded. Nothing of this is our own state: what we do about it is decided against our order.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from dom.network import ShippingMethod
from dom.orders.order import MAX_LINES, ExternalId, PaymentMethod, Tags
from dom.shared.base import Country, GivenTime, LineId, Minor, NodeId, SkuId, Text, Value
from dom.shared.money import KnownCurrency

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Signed = Annotated[int, Field(ge=-(10**12), le=10**12)]
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
    name: Free = ""
    ordered: Count
    current: Count
    cancelled: Count = 0
    shipped: Count = 0
    refunded: Count = 0
    unit_price: Minor
    discount: Minor = 0
    tax: Minor = 0
    ships: bool = True

    @property
    def wanted(self) -> int:
        """Units that are to be sent, or were."""
        return max(self.current - self.cancelled, 0)

    @property
    def worth(self) -> int:
        """What the line costs now."""
        return self.current * self.unit_price - self.discount


class Tender(Value):
    """One of the payments of an order: an order may have a card's and a gift card's."""

    method: PaymentMethod
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
    company: Free = ""
    lines: tuple[Text, ...] = Field(min_length=1, max_length=6)
    city: Annotated[str, Field(max_length=200)] = ""
    region: Annotated[str, Field(max_length=200)] = ""
    postal_code: Annotated[str, Field(max_length=20)] = ""
    country: Country


class ChannelOrder(Value):
    """An order as its channel states it. `version` rises with every state of it that the channel tells: the time of its
    last change, or a number. `total` is what the customer pays by the channel's own words.
    """

    number: ExternalId
    channel_id: Annotated[str, Field(max_length=200)] = ""
    version: Annotated[str, Field(max_length=64)] = ""
    state: ChannelState = ChannelState.OPEN
    test: bool = False
    placed_at: GivenTime
    currency: KnownCurrency
    tax_included: bool = True
    customer: ChannelCustomer
    ship_to: ChannelAddress
    lines: tuple[ChannelLine, ...] = Field(min_length=1, max_length=MAX_LINES)
    shipping: Minor = 0
    shipping_tax: Minor = 0
    discount: Minor = 0
    total: Minor | None = None
    presentment_currency: KnownCurrency | None = None
    presentment_total: Minor | None = None
    tenders: tuple[Tender, ...] = ()
    shipping_method: ShippingMethod = ShippingMethod.STANDARD
    pickup_node: NodeId | None = None
    requested_by: GivenTime | None = None
    ship_complete: bool = False
    allow_substitutes: bool = False
    tags: Tags = ()
    note: Free = ""
    gift_message: Free = ""

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


FieldType = Literal["text", "count", "amount", "time", "flag", "country", "currency", "choice", "list"]

TYPES: Final[dict[str, FieldType]] = {
    "number": "text",
    "channel_id": "text",
    "version": "text",
    "state": "choice",
    "test": "flag",
    "placed_at": "time",
    "currency": "currency",
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
    "ship_to.country": "country",
    "shipping": "amount",
    "shipping_tax": "amount",
    "discount": "amount",
    "total": "amount",
    "presentment_currency": "currency",
    "presentment_total": "amount",
    "shipping_method": "choice",
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
TENDER_TYPES: Final[dict[str, FieldType]] = {"method": "choice", "amount": "amount", "reference": "text"}
NEEDED: Final = ("number", "placed_at", "currency", "customer.name", "ship_to.name", "ship_to.lines", "ship_to.country")
"""What an order cannot do without."""
NEEDED_OF_A_LINE: Final = ("sku", "ordered", "unit_price")
