"""The life of an order's units: where each one stands, what may happen next, and what the order's status is.

Every unit of a line is in one place: cancelled, waiting for stock (`backordered`), or in a living fulfilment. The
invariant `quantity = cancelled + backordered + in living fulfilments` holds after every method here. What a command
changes is decided in `dom.orders.transitions`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dom.orders.asked import AskedOf, OpenCancellation
from dom.orders.holds import BlockedStep, Hold, blocking
from dom.orders.pickup import Pickup
from dom.orders.status import (
    BEFORE_HAND_OVER,
    ENDED_UNDELIVERED,
    FINAL_FULFILMENT,
    FulfilmentStatus,
    FulfilmentStep,
    OrderStatus,
)
from dom.shared.errors import CannotCancel, StepNotPossible

_S = FulfilmentStatus

PROGRESS: Final[Mapping[FulfilmentStatus, int]] = {
    _S.RELEASED: 0,
    _S.ACCEPTED: 1,
    _S.PICKED: 2,
    _S.PACKED: 3,
    _S.BOOKED: 4,
    _S.READY: 4,
    _S.HANDED_OVER: 5,
    _S.DELIVERED: 6,
    _S.COLLECTED: 6,
}
"""How far the work is; a status that is not in it ended without the goods reaching the customer."""


AT_THE_NODE: Final = "at the node"
"""How far work is whose next step is the node's own."""


def followed(status: FulfilmentStatus) -> str:
    """How far a fulfilment is, as its order's process follows it: it has nothing to do until the node has packed."""
    return AT_THE_NODE if status in {_S.RELEASED, _S.ACCEPTED, _S.PICKED} else status


def after_step(status: FulfilmentStatus, step: FulfilmentStep, *, pickup: bool) -> FulfilmentStatus:
    """The status a node's report leads to. A later step implies the earlier ones of the node's own work.

    Raises StepNotPossible for a step behind the present status, of another kind of fulfilment, or too early: goods
    are handed over only with a booked carrier, and collected only when they are ready.
    """
    targets: dict[FulfilmentStep, FulfilmentStatus] = {
        FulfilmentStep.ACCEPT: _S.ACCEPTED,
        FulfilmentStep.PICK: _S.PICKED,
        FulfilmentStep.PACK: _S.READY if pickup else _S.PACKED,
        FulfilmentStep.REJECT: _S.REJECTED,
        FulfilmentStep.COLLECT: _S.COLLECTED,
        FulfilmentStep.HAND_OVER: _S.HANDED_OVER,
    }
    target = targets[step]
    if status in FINAL_FULFILMENT:
        raise StepNotPossible(f"the fulfilment is {status}; {step} is not possible any more")
    if step is FulfilmentStep.REJECT:
        possible = status in {_S.RELEASED, _S.ACCEPTED}
    elif step is FulfilmentStep.HAND_OVER:
        possible = status is _S.BOOKED
    elif step is FulfilmentStep.COLLECT:
        possible = status is _S.READY
    else:
        possible = PROGRESS[status] < PROGRESS[target]
    if not possible:
        raise StepNotPossible(f"the fulfilment is {status}; {step} is not possible now")
    return target


def is_repeat(status: FulfilmentStatus, step: FulfilmentStep, *, brought: bool = False) -> bool:
    """Whether a report says what is known already: harmless, and to be answered as such. `brought`: a carrier brings
    the goods to the store where the customer collects them.
    """
    reached = {
        FulfilmentStep.ACCEPT: 1,
        FulfilmentStep.PICK: 2,
        FulfilmentStep.PACK: 3,
        FulfilmentStep.HAND_OVER: 5,
        FulfilmentStep.COLLECT: 6,
    }
    if step is FulfilmentStep.REJECT:
        return status is _S.REJECTED
    return progress(status, brought=brought) >= reached[step]


def progress(status: FulfilmentStatus, *, brought: bool) -> int:
    """How far the work is; below zero where it ended. Goods that a carrier brought to a store were handed over."""
    if brought and status is _S.READY:
        return PROGRESS[_S.HANDED_OVER]
    return PROGRESS.get(status, -1)


@dataclass(slots=True)
class LineState:
    """An order line's units."""

    line_id: str
    sku: str
    quantity: int
    unit_price: int
    cancelled: int = 0
    backordered: int = 0


