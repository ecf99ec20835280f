"""Fulfilments as nodes see them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from api.http.models import Page, Window
from api.orders.models import UnitsOfLine
from dom.delivery.tariffs import CarrierId
from dom.network import ShippingMethod
from dom.orders.calls import Reason, Request, StepLine
from dom.orders.order import ShipTo
from dom.orders.status import FulfilmentStatus, FulfilmentStep, NodeReason, OrderStatus
from dom.shared.base import GivenTime, LineId, NodeId, Quantity, SkuId, Text, Utc, Value


class StepReport(Request):
    """What a node did. Absent `occurred_at` means now. `lines` of a pick say what was found of every line of the work,
    0 where nothing was; absent means that all of it was found. A rejection because goods are not there or are damaged
    says in `lines` what of every line is as it should be; absent means that nothing is.
    """

    occurred_at: GivenTime | None = None
    reason: str = Field(default="", max_length=200)
    reason_code: NodeReason | None = Field(
        default=None,
        description="Of a rejection, why; of a pick, what is wrong with the units that are missing. `not_found` (as a "
        "pick without it) takes them out of the node's balance, `damaged` counts them as damaged there.",
    )
    lines: tuple[StepLine, ...] | None = Field(default=None, max_length=1000)
    code: str | None = Field(
        default=None,
        min_length=1,
        max_length=40,
        description="Of what is collected, the customer's code; small letters, spaces and hyphens do not matter.",
        examples=["7K4-QX9"],
    )


class Arrival(Value):
    """Why a lost parcel counts as arrived, and when it did arrive; absent `occurred_at` means now."""

    reason: str = Field(default="", max_length=200)
    occurred_at: GivenTime | None = None


class StaffCall(Request):
    """Why staff says it, and when it was so; absent `occurred_at` means now."""

    reason: Reason = ""
    occurred_at: GivenTime | None = None


class CollectedCall(Request):
    """How it was checked who collected the goods, and when that was; absent `occurred_at` means now."""

    reason: str = Field(min_length=1, max_length=200, description="How the identity was checked.")
    occurred_at: GivenTime | None = None


class Why(Request):
    """Why it is said."""

    reason: Reason = ""


class KeepRequest(Request):
    """Until when goods are kept for their customer, and why."""

    until: GivenTime = Field(description="Later than they are kept as it is, and at most a year ahead.")
    reason: Reason = ""


class FulfilmentKept(BaseModel):
    """Until when the goods are kept now."""

    order_id: str
    fulfilment_id: str
    repeated: bool = Field(description="Whether it had been so before, and nothing was written now.")
    collect_by: Utc = Field(description="What is not collected by then is cancelled, in UTC.")


class GoodsPutBack(BaseModel):
    """The goods lie on the shelf again."""

    order_id: str
    fulfilment_id: str
    repeated: bool = Field(description="Whether it had been so before, and nothing was written now.")


class MoveRequest(Request):
    """Where the work is to go, and why."""

    node_id: NodeId | None = Field(default=None, description="The node that is to do it; absent: any other one.")
    reason: Reason = ""


class SourceAgainRequest(Request):
    """Whether the node is left out, and why its work is sourced again."""

    without_node: bool = Field(
        default=False, description="The node it is at is not asked, and counts as one that failed the order."
    )
    reason: Reason = ""


class SplitLine(Value):
    """Units of a line that are to go by themselves."""

    line_id: LineId
    quantity: Quantity = Field(description="How many of the work's units.")


class SplitRequest(Request):
    """Which units become a fulfilment of their own, and why."""

    lines: tuple[SplitLine, ...] = Field(min_length=1, max_length=1000, description="Some of the work's units.")
    reason: Reason = ""


class MergeRequest(Request):
    """With which other work it becomes one, and why."""

    merged: Text = Field(description="Id of the other fulfilment.")
    reason: Reason = ""


class ShipReport(Request):
    """With which carrier a supplier sent the goods; absent `occurred_at` means now."""

    carrier: CarrierId = Field(description="Code of the carrier; it need not be one that is booked here.")
    tracking_number: Text = Field(description="The carrier's number of the shipment.")
    parcels: int = Field(default=1, ge=1, le=200, description="How many parcels it is.")
    occurred_at: GivenTime | None = None
    reason: Reason = ""


class FulfilmentShipped(BaseModel):
    """The goods are with the carrier."""

    order_id: str
    order_status: OrderStatus = Field(description="What has become of the order as a whole.")
    fulfilment_id: str
    fulfilment_status: FulfilmentStatus = Field(description="Where the work stands now.")
    repeated: bool = Field(description="Whether it had been said before, under the same request.")


class MovedWork(BaseModel):
    """A fulfilment that work became when it was moved, sourced again or split."""

    id: str = Field(description="The fulfilment's id; the node's steps are reported under it.")
    node_id: str
    status: FulfilmentStatus = Field(description="How far the node is with it.")
    method: ShippingMethod
    carrier: str | None
    ship_by: Utc
    lines: dict[str, int] = Field(description="Units by line.")
    promise: Window = Field(description="When its goods arrive.")


class FulfilmentMoved(BaseModel):
    """What the work became, and how the order stands after it."""

    order_id: str
    order_status: OrderStatus = Field(description="What has become of the order as a whole.")
    fulfilment_id: str = Field(description="The work that was moved: it is recalled.")
    repeated: bool = Field(description="Whether it had been moved before, under the same request.")
    fulfilments: list[MovedWork] = Field(description="What it became and still lives, by id.")
    promise: Window | None = Field(description="What the customer is promised for the order now.")


class FulfilmentSourcedAgain(BaseModel):
    """What became of the work's units, and how the order stands after it."""

    order_id: str
    order_status: OrderStatus = Field(description="What has become of the order as a whole.")
    fulfilment_id: str = Field(description="The work that was sourced again: it is recalled.")
    repeated: bool = Field(description="Whether it had been sourced again before, under the same request.")
    fulfilments: list[MovedWork] = Field(description="What was made of it, and of what waited, and still lives, by id.")
    waiting: dict[str, int] = Field(description="Units by line of the order that wait, as no node has them.")
    promise: Window | None = Field(description="What the customer is promised for the order now.")


