"""Orders as the API shows them."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.models.common import Page, Window
from dom.base import Utc
from dom.network import ShippingMethod
from dom.ofl.explanation.models import Change, Explanation
from dom.ofl.models import Demand, SourcingDecision, StockValue
from dom.orders import Customer, Payment, ShipTo
from dom.status import CarrierEventKind, FulfilmentStatus, OrderStatus, ReturnStatus


class OrderLinks(BaseModel):
    """Where more about the order stands."""

    self: str
    timeline: str
    sourcing: str


class WaitingUnits(BaseModel):
    """Units of an order line that no node has."""

    line_id: str
    quantity: int
    cannot_be_sourced: bool = Field(
        description="No node may ever give them, whatever it holds: they do not wait for stock, but for a person."
    )


class OrderCaptured(BaseModel):
    """The answer to a channel's order."""

    order_id: str
    status: OrderStatus
    promise: Window | None = Field(description="When the sourced goods arrive; null while no unit is sourced.")
    waiting: list[WaitingUnits] = Field(
        default=[], description="What was not sourced when the order was captured; empty once the order has ended."
    )
    links: OrderLinks


class OrderSummary(BaseModel):
    """An order in a list."""

    order_id: str
    channel: str
    external_id: str
    customer_id: str
    customer_name: str
    country: str
    status: OrderStatus
    currency: str
    goods_total: int = Field(description="Minor units; as ordered.")
    goods_total_living: int = Field(description="Minor units; without what was cancelled since.")
    lines: int
    units: int
    units_waiting: int = Field(description="Units of them that no node has.")
    placed_at: Utc
    captured_at: Utc
    promise: Window | None


class OrderList(Page):
    """A page of orders, newest first."""

    items: list[OrderSummary]


class LineUnits(BaseModel):
    """An order line and where its units are: ordered = cancelled + backordered + allocated + delivered."""

    line_id: str
    sku: str
    unit_price: int = Field(description="Minor units.")
    ordered: int
    cancelled: int
    backordered: int = Field(description="Units that wait for stock.")
    allocated: int = Field(description="Units some node works on, or that are on their way.")
    delivered: int = Field(description="Units delivered or collected.")
    returned: int = Field(description="Units of those delivered that came back: received, not only announced.")


class ShipmentEvent(BaseModel):
    """What a carrier reported."""

    kind: CarrierEventKind
    place: str
    occurred_at: Utc


class Shipment(BaseModel):
    """What a carrier moves."""

    id: str
    carrier: str
    method: ShippingMethod
    tracking_number: str
    status: Literal["booked", "voided", "in_transit", "delivered", "lost", "returned_to_sender"]
    parcels: int
    weight_grams: int
    price: int = Field(description="Minor units.")
    currency: str
    booked_at: Utc
    ended_at: Utc | None
    events: list[ShipmentEvent]


class UnitsOfLine(BaseModel):
    """Units of an order line that a fulfilment is for."""

    line_id: str
    sku: str
    quantity: int


class OrderFulfilment(BaseModel):
    """One node's work for the order."""

    id: str
    node_id: str
    status: FulfilmentStatus
    method: ShippingMethod
    carrier: str | None
    ship_by: Utc
    ship_day: date
    promise: Window
    cost: int = Field(description="Minor units of the policy's currency, as planned.")
    reason: str
    released_at: Utc
    updated_at: Utc
    lines: list[UnitsOfLine]
    shipments: list[Shipment]


class OrderMessage(BaseModel):
    """A message to the customer or the channel, and what became of it."""

    occasion: str
    kind: str
    medium: Literal["mail", "webhook"]
    recipient: str
    status: Literal["pending", "sending", "sent", "uncertain", "failed"]
    error: str
    created_at: Utc
    sent_at: Utc | None


class OrderReturn(BaseModel):
    """A return of goods of the order."""

    id: str
    status: ReturnStatus
    reason: str
    node_id: str
    requested_at: Utc
    finished_at: Utc | None


class OrderRefund(BaseModel):
    """Money recorded to go back."""

    return_id: str | None
    amount: int = Field(description="Minor units.")
    currency: str
    reason: str
    recorded_at: Utc


class OrderException(BaseModel):
    """What a person must look at, and nobody closed yet."""

    id: int
    kind: str
    detail: str
    data: dict[str, Any] = Field(default={}, description="What the detail says, for programs.")
    owner: str | None
    opened_at: Utc


class OrderDetail(BaseModel):
    """Everything about an order."""

    order_id: str
    channel: str
    external_id: str
    status: OrderStatus
    currency: str
    goods_total: int = Field(description="Minor units; as ordered.")
    goods_total_living: int = Field(description="Minor units; without what was cancelled since.")
    units_waiting: int = Field(description="Units that no node has.")
    placed_at: Utc
    captured_at: Utc
    finished_at: Utc | None
    promise: Window | None
    customer: Customer
    ship_to: ShipTo
    shipping_method: ShippingMethod
    pickup_node: str | None
    requested_by: Utc | None
    payment: Payment | None
    tags: list[str]
    lines: list[LineUnits]
    fulfilments: list[OrderFulfilment]
    messages: list[OrderMessage]
    returns: list[OrderReturn]
    refunds: list[OrderRefund]
    exceptions: list[OrderException]
    links: OrderLinks


class TimelineEvent(BaseModel):
    """Something that happened to the order."""

    id: int
    kind: str
    actor: str
    reason: str
    data: dict[str, Any]
    occurred_at: Utc
    recorded_at: Utc


class Timeline(BaseModel):
    """All that happened to an order, oldest first."""

    order_id: str
    events: list[TimelineEvent]


class UsedCapacity(BaseModel):
    """Fulfilment orders a node had taken for a day already; the empty service is the day as a whole."""

    node_id: str
    day: date
    service: str
    used: int


class SeenSnapshot(BaseModel):
    """What the planner saw: stock by SKU and node that could be taken for the order's channel, and used capacity."""

    taken_at: Utc
    network: str | None = Field(description="Digest of the nodes and tariffs, as they stood.")
    available: dict[str, dict[str, int]]
    capacity_used: list[UsedCapacity]
    values: dict[str, dict[str, StockValue]] = Field(description="What units were worth where they lay.")


class StoredDecision(BaseModel):
    """One decision of the planner: what was asked and seen, what was decided and why, and what would change it."""

    attempt: int
    cause: str
    policy_version: int
    first_fulfilment: int = Field(description="Number of the fulfilment made of the first shipment.")
    decided_at: Utc
    demand: Demand
    decision: SourcingDecision
    snapshot: SeenSnapshot | None = Field(default=None, description="Null for decisions made before it was kept.")
    to_win: list[Change] = Field(
        default=[], description="What would have to be otherwise for the runner-up to win, by the costs that were kept."
    )
    explanation: Explanation | None = Field(
        default=None, description="The decision made again, with every fence and cost; with `full=true`."
    )


class Sourcing(BaseModel):
    """Every sourcing decision made for an order, in sequence."""

    order_id: str
    decisions: list[StoredDecision]
