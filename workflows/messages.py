"""What is said to and by the workflows: one request and one result a message. A new field needs a default."""

import hashlib
from datetime import datetime
from typing import Final

from pydantic import Field

from dom.base import LineId, NodeId, Quantity, Text, Utc, Value
from dom.orders import Correction, Order, Promise
from dom.status import CarrierEventKind, Disposition, FulfilmentStep, OrderStatus, ReturnStatus

REQUEST: Final = "request"
"""Where the details of a refusal say which request it answers, by its hash."""


class Request(Value):
    """What a caller asks for under an Idempotency-Key."""

    def content_hash(self, operation: str) -> str:
        """Tells whether two requests ask for the same: SHA-256 over the operation and what is said in the request.

        What has its default is left out: a field that comes later does not make an old request another one.
        """
        said = self.model_dump_json(exclude_defaults=True)
        return hashlib.sha256(f"{operation}\0{said}".encode()).hexdigest()


class OrderInput(Value):
    """What starts an order's workflow; `corrections` say what of the order did not come as it is kept."""

    order: Order
    corrections: tuple[Correction, ...] = ()


class AcceptCall(Value):
    """A channel asks for the answer to its order; the hash tells whether it is the same order."""

    content_hash: str


class OrderAnswer(Value):
    """What the channel hears. `created` is true for the first who asked."""

    order_id: str
    status: OrderStatus
    promise: Promise | None
    created: bool = False


class CancelLine(Value):
    """Units of one line to be cancelled; without a quantity every unit of it."""

    line_id: LineId
    quantity: Quantity | None = None


class CancelCall(Request):
    """Cancel an order, whole (no lines) or by line, before hand-over."""

    lines: tuple[CancelLine, ...] | None = Field(default=None, min_length=1, max_length=1000)
    reason: Text = "asked by the customer"
    actor: Text = "support"
    occurred_at: Utc | None = None


class CancelResult(Value):
    """What was cancelled, by line, and the order's status after it."""

    order_id: str
    status: OrderStatus
    cancelled: dict[str, int]


class CancelAnswer(CancelResult):
    """The answer with the hash of the request it answers; None for one that was given before it was kept."""

    request_hash: str | None = None


class StepLine(Value):
    """Units of a line that were picked."""

    line_id: LineId
    quantity: int = Field(ge=0, le=1_000_000)


class NodeReport(Value):
    """A node says how far its work on a fulfilment is. `lines` of a pick name what was found; absent means all."""

    fulfilment_id: str
    step: FulfilmentStep
    occurred_at: Utc
    actor: Text = "node"
    reason: str = Field(default="", max_length=200)
    lines: tuple[StepLine, ...] | None = None


class CarrierReport(Value):
    """A carrier's milestone for one fulfilment of a shipment."""

    fulfilment_id: str
    kind: CarrierEventKind
    tracking_number: str
    occurred_at: Utc
    actor: Text = "carrier"


class StockArrived(Value):
    """Stock of a SKU that the order waits for came in."""

    skus: tuple[str, ...]
    occurred_at: Utc


class LookedAgain(Value):
    """A second look gave unbegun work of the order to other nodes; `number` is its last change."""

    number: int


class OrderResult(Value):
    """How an order ended."""

    order_id: str
    status: OrderStatus
    fulfilments: int
    finished_at: datetime


class ReturnRequestLine(Value):
    """Units of an order line that come back."""

    line_id: LineId
    quantity: Quantity


class ReturnRequest(Request):
    """Permission to send goods back is asked for. `node_id` is where they go; without it, to the node that shipped."""

    order_id: str
    lines: tuple[ReturnRequestLine, ...] = Field(min_length=1, max_length=1000)
    reason: Text = "changed mind"
    node_id: NodeId | None = None
    actor: Text = "customer"
    occurred_at: Utc | None = None


class ReturnInput(Value):
    """What starts a return's workflow; `key` is the caller's own id of the request."""

    return_id: str
    request: ReturnRequest
    key: str | None = None


class ReturnAnswer(Value):
    """What the caller hears of a return."""

    return_id: str
    order_id: str
    status: ReturnStatus
    node_id: str
    created: bool = False
    request_hash: str | None = None


class ReceiveCall(Request):
    """The goods of a return arrived; without lines, all of them."""

    lines: tuple[ReturnRequestLine, ...] | None = Field(default=None, min_length=1, max_length=1000)
    actor: Text = "node"
    occurred_at: Utc | None = None


class InspectedLine(Value):
    """What becomes of units of a returned line."""

    line_id: LineId
    quantity: Quantity
    disposition: Disposition


class InspectCall(Request):
    """What the inspection found; every received unit needs its disposition."""

    lines: tuple[InspectedLine, ...] = Field(min_length=1, max_length=4000)
    actor: Text = "node"
    occurred_at: Utc | None = None


class ReturnResult(Value):
    """How a return stands, and the refund recorded for it in minor units."""

    return_id: str
    order_id: str
    status: ReturnStatus
    refund: int = 0
    currency: str = ""


class ReturnStepAnswer(ReturnResult):
    """The answer with the hash of the request it answers; None for one that was given before it was kept."""

    request_hash: str | None = None
