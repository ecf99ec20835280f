"""Units held for a cart or a checkout, as the API takes and shows them."""

from typing import Annotated, Self

from fastapi import Path
from pydantic import BaseModel, Field, model_validator

from api.availability.models import MAX_LINES, Destination
from api.http.models import Window
from dom.network import ShippingMethod
from dom.orders.order import CustomerClass, Tags
from dom.shared.base import ChannelId, Minor, NodeId, Quantity, SkuId, Utc, Value
from dom.shared.money import KnownCurrency
from store.enums import SoftStatus

MAX_SECONDS = 24 * 60 * 60

ReservationId = Annotated[
    str, Path(max_length=200, description="The reservation's id.", examples=["web-SJ5XK3QWZ7R2M4YTA"])
]
Owner = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.:@~+-]+$", examples=["cart-8812"])]
Seconds = Annotated[int, Field(ge=1, le=MAX_SECONDS, description="How long the units are held.")]


class ReservationLine(Value):
    """Units of one SKU; `node_id` where the caller has chosen the node, such as a till its own."""

    sku: SkuId
    quantity: Quantity
    node_id: NodeId | None = None
    unit_price: Minor | None = Field(default=None, description="Minor units of `currency`; absent: the list price.")


class ReservationRequest(Value):
    """What is to be held for an owner, and where it is to go: `ship_to`, or the node where the customer collects.

    OFL chooses the nodes, unless every line names its own: then nothing is planned or promised, and no place is needed.
    """

    channel: ChannelId
    owner: Owner
    reason: str = Field(default="", max_length=200, description="As it was given; empty: nobody gave one.")
    seconds: Seconds = 900
    ship_to: Destination | None = None
    pickup_node: NodeId | None = None
    shipping_method: ShippingMethod | None = Field(
        default=None, description="Absent: standard, or pick-up where a node for it is named."
    )
    lines: tuple[ReservationLine, ...] = Field(min_length=1, max_length=MAX_LINES)
    currency: KnownCurrency = "GBP"
    tags: Tags = ()
    customer_class: CustomerClass = ""

    @model_validator(mode="after")
    def _names_all_nodes_or_a_place(self) -> Self:
        named = sum(line.node_id is not None for line in self.lines)
        if 0 < named < len(self.lines):
            raise ValueError("name the node of every line, or of none")
        if self.ship_to is not None and self.pickup_node is not None:
            raise ValueError("give either ship_to or pickup_node")
        if not named and self.ship_to is None and self.pickup_node is None:
            raise ValueError("give ship_to or pickup_node, or the node of every line")
        if self.pickup_node is not None and named and any(line.node_id != self.pickup_node for line in self.lines):
            raise ValueError("what is collected at pickup_node is held there")
        return self

    @model_validator(mode="after")
    def _pickup_names_its_node(self) -> Self:
        if self.shipping_method is not None and (self.shipping_method is ShippingMethod.PICKUP) != (
            self.pickup_node is not None
        ):
            raise ValueError("shipping_method 'pickup' and pickup_node go together")
        return self

    @property
    def method(self) -> ShippingMethod:
        """The method to plan by."""
        return self.shipping_method or (ShippingMethod.PICKUP if self.pickup_node else ShippingMethod.STANDARD)


class Extension(Value):
    """For how long from now the units are to be held."""

    seconds: Seconds = 900


class HeldUnits(BaseModel):
    """Units of a SKU at a node."""

    node_id: str
    sku: str
    quantity: int


class UnfilledUnits(BaseModel):
    """Units of a line that an order of the reservation would not get now."""

    index: int = Field(description="The line's position in the request, from 0.")
    sku: str
    quantity: int
    cannot_be_sourced: bool = Field(
        default=False,
        description="True where no node may ever give them to this place by this method, whatever it holds. Absent "
        "otherwise.",
    )


class ReservationLinks(BaseModel):
    """Where the reservation stands, and the order it became."""

    self: str
    order: str | None


class Reservation(BaseModel):
    """A soft reservation. Only an `active` one holds its units; it is `expired` from `expires_at` on."""

    reservation_id: str
    channel: str
    owner: str
    reason: str
    status: SoftStatus
    expires_at: Utc
    created_at: Utc
    units: list[HeldUnits] = Field(description="What is, or was, held.")
    promise: Window | None = Field(
        description="When the goods arrive if they are ordered now as they were asked for, by the nodes as they are "
        "now; null where the caller named the nodes, and where nothing would be sent. Of one that ended: as promised "
        "when it was made."
    )
    unfilled: list[UnfilledUnits] = Field(
        description="What an order of it would not get now, because the nodes that hold it do not send or hand it out "
        "any more and no others have it. Empty in the usual case."
    )
    links: ReservationLinks
