"""What a cancellation may come to: how much of what is asked is cancelled, and why the rest is not."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from dom.orders.lifecycle import PROGRESS, CancelledUnits, FulfilmentState, OrderState
from dom.orders.status import ARRIVED, BEFORE_HAND_OVER, ENDED_UNDELIVERED
from dom.shared.base import Value


class CancelMode(StrEnum):
    """What is to happen where not all that is asked can be cancelled."""

    ALL = "all"
    """Nothing is cancelled then."""
    POSSIBLE = "possible"
    """What can be cancelled is cancelled, and the rest is left, each with a reason."""


class LeftReason(StrEnum):
    """Why units that were asked for were not cancelled. The value is stored, and callers read it."""

    HANDED_OVER = "handed_over"
    """A carrier has them."""
    WITH_CUSTOMER = "with_customer"
    """They were delivered or collected."""
    OTHER_NODE = "other_node"
    """They are in the work of a node that the caller has no access to."""
    CANCELLED_ALREADY = "cancelled_already"
    NOT_ORDERED = "not_ordered"
    """The line never had so many."""


class LeftUnits(Value):
    """Units that were asked for and not cancelled."""

    quantity: int = Field(description="Units that were not cancelled.")
    reason: LeftReason
    fulfilment_id: str | None = Field(default=None, description="The work they are in; null where they are in none.")


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


def plan(state: OrderState, asked: Mapping[str, int], nodes: Set[str] | None) -> CancellationPlan:
    """As much of what is asked, units by line, as can be cancelled: first units that wait for stock, then the least
    advanced work, of these nodes alone (None: of any).
    """
    planned = {line_id: _of_line(state, line_id, units, nodes) for line_id, units in asked.items()}
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


def _of_line(
    state: OrderState, line_id: str, units: int, nodes: Set[str] | None
) -> tuple[list[CancelledUnits], list[LeftUnits]]:
    parts: list[CancelledUnits] = []
    left: list[LeftUnits] = []
    for place, quantity, reason in _places(state, line_id, nodes):
        taken = min(quantity, units)
        if taken and reason is None:
            parts.append(CancelledUnits(line_id, taken, place))
        elif taken and reason is not None:
            left.append(LeftUnits(quantity=taken, reason=reason, fulfilment_id=place))
        units -= taken
    if units:
        left.append(LeftUnits(quantity=units, reason=LeftReason.NOT_ORDERED))
    return parts, left


def _places(
    state: OrderState, line_id: str, nodes: Set[str] | None
) -> Iterator[tuple[str | None, int, LeftReason | None]]:
    """Where the line's units are, in the sequence in which they are cancelled, and why those at the end cannot be."""
    line = state.lines.get(line_id)
    if line is None:
        return
    yield None, line.backordered, None
    working = [f for f in state.fulfilments.values() if f.status not in ENDED_UNDELIVERED]
    working.sort(key=lambda f: (_why_not(f, nodes) is not None, PROGRESS[f.status]))
    for fulfilment in working:
        yield fulfilment.id, fulfilment.lines.get(line_id, 0), _why_not(fulfilment, nodes)
    yield None, line.cancelled, LeftReason.CANCELLED_ALREADY


def _why_not(fulfilment: FulfilmentState, nodes: Set[str] | None) -> LeftReason | None:
    if fulfilment.status not in BEFORE_HAND_OVER:
        return _GONE.get(fulfilment.status, LeftReason.HANDED_OVER)
    return None if nodes is None or fulfilment.node_id in nodes else LeftReason.OTHER_NODE


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