class FulfilmentSplit(BaseModel):
    """Both parts of the work."""

    order_id: str
    order_status: OrderStatus = Field(description="What has become of the order as a whole.")
    fulfilment_id: str = Field(description="The work that was split.")
    repeated: bool = Field(description="Whether it had been split before, under the same request.")
    made: str = Field(description="The id of the fulfilment that was made.")
    fulfilments: list[MovedWork] = Field(description="Both parts, as far as they live.")


class FulfilmentMerged(BaseModel):
    """The work that both became."""

    order_id: str
    order_status: OrderStatus = Field(description="What has become of the order as a whole.")
    fulfilment_id: str = Field(description="The work that was merged: it is recalled.")
    merged: str = Field(description="The other one: it is recalled too.")
    repeated: bool = Field(description="Whether it had been merged before, under the same request.")
    made: str = Field(description="The id of the fulfilment that was made.")
    fulfilments: list[MovedWork] = Field(description="What they became, if it still lives.")


class FulfilmentCorrected(BaseModel):
    """How fulfilment and order stand after it."""

    order_id: str
    order_status: OrderStatus = Field(description="What has become of the order as a whole.")
    fulfilment_id: str
    fulfilment_status: FulfilmentStatus = Field(description="Where the work stands now.")
    repeated: bool = Field(description="Whether it had been so before, and nothing was written now.")
    waiting: dict[str, int] = Field(description="Units of the order that wait to be sourced, by line.")


class StepTaken(BaseModel):
    """The step is taken now, or was taken before."""

    fulfilment_id: str
    step: FulfilmentStep
    status: Literal["taken", "repeated"]
    fulfilment_status: FulfilmentStatus = Field(description="Where the work stands now.")
    missing: dict[str, int] = Field(
        description="Units a pick did not find, or for which the work was rejected, by line; they are sourced anew. "
        "Empty for other steps."
    )


class UnitsOfSku(BaseModel):
    """Units of a SKU."""

    sku: SkuId
    quantity: int


class WorkItem(BaseModel):
    """A fulfilment in a work list."""

    id: str = Field(description="The fulfilment's id; the node's steps are reported under it.")
    order_id: str
    node_id: str
    status: FulfilmentStatus = Field(description="How far the node and the carrier are with it.")
    method: ShippingMethod
    carrier: str | None
    ship_by: Utc
    ship_day: date = Field(description="The node's local day.")
    promise: Window = Field(description="What the customer was promised for these goods.")
    lines: list[UnitsOfLine] = Field(description="What to pick: units of each line.")
    channel: str
    placed_at: Utc
    tracking_number: str | None = Field(description="The carrier's number of the shipment; null before it is booked.")
    shipment_id: str | None
    ship_to: ShipTo = Field(description="Where a carrier takes it: the customer's address, or the store's.")
    pickup_node: str | None = Field(
        default=None,
        description="Code of the node where the customer collects it; null if it is sent to him. Where it is not "
        "`node_id`, a carrier brings it there: `node_id` does the work up to the hand-over, this node gives it out.",
    )
    collect_by: Utc | None = Field(
        default=None, description="Until when goods are kept for the customer, in UTC; null where they do not wait."
    )
    code_required: bool = Field(default=False, description="Whether they are given out for the customer's code alone.")
    to_put_back: bool = Field(
        default=False,
        description="Whether all or some of them were ready, are not collected, and are to be put back on the shelf.",
    )

    units_to_put_back: list[UnitsOfSku] = Field(
        default=[],
        description="What is to be put back: units by SKU that were cancelled since they were ready, or since "
        "something of them was put back.",
    )


class WorkList(Page):
    """A page of fulfilments, open work first, by ship-by."""

    items: list[WorkItem]
