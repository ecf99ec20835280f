"""What is said to and by the workflows: one request and one result a message. A new field needs a default."""

import hashlib
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from dom.orders.order import Correction, Order, Promise
from dom.orders.status import (
    CarrierEventKind,
    Disposition,
    FulfilmentStatus,
    FulfilmentStep,
    OrderStatus,
    ReturnStatus,
    SourcingCause,
)
from dom.shared.access import TEMPORAL
from dom.shared.base import GivenTime, LineId, NodeId, Quantity, Text, Utc, Value

EDITION: Final = 4
"""The edition of the workflows that a run is started with, and keeps in its input until its end.

It is there for the next change by which runs under way would do something else than they have recorded: it takes the
next number, and asks the input for it where old and new part. Orders that were started before edition 3 do not run on,
and are begun anew from the store.
"""
PUTS_BOOKINGS_ASIDE: Final = 4
"""From this edition on an order with a long history goes on in a new run though a booking is pending."""
MOST_EVENTS: Final = 2000
"""How many events the history of one run may have, before the process goes on in a new run as soon as it rests.

It is kept in what a run starts with, so that another number does not change runs that are under way.
"""
REFUSED: Final[Literal["refused"]] = "refused"
"""What `DomStatus` and the result of a workflow say whose request was refused."""

Reason = Annotated[str, Field(max_length=200, description="As it was given, for the record; empty: nobody gave one.")]
"""Why something was asked for. It is for the system: customers are written to in the templates' own words."""

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
    """What starts a run of an order's workflow. `corrections` say what of the order did not come as it is kept.

    `revived_by`: who had the process begun anew, on what the store holds; `continued`: an earlier run goes on in this
    one, on what the store holds. `most_events`: how long the history may become before the next run goes on; None, as
    in what was started before: however long. `cause` is the news because of which the earlier run was to source what
    waits, as of `as_of`.
    """

    order: Order
    edition: int = 0
    revived_by: str | None = None
    corrections: tuple[Correction, ...] = ()
    most_events: int | None = None
    continued: bool = False
    cause: SourcingCause | None = None
    as_of: Utc | None = None


class AcceptCall(Value):
    """A channel asks for the answer to its order; the hash tells whether it is the same order."""

    content_hash: str


class OrderAnswer(Value):
    """What the channel hears. `created` is true for the first who asked.

    `waiting` are the units by line that no node has, `cannot_be_sourced` those of them that none may ever give.
    """

    order_id: str
    status: OrderStatus
    promise: Promise | None
    waiting: dict[str, int] = Field(default={})
    cannot_be_sourced: dict[str, int] = Field(default={})
    created: bool = False


class CancelLine(Value):
    """Units of one line to be cancelled; without a quantity every unit of it."""

    line_id: LineId
    quantity: Quantity | None = None


class CancelCall(Request):
    """Cancel an order, whole (no lines) or by line, before hand-over. `nodes`: where the caller may take work away."""

    lines: tuple[CancelLine, ...] | None = Field(default=None, min_length=1, max_length=1000)
    reason: Reason = ""
    actor: Text = "support"
    occurred_at: GivenTime | None = None
    nodes: tuple[NodeId, ...] | None = None


class HoldCall(Request):
    """Put a hold of a type on the order; what is not said is as the type has it."""

    type: Text
    reason: Reason = ""
    actor: Text = TEMPORAL
    release_at: GivenTime | None = None


class ReleaseCall(Request):
    """Release a hold of the order."""

    hold_id: Text
    reason: Reason = ""
    actor: Text = TEMPORAL


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
    """A node says how far its work on a fulfilment is. `lines` of a pick name what was found; absent means all.

    `if_unbegun`: it is said in the node's name, and counts for nothing once the node has begun.
    """

    fulfilment_id: str
    step: FulfilmentStep
    occurred_at: GivenTime
    actor: Text = "node"
    reason: str = Field(default="", max_length=200)
    lines: tuple[StepLine, ...] | None = None
    if_unbegun: bool = False


class CarrierReport(Value):
    """A carrier's report for one fulfilment of a shipment: a milestone, or a scan that says the carrier has it.

    `shipment_id` is the booking it is about, `event_id` the carrier's own id of the scan; both absent in what was told
    before bookings were told apart.
    """

    fulfilment_id: str
    kind: CarrierEventKind
    tracking_number: str
    occurred_at: GivenTime
    actor: Text = "carrier"
    shipment_id: str | None = None
    event_id: str | None = None


