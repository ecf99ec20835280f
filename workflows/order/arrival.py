"""A lost parcel arrived after all: it counts as delivered, and what was to replace it is taken out of work."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.arriving import Arriving, CountAsDelivered
    from activities.cancelling import CancelPart
    from activities.looking_again import Answer
    from dom.orders.lifecycle import CancelledUnits, FulfilmentState, OrderState
    from dom.shared import ids
    from workflows.activity_calls import local
    from workflows.order.cancelling import packed_anew
    from workflows.order.interface import Order


def _arrive(
    state: OrderState, fulfilment_id: str, units: Sequence[CancelledUnits]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return packed_anew(state, units, state.apply_arrival(fulfilment_id, units))


async def count_as_delivered(
    order: Order,
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
        order.show()
        return units
