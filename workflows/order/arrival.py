"""A lost parcel arrived after all: it counts as delivered, and what was to replace it is taken out of work."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.arriving import Arriving, ParcelArrived
    from activities.looking_again import Answer
    from dom.orders.commands import CountAsDelivered
    from dom.orders.lifecycle import FulfilmentState
    from dom.orders.transitions import decide
    from dom.shared.errors import StepNotPossible
    from workflows.activity_calls import local
    from workflows.order.interface import OrderProcess


async def count_as_delivered(
    order: OrderProcess,
    fulfilment: FulfilmentState,
    *,
    actor: str,
    reason: str,
    at: datetime,
    begun: bool = False,
) -> dict[str, int] | None:
    """A lost fulfilment arrived after all: the units that were to replace its own are taken back, and it is delivered.

    `begun`: also from work that nodes began, while it has not left. Answers the units by line; None, and nothing has
    happened, if they do not replace all of its own. Called by who holds `one_at_a_time`.
    """
    command = CountAsDelivered(fulfilment_id=fulfilment.id, actor=actor, at=at, reason=reason, begun=begun)
    while True:
        try:
            change = decide(order.state, command)
        except StepNotPossible:
            return None
        request = ParcelArrived(
            order_id=order.state.order_id,
            number=order.state.fulfilments[fulfilment.id].steps + 1,
            command=command,
            planned=frozenset(change.moved),
        )
        answer: Answer | None = await local(Arriving.count_as_delivered, request, f"{fulfilment.id} arrived after all")
        if answer is Answer.RECALLED:
            await order.take_in_second_looks()
            continue
        order.committed(change)
        taken_back: dict[str, int] = {}
        for move in change.moved:
            taken_back[move.line_id] = taken_back.get(move.line_id, 0) + move.quantity
        return taken_back
