"""What is said to and by the workflows: one request and one result a message. A new field needs a default."""

from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from dom.orders.calls import CancelResult, StepLine
from dom.orders.order import Correction, Order
from dom.orders.return_calls import ReturnRequest, ReturnResult
from dom.orders.status import (
    CarrierEventKind,
    FulfilmentStatus,
    FulfilmentStep,
    NodeReason,
    OrderStatus,
    ReturnStatus,
    SourcingCause,
)
from dom.shared.base import GivenTime, Text, Utc, Value

EDITION: Final = 5
"""The edition of the workflows that a run is started with, and keeps in its input until its end.

It is there for the next change by which runs under way would do something else than they have recorded: it takes the
next number, and asks the input for it where old and new part. Orders that were started before edition 3 do not run on,
and are begun anew from the store.
"""
PUTS_BOOKINGS_ASIDE: Final = 4
"""From this edition on an order with a long history goes on in a new run though a booking is pending."""
SOURCES_FIRST: Final = 5
"""From this edition on units that lost their node are sourced before they can have waited for too long, and begin to
wait when they lose it.
"""
MOST_EVENTS: Final = 2000
"""How many events the history of one run may have, before the process goes on in a new run as soon as it rests.

It is kept in what a run starts with, so that another number does not change runs that are under way.
"""
REFUSED: Final[Literal["refused"]] = "refused"
"""What `DomStatus` and the result of a workflow say whose request was refused."""

REQUEST: Final = "request"
"""Where the details of a refusal say which request it answers, by its hash."""


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


class CancelAnswer(CancelResult):
    """The answer with the hash of the request it answers; None for one that was given before it was kept."""

    request_hash: str | None = None


class NodeReport(Value):
    """A node says how far its work on a fulfilment is. `lines` of a pick say what was found of every line of the work;
    absent means all.

    `if_unbegun`: it is said in the node's name, and counts for nothing once the node has begun. Goods are collected
    with the customer's `code`; `identity_checked`: it was checked otherwise who he is, and the reason says how.
    """

    fulfilment_id: str
    step: FulfilmentStep
    occurred_at: GivenTime
    actor: Text = "node"
    reason: str = Field(default="", max_length=200)
    reason_code: NodeReason | None = None
    lines: tuple[StepLine, ...] | None = None
    if_unbegun: bool = False
    code: str | None = Field(default=None, max_length=40)
    identity_checked: bool = False


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


class StockArrived(Value):
    """Stock of a SKU that the order waits for came in."""

    skus: tuple[str, ...]
    occurred_at: GivenTime


class OrderNews(Value):
    """The order was changed in the store, by an event of its timeline."""

    event: str = ""


class Reoptimised(Value):
    """A re-optimisation gave unbegun work of the order to other nodes; `number` is its last change."""

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
