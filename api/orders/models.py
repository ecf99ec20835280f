"""Orders as the API shows them."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from api.delivery.models import ShipmentHead
from api.http.models import Page, Window
from api.notifications.models import Medium
from dom.exceptions import ExceptionKind
from dom.network import ShippingMethod
from dom.orders.calls import CancelLine, Reason
from dom.orders.cancellation import CancelMode
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep
from dom.orders.order import Customer, Payment, ShipTo
from dom.orders.status import CarrierEventKind, FulfilmentStatus, OrderStatus, ReturnStatus
from dom.orders.waiting_for import WaitsFor
from dom.shared.base import GivenTime, Utc, Value
from dom.sourcing.explanation.models import Change, Explanation
from dom.sourcing.models import Demand, SourcingDecision, StockValue
from store.enums import MessageStatus


class OrderLinks(BaseModel):
    """Where more about the order stands."""

    self: str
    timeline: str
    sourcing: str


class WaitingUnits(BaseModel):
    """Units of an order line that no node has."""

    line_id: str
    quantity: int = Field(description="Units of the line that wait.")
    cannot_be_sourced: bool = Field(
        description="No node may ever give them, whatever it holds: they do not wait for stock, but for a person."
    )


class OrderCaptured(BaseModel):
    """The answer to a channel's order."""

    order_id: str
    status: OrderStatus = Field(
        description="Whether a node has it (`accepted`), all of it waits (`backordered`), or how it ended."
    )
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
    status: OrderStatus = Field(
        description="What has become of the order as a whole: the state its units have reached."
    )
    currency: str
    goods_total: int = Field(description="Minor units; as ordered.")
    goods_total_living: int = Field(description="Minor units; without what was cancelled since.")
    lines: int = Field(description="How many lines the order has.")
    units: int = Field(description="Units ordered, over all lines.")
    units_waiting: int = Field(description="Units of them that no node has.")
    placed_at: Utc
    captured_at: Utc
    promise: Window | None = Field(
        description="When the last of the sourced goods arrives; null while no unit is sourced."
    )


class OrderList(Page):
    """A page of orders, newest first."""

    items: list[OrderSummary]


class CancelRequest(Value):
    """Cancel an order, whole (no lines) or by line, before hand-over."""

    lines: tuple[CancelLine, ...] | None = Field(default=None, min_length=1, max_length=1000)
    mode: CancelMode = Field(
        default=CancelMode.ALL,
        description="Where not all that is asked can be cancelled: `all` cancels nothing, `possible` what can be; "
        "`ask` the same, but nodes are asked for what they have picked (`/v1/cancellation-requests`).",
    )
    reason: Reason = ""
    occurred_at: GivenTime | None = None


class LineUnits(BaseModel):
    """An order line and where its units are: ordered = cancelled + backordered + allocated + delivered."""

    line_id: str
    sku: str
    unit_price: int = Field(description="Minor units.")
    ordered: int = Field(description="Units the customer ordered.")
    cancelled: int = Field(description="Units cancelled since, by whomever.")
    backordered: int = Field(description="Units that wait for stock.")
    allocated: int = Field(description="Units some node works on, or that are on their way.")
    delivered: int = Field(description="Units delivered or collected.")
    returned: int = Field(description="Units of those delivered that came back: received, not only announced.")


class ShipmentEvent(BaseModel):
    """What a carrier reported."""

    kind: CarrierEventKind = Field(description="What the carrier says happened to the parcel.")
    place: str = Field(description="Where the parcel was scanned, in the carrier's words; empty if it does not say.")
    occurred_at: Utc = Field(description="When it was scanned, in UTC, as the carrier says.")


class Shipment(ShipmentHead):
    """What a carrier moves."""

    events: list[ShipmentEvent]


class UnitsOfLine(BaseModel):
    """Units of an order line that a fulfilment is for."""

    line_id: str
    sku: str
    quantity: int = Field(description="Units of the line in this fulfilment.")


