"""Returns as the API shows them."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.http.models import Page
from dom.orders.calls import Reason
from dom.orders.return_calls import InspectedLine, ReturnRequestLine
from dom.orders.status import Disposition, ReturnStatus
from dom.shared.base import GivenTime, NodeId, Utc, Value


class NewReturn(Value):
    """Permission to send goods back is asked for. `node_id` is where they go; without it, to the node that shipped."""

    order_id: Annotated[str, Field(max_length=900)]
    lines: tuple[ReturnRequestLine, ...] = Field(min_length=1, max_length=1000)
    reason: Reason = ""
    node_id: NodeId | None = None
    occurred_at: GivenTime | None = None


class ReturnReceipt(Value):
    """Goods of a return arrived; without lines, all that are outstanding."""

    lines: tuple[ReturnRequestLine, ...] | None = Field(default=None, min_length=1, max_length=1000)
    occurred_at: GivenTime | None = None


class ReturnInspection(Value):
    """What the inspection of received units found; those that are not named wait for theirs."""

    lines: tuple[InspectedLine, ...] = Field(min_length=1, max_length=4000)
    occurred_at: GivenTime | None = None


class ReturnCancellation(Value):
    """Nothing more of a return is to come: the customer keeps it."""

    reason: Reason = ""
    occurred_at: GivenTime | None = None


class ReturnClosing(Value):
    """Nothing more of a return is expected, after something of it came."""

    reason: Reason = ""
    occurred_at: GivenTime | None = None


class ReturnLinks(BaseModel):
    """Where more about the return stands."""

    self: str
    order: str


class ReturnOpened(BaseModel):
    """Permission to send goods back, and where to."""

    return_id: str
    order_id: str
    status: ReturnStatus
    node_id: str
    links: ReturnLinks


class ReturnLine(BaseModel):
    """Units of an order line that come back."""

    line_id: str
    sku: str
    quantity: int
    received: int
    released: int = Field(description="Units that never came and may be returned otherwise.")
    dispositions: dict[Disposition, int]


class Refund(BaseModel):
    """Money recorded to go back, for all that was inspected so far; `recorded_at` is the last time."""

    amount: int = Field(description="Minor units.")
    currency: str
    recorded_at: Utc


class ReturnSummary(BaseModel):
    """A return in a list."""

    id: str
    order_id: str
    node_id: str
    fulfilment_id: str | None = Field(
        description="The parcel that its carrier brings back undelivered; null for what a customer sends back."
    )
    status: ReturnStatus
    reason: str
    requested_at: Utc
    received_at: Utc | None = Field(description="When goods of it arrived last.")
    finished_at: Utc | None
    expires_at: Utc | None = Field(
        description="When what has not come by then may be returned otherwise; null once that is decided."
    )


class ReturnDetail(ReturnSummary):
    """A return with its lines and its refund."""

    lines: list[ReturnLine]
    refund: Refund | None


class ReturnList(Page):
    """A page of returns, newest first."""

    items: list[ReturnSummary]
