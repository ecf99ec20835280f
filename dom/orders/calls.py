"""What callers ask of an order, and what they hear. Calls of the API, of the Temporal UI and CLI say the same.

A new field needs a default: what was asked before is still read.
"""

import hashlib
from typing import Annotated

from pydantic import Field

from dom.orders.cancellation import CancelMode, LineCancellation
from dom.orders.order import Promise
from dom.orders.status import OrderStatus
from dom.shared.access import TEMPORAL
from dom.shared.base import GivenTime, LineId, NodeId, Quantity, Text, Value

Reason = Annotated[str, Field(max_length=200, description="As it was given, for the record; empty: nobody gave one.")]
"""Why something was asked for. It is for the system: customers are written to in the templates' own words."""


class Request(Value):
    """What a caller asks for under an Idempotency-Key."""

    def content_hash(self, operation: str) -> str:
        """Tells whether two requests ask for the same: SHA-256 over the operation and what is said in the request.

        What has its default is left out: a field that comes later does not make an old request another one.
        """
        said = self.model_dump_json(exclude_defaults=True)
        return hashlib.sha256(f"{operation}\0{said}".encode()).hexdigest()


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
    mode: CancelMode = CancelMode.ALL
    reason: Reason = ""
    actor: Text = "support"
    occurred_at: GivenTime | None = None
    nodes: tuple[NodeId, ...] | None = None


class CancelResult(Value):
    """What was cancelled, by line, the order's status after it, and what became of each unit that was asked for."""

    order_id: str
    status: OrderStatus
    cancelled: dict[str, int]
    lines: tuple[LineCancellation, ...] = Field(
        default=(),
        description="What became of the units asked for, by line; empty in answers from before it was kept.",
    )


class StepLine(Value):
    """Units of a line that were picked."""

    line_id: LineId
    quantity: int = Field(ge=0, le=1_000_000)


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
