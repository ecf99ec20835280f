"""What a cancellation may come to: how much of what is asked is cancelled, and why the rest is not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from dom.orders.lifecycle import PROGRESS, CancelledUnits, FulfilmentState, OrderState
from dom.orders.status import ARRIVED, BEFORE_HAND_OVER, FulfilmentStatus
from dom.shared.base import Utc, Value


class CancelMode(StrEnum):
    """What is to happen where not all that is asked can be cancelled."""

    ALL = "all"
    """Nothing is cancelled then."""
    POSSIBLE = "possible"
    """What can be cancelled is cancelled, and the rest is left, each with a reason."""
    ASK = "ask"
    """The same, but what a node has picked is not taken from it: the node is asked, and answers. A carrier is asked to
    bring back a parcel that is to be cancelled whole.
    """


class LeftReason(StrEnum):
    """Why units that were asked for were not cancelled. The value is stored, and callers read it."""

    HANDED_OVER = "handed_over"
    """A carrier has them."""
    WITH_CUSTOMER = "with_customer"
    """They were delivered or collected."""
    OTHER_NODE = "other_node"
    """They are in the work of a node that the caller has no access to."""
    ASKED = "asked"
    """Their node has picked them, and is asked now; it grants or refuses."""
    CARRIER_ASKED = "carrier_asked"
    """A carrier has them, and is asked now to bring them back."""
    ASKED_BEFORE = "asked_before"
    """Their node or carrier was asked before, and has not answered yet."""
    CANCELLED_ALREADY = "cancelled_already"
    NOT_ORDERED = "not_ordered"
    """The line never had so many."""


class LeftUnits(Value):
    """Units that were asked for and not cancelled."""

    quantity: int = Field(description="Units that were not cancelled.")
    reason: LeftReason
    fulfilment_id: str | None = Field(default=None, description="The work they are in; null where they are in none.")
    request_id: str | None = Field(default=None, description="The request that their node or carrier is to answer.")
    answer_by: Utc | None = Field(default=None, description="Until when there is time to answer it.")


class LineCancellation(Value):
    """What a cancellation came to for one line: asked = cancelled + what is left."""

    line_id: str
    asked: int = Field(description="Units of the line that were to be cancelled.")
    cancelled: int = Field(description="Units of the line that were cancelled.")
    left: tuple[LeftUnits, ...] = Field(default=(), description="Those that were not, by where they are and why.")


@dataclass(frozen=True, slots=True)
class CancellationPlan:
    """The units to take, and what the cancellation comes to by line."""

    parts: tuple[CancelledUnits, ...]
    lines: tuple[LineCancellation, ...]


_GONE: Final = dict.fromkeys(ARRIVED, LeftReason.WITH_CUSTOMER)
_R: Final = LeftReason
_SEQUENCE: Final = (None, _R.ASKED, _R.CARRIER_ASKED, _R.ASKED_BEFORE, _R.OTHER_NODE, _R.HANDED_OVER, _R.WITH_CUSTOMER)
"""In which sequence units in work are taken or left, by why they are left; within each the least advanced first."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where units of a line are, and why they cannot be cancelled at once."""

    fulfilment_id: str | None
    units: int
    why_not: LeftReason | None = None
    request_id: str | None = None


def plan(
    state: OrderState, asked: Mapping[str, int], nodes: Set[str] | None, *, asks: bool = False
) -> CancellationPlan:
    """As much of what is asked, units by line, as can be cancelled: first units that wait for stock, then the least
    advanced work, of these nodes alone (None: of any). With `asks` a node is asked for what it has picked, and
    a carrier for what it has.
    """
    planned = {
        line_id: _of_line(list(_places(state, line_id, nodes, asks=asks)), line_id, units)
        for line_id, units in asked.items()
    }
    return CancellationPlan(
        parts=tuple(part for parts, _ in planned.values() for part in parts),
        lines=tuple(
            LineCancellation(
                line_id=line_id,
                asked=asked[line_id],
                cancelled=sum(part.quantity for part in parts),
                left=tuple(left),
            )
            for line_id, (parts, left) in planned.items()
        ),
    )


