"""What an order's process sees of the order: as little as it acts on and shows. The store alone knows the rest."""

from datetime import datetime

from pydantic import Field

from dom.orders.cancellation import LineCancellation
from dom.orders.holds import BlockedStep
from dom.orders.order import Order
from dom.orders.status import FulfilmentStatus, OrderStatus, SourcingCause
from dom.shared.base import Value


class FulfilmentView(Value):
    """A fulfilment: `book` is the number of the booking it waits for, `void` are the bookings nobody needs, `intercept`
    the request that its carrier is to be asked to bring it back for.
    """

    fulfilment_id: str
    node_id: str
    status: FulfilmentStatus
    units: int
    tracking: str = ""
    book: int | None = None
    void: tuple[int, ...] = ()
    intercept: str | None = None


class HoldView(Value):
    """A hold that stands: what it blocks, when it ends by itself, and when a person is to hear of it."""

    hold_id: str
    type: str
    blocks: tuple[BlockedStep, ...]
    release_at: datetime | None = None
    overdue_at: datetime | None = None


class OrderView(Value):
    """An order. Units by line, where there are any.

    `revision`: how often it was edited, `order`: the order as it is since, for who knew an earlier one. `sourcings`:
    how often it was sourced, where units wait. `cause`: why waiting units lost their node, if they were not sourced
    since; `as_of` is the business time of that.
    """

    status: OrderStatus
    waiting: dict[str, int]
    cancelled: dict[str, int]
    fulfilments: tuple[FulfilmentView, ...]
    holds: tuple[HoldView, ...] = ()
    revision: int = 0
    order: Order | None = None
    sourcings: int = 0
    cause: SourcingCause | None = None
    as_of: datetime | None = None

    @property
    def to_source(self) -> dict[str, int]:
        """Units by line that wait for stock, unless a hold blocks their sourcing."""
        blocked = any(BlockedStep.SOURCING in hold.blocks for hold in self.holds)
        return {} if blocked else self.waiting


class OrderAfter(Value):
    """The order after a command, units by line that it cancelled or took back, and the hash of the request it answers,
    which is another one's if the request's id was used before. `lines`: what a cancellation came to.
    """

    view: OrderView
    units: dict[str, int] = Field(default={})
    lines: tuple[LineCancellation, ...] = ()
    request_hash: str | None = None


class Heeded(Value):
    """The order after a report; one that cannot be true is put before a person (`unexpected`)."""

    view: OrderView
    unexpected: bool
