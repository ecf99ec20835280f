"""What can be promised: of SKUs, and of a whole basket."""

from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from api.http.models import Window
from dom.channels.channel import Level
from dom.network import ShippingMethod
from dom.orders.order import CustomerClass, Tags
from dom.orders.tidying import meant
from dom.shared import postal
from dom.shared.base import ChannelId, Country, GivenDay, GivenTime, LineId, Minor, NodeId, Quantity, SkuId, Utc, Value
from dom.shared.money import KnownCurrency
from dom.shared.texts import visible

MAX_SKUS = 1000
MAX_SKUS_BY_NODE = 200
MAX_SKUS_PLANNED = 50
"""SKUs for which it is planned when they would arrive: each takes some milliseconds."""
MAX_LINES = 200

PostalCode = Annotated[str, Field(max_length=20, examples=["LS1 4AP"])]


class Detail(StrEnum):
    """Whether each SKU comes with its balances by node, or as a sum."""

    NODE = "node"
    SKU = "sku"


class Destination(Value):
    """Where the goods go; without a postal code distance plays no part, without a region nothing that asks for one.

    It is corrected and checked as the address of an order is, so that both get the same answer.
    """

    country: Country
    postal_code: PostalCode = ""
    region: Annotated[str, Field(max_length=200, description="As an order of the same place would write it.")] = ""

    @field_validator("country")
    @classmethod
    def _country_is_known(cls, country: str) -> str:
        if not postal.is_country(country):
            raise ValueError(f"no country has the code {country}")
        return country

    @field_validator("postal_code", mode="before")
    @classmethod
    def _code_is_of_its_country(cls, code: object, info: ValidationInfo) -> object:
        country = info.data.get("country")
        if not isinstance(code, str) or country is None:
            return code
        try:
            return postal.written(country, meant(visible(code)))
        except ValueError as error:
            raise ValueError(f"not an address of {country}: {error}") from error

    @field_validator("region", mode="before")
    @classmethod
    def _region_is_meant(cls, region: object) -> object:
        return meant(visible(region)) if isinstance(region, str) else region


class AvailabilityQuery(Value):
    """What is asked of up to 1,000 SKUs. Without a `detail` up to 200 SKUs come by node, and more as sums.

    Where goods are to go is `ship_to`, or the `pickup_node` where the customer collects them: then only what may be
    sent or handed out there is available.
    """

    skus: tuple[SkuId, ...] = Field(min_length=1, max_length=MAX_SKUS)
    channel: ChannelId | None = None
    node: NodeId | None = None
    ship_to: Destination | None = None
    pickup_node: NodeId | None = None
    day: GivenDay | None = None
    detail: Detail | None = None

    @model_validator(mode="after")
    def _goes_to_one_place(self) -> Self:
        if self.pickup_node is not None and self.ship_to is not None:
            raise ValueError("give either ship_to or pickup_node")
        return self


class NodeAvailability(BaseModel):
    """A SKU at one node. `on_hand` are the sellable units, reserved ones among them."""

    node_id: str
    on_hand: int = Field(description="Sellable units in the node, reserved ones among them.")
    reserved: int = Field(description="Firm: taken for orders, not handed over yet.")
    safety_stock: int = Field(description="Units that are never taken.")
    available: int = Field(
        description="What may be promised now, to the channel if one was named; 0 where the node may not give it "
        "to the place that was named."
    )
    reserved_soft: int = Field(description="Held for carts and waiting orders, until it expires.")
    damaged: int = Field(description="Units in the node that are broken and not sold.")
    quarantine: int = Field(description="Units in the node set aside until somebody decides about them; not sold.")
    promise_safety: int = Field(description="Units that are never promised, whatever `safety_stock` is.")


class LaterAvailability(BaseModel):
    """From this day on so many units can be promised in all."""

    date: date
    quantity: int = Field(description="Units that can be promised from that day on, those of today among them.")


