"""Cancellations that nodes are asked for, as they see and answer them."""

from pydantic import BaseModel, Field

from api.http.models import Page
from dom.orders.asked import AskedOf, CancellationEnd, CancellationStatus
from dom.orders.calls import Reason, Request
from dom.shared.base import Utc


class CancellationReply(Request):
    """What a node says of its answer."""

    reason: Reason = ""


class CancellationOfWork(BaseModel):
    """Units that a node has picked, or a carrier has, and that are to be cancelled; and what came of it."""

    request_id: str = Field(description="The request's id; the node answers under it.")
    order_id: str
    fulfilment_id: str
    node_id: str
    asked_of: AskedOf = Field(description="Who has the goods and is asked: the node, or the carrier.")
    units: dict[str, int] = Field(
        description="Units that are to be cancelled, by line, without those that were cancelled otherwise meanwhile."
    )
    status: CancellationStatus = Field(description="Whether it is to be answered (`asked`), or how it ended.")
    reason: str = Field(description="Why they are to be cancelled.")
    asked_by: str = Field(description="Who wants them cancelled.")
    asked_at: Utc = Field(description="When that was asked, in UTC.")
    answer_by: Utc = Field(description="Until when the node has time; what follows then, the policy says.")
    answered_by: str | None = Field(description="Null while it is open.")
    answered_at: Utc | None = Field(description="When it ended, in UTC; null while it is open.")
    reply: str | None = Field(description="What the node said of its answer.")
    ended_by: CancellationEnd | None = Field(description="What ended it, if not the node's answer.")


class CancellationRequestList(Page):
    """A page of requests, the oldest first."""

    items: list[CancellationOfWork]
