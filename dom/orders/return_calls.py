"""What callers ask of a return, and what they hear. A new field needs a default."""

from typing import Annotated

from pydantic import Field

from dom.orders.calls import Reason, Request
from dom.orders.status import Disposition, ReturnStatus
from dom.shared.base import GivenTime, LineId, NodeId, Quantity, Text, Value


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