class ArrivedCall(Value):
    """A parcel that was lost has arrived after all: it is to count as delivered, and its replacement to stay."""

    fulfilment_id: str
    actor: Text = "support"
    reason: str = Field(default="", max_length=200)
    occurred_at: GivenTime | None = None


class ArrivedResult(Value):
    """What was taken back of the replacement, by line, and the order's status after it."""

    order_id: str
    fulfilment_id: str
    status: OrderStatus
    taken_back: dict[str, int] = Field(description="Units of the replacement that are not sent any more, by line.")


class StockArrived(Value):
    """Stock of a SKU that the order waits for came in."""

    skus: tuple[str, ...]
    occurred_at: GivenTime


class OrderNews(Value):
    """The order was changed in the store, by an event of its timeline."""

    event: str = ""


class LookedAgain(Value):
    """A second look gave unbegun work of the order to other nodes; `number` is its last change."""

    number: int


class OrderResult(Value):
    """How an order ended; one that was refused says why, and has left nothing behind."""

    order_id: str
    status: OrderStatus | Literal["refused"]
    fulfilments: int
    finished_at: datetime
    reason: str = ""


class LineStanding(Value):
    """Units of a line that are cancelled, and that wait for stock."""

    cancelled: int
    backordered: int


class OrderStanding(Value):
    """Where an order's process believes the order to stand; to be compared with the store. Nothing, before capture."""

    captured: bool
    status: OrderStatus
    lines: dict[str, LineStanding]
    fulfilments: dict[str, FulfilmentStatus]


class ReturnStanding(Value):
    """Where a return's process believes the return to stand. Nothing, before it is allowed (`captured`)."""

    captured: bool
    status: ReturnStatus


class ReturnRequestLine(Value):
    """Units of an order line that come back."""

    line_id: LineId
    quantity: Quantity


class ReturnRequest(Request):
    """Permission to send goods back is asked for. `node_id` is where they go; without it, to the node that shipped."""

    order_id: Annotated[str, Field(max_length=900)]
    lines: tuple[ReturnRequestLine, ...] = Field(min_length=1, max_length=1000)
    reason: Reason = ""
    node_id: NodeId | None = None
    actor: Text = "customer"
    occurred_at: GivenTime | None = None


class ReturnInput(Value):
    """What starts a run of a return's workflow. `key` is the caller's own id of the request; `revived_by`: who had the
    process begun anew, on what the store holds. `most_events` and `continued` as of orders. `restored`: the
    request was put together from the store, and is not word for word what the caller sent.
    """

    return_id: str
    request: ReturnRequest
    edition: int = 0
    revived_by: str | None = None
    key: str | None = None
    most_events: int | None = None
    continued: bool = False
    restored: bool = False


class ReturnAnswer(Value):
    """What the caller hears of a return."""

    return_id: str
    order_id: str
    status: ReturnStatus
    node_id: str
    created: bool = False
    request_hash: str | None = None


class ReceiveCall(Request):
    """Goods of a return arrived; without lines, all that are outstanding."""

    lines: tuple[ReturnRequestLine, ...] | None = Field(default=None, min_length=1, max_length=1000)
    actor: Text = "node"
    occurred_at: GivenTime | None = None


class InspectedLine(Value):
    """What becomes of units of a returned line."""

    line_id: LineId
    quantity: Quantity
    disposition: Disposition


class InspectCall(Request):
    """What the inspection of received units found; those that are not named wait for theirs."""

    lines: tuple[InspectedLine, ...] = Field(min_length=1, max_length=4000)
    actor: Text = "node"
    occurred_at: GivenTime | None = None


class CancelReturnCall(Request):
    """Nothing more of a return is to come: the customer keeps it."""

    reason: Reason = ""
    actor: Text = "support"
    occurred_at: GivenTime | None = None


class CloseReturnCall(CancelReturnCall):
    """Nothing more of a return is expected, after something of it came."""


class ReturnResult(Value):
    """How a return stands, and the refunds recorded for it so far, in minor units."""

    return_id: str
    order_id: str
    status: ReturnStatus
    refund: int = 0
    currency: str = ""


class ReturnStepAnswer(ReturnResult):
    """The answer with the hash of the request it answers; None for one that was given before it was kept."""

    request_hash: str | None = None


class ReturnEnd(Value):
    """How a return ended; one that was refused says why, and has left nothing behind."""

    return_id: str
    order_id: str
    status: ReturnStatus | Literal["refused"]
    refund: int = 0
    currency: str = ""
    reason: str = ""
