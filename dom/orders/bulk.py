"""One action on many orders: which orders, what is to be done, and what may become of each."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from dom.orders.search_filter import OrderFilter
from dom.shared.access import Scope
from dom.shared.base import NodeId, SkuId, Value

MOST_ORDERS: Final = 10_000
"""Orders of one bulk run."""
MOST_NAMED: Final = 1_000
"""Orders that are named by id: a body has room for no more of the longest ids."""
BulkOrderId = Annotated[str, Field(min_length=1, max_length=900)]


class BulkStatus(StrEnum):
    """Where a bulk run stands."""

    QUEUED = "queued"
    """It waits for its turn."""
    RUNNING = "running"
    STOPPED = "stopped"
    """Somebody stopped it: the orders that have no outcome are as they were. It can be resumed."""
    DONE = "done"
    """Every order has an outcome."""


class BulkOutcome(StrEnum):
    """What became of an order."""

    DONE = "done"
    """It was changed."""
    UNCHANGED = "unchanged"
    """There was nothing to do."""
    REFUSED = "refused"
    """It cannot be done for this order; the item says why. The order is as it was."""
    FAILED = "failed"
    """Something went wrong that is not the order's fault. The order is as it was, and the log says more."""


class BulkProgress(Value):
    """How far a bulk run is: its orders, and of how many what became of them."""

    status: BulkStatus
    orders: int
    outcomes: dict[BulkOutcome, int]

    @property
    def goes_on(self) -> bool:
        """Whether there is more to do."""
        return self.status in {BulkStatus.QUEUED, BulkStatus.RUNNING}

    @property
    def says(self) -> str:
        """It in words."""
        by_outcome = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(self.outcomes.items()))
        done = f"{self.status}: {sum(self.outcomes.values()):,} of {self.orders:,} orders"
        return f"{done} ({by_outcome})" if by_outcome else done


class CancelOrders(Value):
    """Cancel what can still be cancelled of each order."""

    kind: Literal["cancel"] = "cancel"
    sku: SkuId | None = Field(default=None, description="Only units of this SKU, as after a recall; else all.")


class HoldOrders(Value):
    """Put a hold on each order. One where a hold of the type stands already stays as it is."""

    kind: Literal["hold"] = "hold"
    type: str = Field(min_length=1, max_length=64, description="A type of hold, as for one order.")


class ReleaseOrders(Value):
    """Release the hold of a type of each order, if it stands."""

    kind: Literal["release"] = "release"
    type: str = Field(min_length=1, max_length=64, description="A type of hold.")


class SourceOrdersAgain(Value):
    """Take work that nobody has begun from its nodes, and source its units anew without them, in one transaction. What
    the customer collects stays where he collects it.
    """

    kind: Literal["source_again"] = "source_again"
    node_id: NodeId | None = Field(default=None, description="Only work at this node; else at whichever node it is.")


BulkAction = Annotated[CancelOrders | HoldOrders | ReleaseOrders | SourceOrdersAgain, Field(discriminator="kind")]
"""What is done to each order of a bulk run."""

SCOPE_OF: Final[dict[type[Value], Scope]] = {
    CancelOrders: Scope.ORDERS_CANCEL,
    HoldOrders: Scope.ORDERS_HOLD,
    ReleaseOrders: Scope.ORDERS_HOLD,
    SourceOrdersAgain: Scope.FULFILMENTS_DIRECT,
}
"""What a caller needs beside `orders:bulk`: who may not do it to one order may not do it to many."""


class BulkSelection(Value):
    """Which orders: a list of them, or a filter and a saved view, which have to hold together."""

    orders: tuple[BulkOrderId, ...] | None = Field(
        default=None, min_length=1, max_length=MOST_NAMED, description="These orders, by id."
    )
    filter: OrderFilter | None = Field(default=None, description="Orders as the order list finds them by this filter.")
    view: str | None = Field(default=None, max_length=64, description="Orders of this saved view.")