class OrderFulfilment(BaseModel):
    """One node's work for the order."""

    id: str = Field(description="The fulfilment's id; the node's steps are reported under it.")
    node_id: str = Field(description="Code of the node that sends or hands out the goods.")
    pickup_node: str | None = Field(
        default=None,
        description="Code of the node where the customer collects them; null if they are sent to him. Where it is not "
        "`node_id`, a carrier brings them there.",
    )
    status: FulfilmentStatus = Field(description="How far the node and the carrier are with it.")
    method: ShippingMethod
    carrier: str | None
    ship_by: Utc
    ship_day: date = Field(description="The day it is to leave the node, in the node's zone.")
    promise: Window = Field(description="When its goods arrive or can be collected.")
    cost: int | None = Field(
        description="Minor units of the policy's currency, as planned; null for callers without the scope "
        "`sourcing:read`."
    )
    reason: str = Field(
        description="Why the node rejected it or it was cancelled, in words; `not_collected` where nobody collected it "
        "in time. Empty otherwise."
    )
    collect_by: Utc | None = Field(
        default=None, description="Until when goods are kept for the customer, in UTC; null where they do not wait."
    )
    collection_code: str | None = Field(
        default=None,
        description="The code with which they are collected; null where none is waited for, and for callers who need "
        "not know it: nodes, and who may not write orders.",
    )
    released_at: Utc
    updated_at: Utc
    lines: list[UnitsOfLine]
    shipments: list[Shipment]


class OrderMessage(BaseModel):
    """A message to the customer or the channel, and what became of it."""

    id: int = Field(description="Its number, under which it can be sent again.")
    message_key: str
    kind: str
    medium: Medium
    recipient: str
    status: MessageStatus
    error: str
    created_at: Utc
    sent_at: Utc | None


class OrderReturn(BaseModel):
    """A return of goods of the order."""

    id: str
    status: ReturnStatus
    reason: str
    node_id: str
    fulfilment_id: str | None = Field(
        description="The parcel that its carrier brings back undelivered; null for what the customer sends back."
    )
    requested_at: Utc
    finished_at: Utc | None
    expires_at: Utc | None = Field(description="Until when its goods are waited for, in UTC.")


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
    kind: ExceptionKind | str = Field(description="What kind of trouble it is; decide by it. Others may be added.")
    detail: str = Field(description="What went wrong and for which goods, in a sentence.")
    data: dict[str, Any] = Field(default={}, description="What the detail says, for programs.")
    owner: str | None = Field(description="Who looks after it; null while nobody does.")
    opened_at: Utc = Field(description="When it was put before a person, in UTC.")
    due_at: Utc = Field(description="Until when it is to be dealt with, in UTC.")
    version: int = Field(description="Counts every change. Give it with what is to be done about it.")


class OrderHold(BaseModel):
    """A hold that stands."""

    hold_id: str
    type: str
    blocks: list[BlockedStep] = Field(description="The steps that wait for its release.")
    purpose: str = Field(description="Why it was put on.")
    owner: str = Field(description="The person or role that looks at it.")
    placed_by: str
    placed_at: Utc
    due_at: Utc | None
    release_at: Utc | None = Field(description="When it is released by itself.")


class OrderDetail(BaseModel):
    """Everything about an order."""

    order_id: str
    channel: str
    external_id: str
    status: OrderStatus = Field(
        description="What has become of the order as a whole: the state its units have reached."
    )
    currency: str
    goods_total: int = Field(description="Minor units; as ordered.")
    goods_total_living: int = Field(description="Minor units; without what was cancelled since.")
    units_waiting: int = Field(description="Units that no node has.")
    placed_at: Utc
    captured_at: Utc
    finished_at: Utc | None
    promise: Window | None = Field(
        description="When the last of the sourced goods arrives; null while no unit is sourced."
    )
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
    exceptions: list[OrderException] = Field(
        description="What a person must look at and nobody closed yet; empty if all is well."
    )
    holds: list[OrderHold] = Field(description="Holds that stand; what they block waits for their release.")
    waits_for: list[WaitsFor] = Field(
        description="What the order waits for, whose turn it is, and until when. Never empty while it is not final; "
        "returns of a final order are waited for too."
    )
    links: OrderLinks


class TimelineEvent(BaseModel):
    """Something that happened to the order."""

    id: int
    kind: str = Field(description=f"What happened: {', '.join(EventKind)}. A later release may add kinds.")
    actor: str
    reason: str
    data: dict[str, Any] = Field(
        description="What belongs to the kind (`dom/orders/events.py`). Costs, prices, policy and runs are left out "
        "for callers without the scope `sourcing:read`."
    )
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