@dataclass(slots=True)
class FulfilmentState:
    """One node's work for the order."""

    id: str
    node_id: str
    pickup: bool
    lines: dict[str, int]
    status: FulfilmentStatus = FulfilmentStatus.RELEASED
    steps: int = 0
    """How many steps of it were written down; their business keys are numbered."""
    packings: int = 0
    """How often it was packed; the carrier is booked once for each, under that number."""
    found: Mapping[str, int] | None = None
    """Units its pick found, by line, cancelled ones among them; None before a pick was reported."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Units its pick did not find, by line."""
    reshipped: bool = False
    """Whether its parcel came back, and its units were to be sent once more."""
    comes_back: bool = False
    """Whether a return waits, or waited, for its parcel: its carrier brings it back, also after it was lost."""
    ship_by: datetime | None = None
    """By when it must leave its node to arrive as planned."""
    collection: Pickup | None = None
    """How its goods wait for the customer; None where they do not, or since before there were codes."""
    put_back: bool | None = None
    """Whether the node has put back what was ready for a customer and is not collected, all or some of it; None where
    there is nothing of the kind.
    """
    pickup_node: str | None = None
    """The store that a carrier brings its goods to, where the customer collects them; None for all else."""

    @property
    def brought(self) -> bool:
        """Whether a carrier brings its goods to the store where the customer collects them."""
        return self.pickup_node is not None

    @property
    def came(self) -> bool:
        """Whether goods that a carrier brings to a store have come there, whatever became of them since."""
        return self.brought and (self.status in {_S.READY, _S.COLLECTED} or self.put_back is not None)

    @property
    def place(self) -> str:
        """The node where its goods are, or were until they left it: the store, once they came there."""
        return self.pickup_node if self.pickup_node is not None and self.came else self.node_id

    @property
    def progress(self) -> int:
        """How far it is; below zero where it ended without the goods reaching the customer."""
        return progress(self.status, brought=self.brought)

    @property
    def living(self) -> bool:
        """Whether its units are still on their way to the customer, or there."""
        return self.status not in ENDED_UNDELIVERED

    @property
    def cancellable(self) -> bool:
        """Whether its units can still be taken out."""
        return self.status in BEFORE_HAND_OVER


@dataclass(frozen=True, slots=True)
class CancelledUnits:
    """Units to be cancelled: of a fulfilment, or (None) of those that wait for stock."""

    line_id: str
    quantity: int
    fulfilment_id: str | None


@dataclass(frozen=True, slots=True)
class Followed:
    """What an order's process acts on or shows: the order's status, units that wait and are cancelled by line, how far
    each fulfilment is and how often it was packed, the holds that stand, how often the order was edited, and which
    parcels their carriers are asked to bring back.
    """

    status: OrderStatus
    lines: Mapping[str, tuple[int, int]]
    fulfilments: Mapping[str, tuple[str, int]]
    holds: Mapping[str, Hold]
    revision: int
    intercepts: frozenset[str]


