"""Units that are not sent after all: taken out of work for a cancellation, or because a lost parcel arrived."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.arriving import Arriving, CountAsDelivered
    from activities.cancelling import CancelPart
    from activities.fulfilling import occasion
    from activities.looking_again import Answer
    from dom import ids
    from dom.errors import InvalidInput
    from dom.lifecycle import CancelledUnits, FulfilmentState, OrderState
    from dom.status import FulfilmentStatus
    from workflows.messages import CancelCall
    from workflows.platform import local

if TYPE_CHECKING:
    from workflows.fulfilment import Order

_TO_PACK_ANEW: Final = frozenset({FulfilmentStatus.PACKED, FulfilmentStatus.BOOKED})


def asked(state: OrderState, call: CancelCall) -> dict[str, int] | None:
    """The units a cancellation asks for, by line; None for all. Raises InvalidInput for a line that is not there."""
    if call.lines is None:
        return None
    units: dict[str, int] = {}
    for position, line in enumerate(call.lines):
        known = state.lines.get(line.line_id)
        if known is None or line.line_id in units:
            problem = "stands twice" if line.line_id in units else "is not in the order"
            raise InvalidInput(f"line {line.line_id} {problem}", field=f"lines[{position}].line_id")
        units[line.line_id] = line.quantity or known.quantity - known.cancelled
    return units


def take_out(state: OrderState, units: Sequence[CancelledUnits]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cancel planned units; answers the fulfilments that ended, and those that are to be packed anew."""
    return _reopened(state, units, state.apply_cancellation(units))


def _reopened(
    state: OrderState, units: Sequence[CancelledUnits], ended: Sequence[FulfilmentState]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    touched = {part.fulfilment_id for part in units if part.fulfilment_id is not None}
    reopened = [f for f in state.fulfilments.values() if f.id in touched and f.status in _TO_PACK_ANEW]
    for fulfilment in reopened:
        fulfilment.status = FulfilmentStatus.PICKED
    return tuple(f.id for f in ended), tuple(f.id for f in reopened)


def _arrive(
    state: OrderState, fulfilment_id: str, units: Sequence[CancelledUnits]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return _reopened(state, units, state.apply_arrival(fulfilment_id, units))


async def count_as_delivered(
    order: "Order",
    fulfilment: FulfilmentState,
    number: int,
    *,
    actor: str,
    reason: str,
    at: datetime,
    begun: bool = False,
) -> tuple[CancelledUnits, ...] | None:
    """A lost fulfilment arrived after all: the units that were to replace its own are taken back, and it is delivered.

    `begun`: also from work that nodes began, while it has not left. Answers the units; None, and nothing has happened,
    if they do not replace all of its own. Called by who holds `one_at_a_time`; `number` is the fulfilment's next step.
    """
    while True:
        units = order.state.plan_arrival(fulfilment.id, begun=begun)
        if units is None:
            return None
        after = deepcopy(order.state)
        ended, reopened = _arrive(after, fulfilment.id, units)
        request = CountAsDelivered(
            order_id=order.state.order_id,
            fulfilment_id=fulfilment.id,
            number=number,
            shipment_id=ids.booking_key(fulfilment.id, fulfilment.bookings) if fulfilment.bookings else None,
            parts=tuple(
                CancelPart(line_id=part.line_id, quantity=part.quantity, fulfilment_id=part.fulfilment_id)
                for part in units
            ),
            ended=ended,
            reopened=reopened,
            order_status=after.status(),
            actor=actor,
            reason=reason,
            occurred_at=at,
        )
        summary = f"{fulfilment.id} arrived after all"
        answer: Answer | None = await local(Arriving.count_as_delivered, request, summary)
        if answer is Answer.RECALLED:
            await order.take_in_second_looks()
            continue
        _arrive(order.state, fulfilment.id, units)
        order.tell(occasion(fulfilment.id, FulfilmentStatus.DELIVERED))
        order.show()
        return units