def _of_line(places: list[_Place], line_id: str, units: int) -> tuple[list[CancelledUnits], list[LeftUnits]]:
    parts: list[CancelledUnits] = []
    left: list[LeftUnits] = []
    for place in places:
        taken = min(place.units, units)
        if not taken:
            continue
        units -= taken
        if place.why_not is None:
            parts.append(CancelledUnits(line_id, taken, place.fulfilment_id))
            continue
        where = {"fulfilment_id": place.fulfilment_id, "request_id": place.request_id}
        left.append(LeftUnits(quantity=taken, reason=place.why_not, **where))
    if units:
        left.append(LeftUnits(quantity=units, reason=LeftReason.NOT_ORDERED))
    return parts, left


def _places(state: OrderState, line_id: str, nodes: Set[str] | None, *, asks: bool) -> Iterator[_Place]:
    """Where the line's units are, in the sequence in which they are taken or left."""
    line = state.lines.get(line_id)
    if line is None:
        return
    yield _Place(None, line.backordered)
    working = sorted(state.living, key=lambda f: PROGRESS[f.status])
    in_work = [place for f in working for place in _in_work(state, f, line_id, _why_not(f, nodes, asks=asks))]
    yield from sorted(in_work, key=lambda place: _SEQUENCE.index(place.why_not))
    yield _Place(None, line.cancelled, LeftReason.CANCELLED_ALREADY)


def _in_work(
    state: OrderState, fulfilment: FulfilmentState, line_id: str, why_not: LeftReason | None
) -> Iterator[_Place]:
    units = fulfilment.lines.get(line_id, 0)
    if why_not in {LeftReason.ASKED, LeftReason.CARRIER_ASKED}:
        for asked in state.asked.values():
            if asked.fulfilment_id == fulfilment.id and (before := min(asked.units.get(line_id, 0), units)):
                yield _Place(fulfilment.id, before, LeftReason.ASKED_BEFORE, asked.id)
                units -= before
    yield _Place(fulfilment.id, units, why_not)


def _why_not(fulfilment: FulfilmentState, nodes: Set[str] | None, *, asks: bool) -> LeftReason | None:
    is_own = nodes is None or fulfilment.place in nodes
    if fulfilment.status not in BEFORE_HAND_OVER:
        if asks and is_own and fulfilment.status is FulfilmentStatus.HANDED_OVER:
            return LeftReason.CARRIER_ASKED
        return _GONE.get(fulfilment.status, LeftReason.HANDED_OVER)
    if not is_own:
        return LeftReason.OTHER_NODE
    return LeftReason.ASKED if asks and is_picked(fulfilment) else None


def is_picked(fulfilment: FulfilmentState) -> bool:
    """Whether the node has picked the goods, and they have not left it."""
    return fulfilment.status in BEFORE_HAND_OVER and PROGRESS[fulfilment.status] >= PROGRESS[FulfilmentStatus.PICKED]


def of_event(data: Mapping[str, Any]) -> tuple[LineCancellation, ...]:
    """What a cancellation came to, of the data of its event."""
    left: dict[str, list[LeftUnits]] = {}
    for each in data.get("left") or ():
        left.setdefault(each["line_id"], []).append(LeftUnits.model_validate(without_line(each)))
    cancelled = data.get("lines", {})
    asked = {**cancelled, **{i: cancelled.get(i, 0) + sum(each.quantity for each in left[i]) for i in left}}
    return tuple(
        LineCancellation(
            line_id=line_id, asked=units, cancelled=cancelled.get(line_id, 0), left=tuple(left.get(line_id, ()))
        )
        for line_id, units in sorted(asked.items(), key=lambda each: (len(each[0]), each[0]))
    )


def without_line(each: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of units that were left, without the line they are of."""
    return {name: value for name, value in each.items() if name != "line_id"}


def units_taken(data: Mapping[str, Any]) -> dict[str, int]:
    """Units by line that an event took from the order: what a cancellation cancelled, or what a parcel that arrived
    after all left of its replacement. Nothing, of events that take none.
    """
    if "taken_back" not in data:
        return dict(data.get("lines", {}))
    units = Counter[str](data["waited"])
    for lines in data["taken_back"].values():
        units.update(lines)
    return dict(units)
