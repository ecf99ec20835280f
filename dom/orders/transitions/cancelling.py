"""What a cancellation changes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from dom.notifications.messages import MessageKind
from dom.orders.cancellation import CancellationPlan, CancelMode, plan
from dom.orders.changes import CANCELLED, Notification, OrderChange, OrderEvent
from dom.orders.commands import CancelRest, CancelUnits, GiveUpWaiting
from dom.orders.events import CancelledData, EventKind, LeftOfLine
from dom.orders.lifecycle import CancelledUnits, OrderState
from dom.orders.transitions.shared import taken_out
from dom.shared.access import OFL
from dom.shared.errors import CannotCancel, Forbidden, StepNotPossible


def cancellation_key(number: int) -> str:
    """The key of the messages of an order's cancellation."""
    return f"cancelled:{number}"


def cancel_units(state: OrderState, command: CancelUnits) -> OrderChange:
    planned = plan(state, _itemised(state, command), None if command.nodes is None else frozenset(command.nodes))
    if command.mode is CancelMode.POSSIBLE:
        if not planned.parts:
            raise CannotCancel("nothing of what is asked can be cancelled", field="lines", data=_answered(planned))
        return _with_left(_cancelled(state, command, planned.parts), planned)
    try:
        units = state.plan_cancellation(_asked_units(state, command))
    except CannotCancel as error:
        raise CannotCancel(error.detail, field=error.field, data={**error.data, **_answered(planned)}) from error
    for part in units:
        node_id = part.fulfilment_id and state.fulfilments[part.fulfilment_id].node_id
        if node_id and command.nodes is not None and node_id not in command.nodes:
            raise Forbidden(f"{command.actor} has no access to {node_id}, which works on line {part.line_id}")
    return _cancelled(state, command, units)


def _itemised(state: OrderState, command: CancelUnits) -> dict[str, int]:
    """Units by line that are asked for: of a line, or the order, those that are not cancelled. Of a line that has none
    of these it is all of it, so that each of its units has a reason.
    """
    quantity = {line.line_id: line.quantity for line in state.lines.values()}
    left = {line.line_id: line.quantity - line.cancelled for line in state.lines.values()}
    if command.lines is None:
        return {line_id: units for line_id, units in left.items() if units}
    return {
        line_id: units or left.get(line_id, 0) or quantity.get(line_id, 0) for line_id, units in command.lines.items()
    }


def _answered(planned: CancellationPlan) -> dict[str, object]:
    """What a refusal says of each line; nothing of it was done."""
    kept = [line.model_dump(mode="json", exclude_none=True, exclude={"cancelled"}) for line in planned.lines]
    return {"lines": kept}


def _with_left(change: OrderChange, planned: CancellationPlan) -> OrderChange:
    left = tuple(LeftOfLine(line_id=line.line_id, **dict(units)) for line in planned.lines for units in line.left)
    data = change.event.data.model_copy(update={"left": left or None})
    return replace(change, event=replace(change.event, data=data))


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