@dataclass(slots=True)
class OrderState:
    """All units of an order, as the store holds them."""

    order_id: str
    lines: dict[str, LineState]
    fulfilments: dict[str, FulfilmentState] = field(default_factory=dict)
    cancellations: int = 0
    """How many times units of it were cancelled; their business keys are numbered."""
    holds: dict[str, Hold] = field(default_factory=dict)
    """Those that stand, by id."""
    holds_placed: int = 0
    """How many were ever put on; their ids are numbered."""
    revision: int = 0
    """How often the order was edited."""
    asked: dict[str, OpenCancellation] = field(default_factory=dict)
    """Cancellations that nodes were asked for and have not answered, by id."""
    ever_asked: int = 0
    """How many were ever asked for; their ids are numbered."""
    priority: int | None = None
    """Its own place among orders that wait for stock; None: its channel's."""

    @property
    def living(self) -> Iterator[FulfilmentState]:
        """Fulfilments whose units are on their way, or arrived."""
        return (f for f in self.fulfilments.values() if f.living)

    @property
    def backordered(self) -> bool:
        """Whether units wait for stock."""
        return any(line.backordered for line in self.lines.values())

    @property
    def waiting(self) -> dict[str, int]:
        """Units that wait for stock, by line."""
        return {line.line_id: line.backordered for line in self.lines.values() if line.backordered}

    def blocked(self, step: BlockedStep) -> bool:
        """Whether a hold blocks the step."""
        return bool(blocking(self.holds.values(), step))

    @property
    def followed(self) -> Followed:
        """What the order's process acts on or shows: while it is the same, the process need not hear of a change."""
        return Followed(
            self.status(),
            {line.line_id: (line.backordered, line.cancelled) for line in self.lines.values()},
            {f.id: (followed(f.status), f.packings) for f in self.fulfilments.values()},
            dict(self.holds),
            self.revision,
            frozenset(each.id for each in self.asked.values() if each.asked_of is AskedOf.CARRIER),
        )

    def status(self) -> OrderStatus:
        """The order's status, worked out of its units."""
        living = list(self.living)
        if not living:
            return OrderStatus.BACKORDERED if self.backordered else OrderStatus.CANCELLED
        reached = [f.progress for f in living]
        everything_left = not self.backordered and min(reached) >= PROGRESS[_S.HANDED_OVER]
        if everything_left:
            return OrderStatus.DELIVERED if min(reached) >= PROGRESS[_S.DELIVERED] else OrderStatus.SHIPPED
        furthest = max(reached)
        if furthest >= PROGRESS[_S.HANDED_OVER]:
            return OrderStatus.PART_SHIPPED
        return OrderStatus.IN_FULFILMENT if furthest > 0 else OrderStatus.ACCEPTED

    def add(self, fulfilment: FulfilmentState) -> None:
        """Take a sourced fulfilment in; its units stop waiting for stock."""
        self.fulfilments[fulfilment.id] = fulfilment
        for line_id, quantity in fulfilment.lines.items():
            self.lines[line_id].backordered -= quantity

    def plan_cancellation(self, asked: Mapping[str, int] | None) -> tuple[CancelledUnits, ...]:
        """Which units a cancellation takes: first those that wait for stock, then the least advanced work.

        `asked` is units by line; None means every unit not cancelled yet. Raises CannotCancel, and takes nothing,
        if any asked unit is handed over or cancelled already, or none is left of what was asked.
        """
        if asked is None:
            asked = {line.line_id: line.quantity - line.cancelled for line in self.lines.values()}
            asked = {line_id: quantity for line_id, quantity in asked.items() if quantity}
        free = {line_id: self._cancellable(line_id) for line_id in self.lines}
        short = {i: q for i, q in asked.items() if q > free.get(i, 0)}
        if short or not any(asked.values()):
            raise CannotCancel(
                _refusal(short, free),
                field="lines",
                data={"cancellable": {line_id: quantity for line_id, quantity in free.items() if quantity}},
            )
        return tuple(part for line_id, quantity in asked.items() for part in self._parts(line_id, quantity))

    @property
    def cancellable(self) -> dict[str, int]:
        """Units that can be cancelled now, by line: those that wait, and those that no carrier or customer has."""
        free = {line_id: self._cancellable(line_id) for line_id in self.lines}
        return {line_id: quantity for line_id, quantity in free.items() if quantity}

    def plan_arrival(self, fulfilment_id: str, *, begun: bool) -> tuple[CancelledUnits, ...] | None:
        """Which units stand in for those of a lost fulfilment that arrived after all: first those that wait for stock,
        then work no node has begun, then, with `begun`, work that has not left its node. The latest work comes first.

        None if that is not enough for every unit: some went out again, or were cancelled.
        """
        parts: list[CancelledUnits] = []
        latest_first = list(self.fulfilments.values())[::-1]
        for line_id, quantity in self.fulfilments[fulfilment_id].lines.items():
            waiting = min(quantity, self.lines[line_id].backordered)
            if waiting:
                parts.append(CancelledUnits(line_id, waiting, None))
            rest = quantity - waiting
            for other in sorted(latest_first, key=lambda f: max(f.progress, 0)):
                free = other.cancellable if begun else other.status is _S.RELEASED
                taken = min(rest, other.lines.get(line_id, 0)) if free else 0
                if taken:
                    parts.append(CancelledUnits(line_id, taken, other.id))
                    rest -= taken
            if rest:
                return None
        return tuple(parts)

    def _cancellable(self, line_id: str) -> int:
        in_work = sum(f.lines.get(line_id, 0) for f in self.fulfilments.values() if f.cancellable)
        return self.lines[line_id].backordered + in_work

    def _parts(self, line_id: str, quantity: int) -> Iterator[CancelledUnits]:
        waiting = min(quantity, self.lines[line_id].backordered)
        if waiting:
            yield CancelledUnits(line_id, waiting, None)
        rest = quantity - waiting
        for fulfilment in sorted(self.fulfilments.values(), key=lambda f: max(f.progress, 0)):
            taken = min(rest, fulfilment.lines.get(line_id, 0)) if fulfilment.cancellable else 0
            if taken:
                yield CancelledUnits(line_id, taken, fulfilment.id)
                rest -= taken


def _refusal(short: Mapping[str, int], free: Mapping[str, int]) -> str:
    if not short:
        return "every unit asked for is cancelled already"
    parts = [f"line {i}: {q} asked, {free.get(i, 0)} can be cancelled" for i, q in short.items()]
    return "units are handed over or cancelled already (" + "; ".join(parts) + ")"