class SkuAvailability(BaseModel):
    """A SKU at every active node, and in all."""

    sku: str
    available: int = Field(
        description="What may be promised now: on hand less reserved, safety and the channel's part. Where a place is "
        "given, of the nodes that may send it there."
    )
    nodes: list[NodeAvailability] = Field(description="Empty where `detail` is `sku`.")
    level: Level = Field(description="What so many units are called in the channel.")
    later: list[LaterAvailability] = Field(
        description="Days on which more can be promised: inbound goods as far as they are counted on, less what "
        "waiting orders claim."
    )
    on_day: int | None = Field(default=None, description="What can be promised for the `day` asked for.")
    earliest: dict[ShippingMethod, Window] | None = Field(
        default=None,
        description="Where a place is given: what an order of one unit would be promised now, by method, by the plan "
        "that would be made for it; empty if none is available. Absent where more than "
        f"{MAX_SKUS_PLANNED} SKUs are asked for: ask for fewer.",
    )
    cannot_be_sourced: bool = Field(
        default=False,
        description="True where a place is given and no node may ever send or hand it out there, whatever it holds: "
        "no lack of stock, and no stock changes it. Absent otherwise.",
    )
    reason: str | None = Field(default=None, description="Why it cannot be sourced, in a sentence. Absent otherwise.")
    release_on: date | None = Field(
        default=None, description="It can be ordered before that day and is sent from it on."
    )
    waiting: int = Field(description="Units that orders wait for.")
    wait_limit: int | None = Field(
        default=None,
        description="How many units may wait: the preorder limit before the release, then the backorder limit.",
    )
    may_wait: int | None = Field(default=None, description="How many more units may wait; null for any number.")


class Availability(BaseModel):
    """What can be promised now and later."""

    items: list[SkuAvailability]


class BasketLine(Value):
    """Units of one SKU somebody wants; the line is numbered by its position unless it has an id."""

    line_id: LineId | None = None
    sku: SkuId
    quantity: Quantity
    unit_price: Minor | None = Field(default=None, description="Minor units of `currency`; absent: the list price.")


class PromiseRequest(Value):
    """A basket, and where it is to go: `ship_to`, or the node where the customer collects.

    Every method is planned by itself; none named means all by which goods travel, or pick-up where a node is named.
    Units of the reservation count as free. Lines of one SKU share its stock.
    """

    channel: ChannelId
    ship_to: Destination | None = None
    pickup_node: NodeId | None = None
    shipping_methods: tuple[ShippingMethod, ...] = ()
    lines: tuple[BasketLine, ...] = Field(min_length=1, max_length=MAX_LINES)
    requested_by: GivenTime | None = None
    currency: KnownCurrency = "GBP"
    reservation_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    tags: Tags = ()
    customer_class: CustomerClass = ""
    ship_complete: bool = False

    @model_validator(mode="after")
    def _pickup_names_its_node(self) -> Self:
        if (self.pickup_node is None) == (self.ship_to is None):
            raise ValueError("give either ship_to or pickup_node")
        pickup = [method is ShippingMethod.PICKUP for method in self.shipping_methods]
        if self.pickup_node is None and any(pickup):
            raise ValueError("the method pickup needs a pickup_node")
        if self.pickup_node is not None and not all(pickup):
            raise ValueError("what is collected at pickup_node is not shipped")
        return self

    @model_validator(mode="after")
    def _lines_are_told_apart(self) -> Self:
        twice = [line_id for line_id, times in Counter(self.line_ids()).items() if times > 1]
        if twice:
            raise ValueError(f"line_id {twice[0]!r} stands twice; each line needs its own")
        return self

    def line_ids(self) -> list[str]:
        """Each line's id, or its position counted from 1."""
        return [line.line_id or str(position) for position, line in enumerate(self.lines, 1)]

    def methods(self) -> tuple[ShippingMethod, ...]:
        """The methods to plan, each once."""
        if self.pickup_node is not None:
            return (ShippingMethod.PICKUP,)
        every = tuple(method for method in ShippingMethod if method is not ShippingMethod.PICKUP)
        return tuple(dict.fromkeys(self.shipping_methods)) or every


class PromisedLine(BaseModel):
    """Units of a line."""

    line_id: str
    sku: str
    quantity: int = Field(description="Units of the line in it.")


class PromisedShipment(BaseModel):
    """What one node would send or hand out."""

    node_id: str
    carrier: str | None
    lines: list[PromisedLine]
    ship_by: Utc = Field(description="When it would have to leave the node, in UTC.")
    promise: Window = Field(description="When these goods would arrive or could be collected.")


class UnfilledLine(PromisedLine):
    """Units that cannot be promised now."""

    cannot_be_sourced: bool = Field(
        default=False,
        description="True where no node may ever give them to this place by this method, whatever it holds: an order "
        "of them is put before a person. Absent otherwise.",
    )
    available_on: date | None = Field(description="When they could come to a node that may send them; null: not known.")


class MethodPromise(BaseModel):
    """The plan that would be made for one method."""

    method: ShippingMethod
    complete: bool = Field(description="Whether every unit is in it.")
    promise: Window | None = Field(description="When all of what it sends arrives; null if it sends nothing.")
    shipments: list[PromisedShipment]
    unfilled: list[UnfilledLine]
    exact: bool = Field(description="Whether no cheaper plan exists under the policy.")
    policy_version: int


class Promises(BaseModel):
    """What would be planned and promised now. Nothing is reserved by asking."""

    items: list[MethodPromise]
