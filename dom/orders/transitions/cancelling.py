"""What a cancellation changes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from dom.notifications.messages import MessageKind
from dom.orders.changes import CANCELLED, Notification, OrderChange, OrderEvent
from dom.orders.commands import CancelRest, CancelUnits, GiveUpWaiting
from dom.orders.events import CancelledData, EventKind
from dom.orders.lifecycle import CancelledUnits, OrderState
from dom.orders.transitions.shared import taken_out
from dom.shared.access import OFL
from dom.shared.errors import Forbidden, StepNotPossible


def cancellation_key(number: int) -> str:
    """The key of the messages of an order's cancellation."""
    return f"cancelled:{number}"


def cancel_units(state: OrderState, command: CancelUnits) -> OrderChange:
    units = state.plan_cancellation(_asked_units(state, command))
    for part in units:
        node_id = part.fulfilment_id and state.fulfilments[part.fulfilment_id].node_id
        if node_id and command.nodes is not None and node_id not in command.nodes:
            raise Forbidden(f"{command.actor} has no access to {node_id}, which works on line {part.line_id}")
    return _cancelled(state, command, units)


def _asked_units(state: OrderState, command: CancelUnits) -> dict[str, int] | None:
    if command.lines is None:
        return None
    left = {line.line_id: line.quantity - line.cancelled for line in state.lines.values()}
    return {line_id: left.get(line_id, 0) if units is None else units for line_id, units in command.lines.items()}


def cancel_rest(state: OrderState, command: CancelRest) -> OrderChange:
    return _cancelled(state, command, state.plan_cancellation(state.cancellable))


def give_up_waiting(state: OrderState, command: GiveUpWaiting) -> OrderChange:
    units = [CancelledUnits(line_id, quantity, None) for line_id, quantity in state.waiting.items()]
    if not units:
        raise StepNotPossible("no units wait for stock")
    return _cancelled(state, command, units)


def _cancelled(
    state: OrderState, command: CancelUnits | CancelRest | GiveUpWaiting, units: Sequence[CancelledUnits]
) -> OrderChange:
    by_line: defaultdict[str, int] = defaultdict(int)
    for part in units:
        by_line[part.line_id] += part.quantity
    key = cancellation_key(state.cancellations + 1)
    data = CancelledData(lines=dict(by_line))
    event = OrderEvent(EventKind.CANCELLED, key, command.actor, command.at, command.reason, data)
    context = {"lines": dict(by_line), "reason": command.reason, "gave_up": command.actor == OFL}
    return replace(
        taken_out(state, units, CANCELLED, event),
        notifications=(Notification(MessageKind.CANCELLED, key, context),),
        is_cancellation=True,
    )
