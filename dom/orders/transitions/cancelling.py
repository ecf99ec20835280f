"""What a cancellation changes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dom.orders.asked import AskedOf, OpenCancellation
from dom.orders.cancellation import CancellationPlan, CancelMode, LeftReason, LeftUnits, LineCancellation, plan
from dom.orders.changes import WAITING, OrderChange, OrderEvent
from dom.orders.commands import CancelRest, CancelUnits, GiveUpWaiting
from dom.orders.events import CancelledData, EventKind, LeftOfLine
from dom.orders.lifecycle import CancelledUnits, OrderState
from dom.orders.status import FulfilmentStatus
from dom.orders.transitions.shared import cancelled, listed_units
from dom.shared import ids
from dom.shared.errors import CannotCancel, Forbidden, StepNotPossible

_ASKS: Final = frozenset({LeftReason.ASKED, LeftReason.CARRIER_ASKED})
_ASKED_OF: Final = {FulfilmentStatus.HANDED_OVER: AskedOf.CARRIER}


def cancel_units(state: OrderState, command: CancelUnits) -> OrderChange:
    nodes = None if command.nodes is None else frozenset(command.nodes)
    planned = plan(state, _itemised(state, command), nodes, asks=command.mode is CancelMode.ASK)
    if command.mode is CancelMode.ASK:
        return _asking(state, command, planned)
    if command.mode is CancelMode.POSSIBLE:
        if not planned.parts:
            raise CannotCancel("nothing of what is asked can be cancelled", field="lines", data=_answered(planned))
        return _with_left(_cancelled(state, command, planned.parts), planned)
    try:
        units = state.plan_cancellation(_asked_units(state, command))
        units = _named(state, command) if command.taken_from else units
    except CannotCancel as error:
        raise CannotCancel(error.detail, field=error.field, data={**error.data, **_answered(planned)}) from error
    for part in units:
        node_id = part.fulfilment_id and state.fulfilments[part.fulfilment_id].place
        if node_id and command.nodes is not None and node_id not in command.nodes:
            raise Forbidden(f"{command.actor} has no access to {node_id}, which works on line {part.line_id}")
    return _cancelled(state, command, units)


def _named(state: OrderState, command: CancelUnits) -> tuple[CancelledUnits, ...]:
    """The units that the command names by their places. Raises CannotCancel if some are not there any more."""
    units = tuple(
        CancelledUnits(line_id, quantity, None if place == WAITING else place)
        for place, lines in sorted(command.taken_from.items())
        for line_id, quantity in lines.items()
    )
    for each in units:
        work = state.fulfilments.get(each.fulfilment_id or "")
        there = state.waiting if each.fulfilment_id is None else work.lines if work and work.cancellable else {}
        if there.get(each.line_id, 0) < each.quantity:
            where = each.fulfilment_id or WAITING
            raise CannotCancel(f"line {each.line_id}: {each.quantity} units are not {where} any more", field="lines")
    return units


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


def _asking(state: OrderState, command: CancelUnits, planned: CancellationPlan) -> OrderChange:
    """What can be cancelled at once is, and of the rest the nodes are asked."""
    asked, lines = _requests(state, command, planned)
    planned = replace(planned, lines=lines)
    if not planned.parts and not asked:
        raise CannotCancel("nothing of what is asked can be cancelled", field="lines", data=_answered(planned))
    if planned.parts:
        return replace(_with_left(_cancelled(state, command, planned.parts), planned), asked=asked)
    event = OrderEvent(
        EventKind.CANCELLATION_ASKED, asked[0].id, command.actor, command.at, command.reason, CancelledData(lines={})
    )
    return _with_left(OrderChange(event=event, asked=asked), planned)


def _requests(
    state: OrderState, command: CancelUnits, planned: CancellationPlan
) -> tuple[tuple[OpenCancellation, ...], tuple[LineCancellation, ...]]:
    """A request for each fulfilment whose node is to be asked, and the plan's lines, which say of units which it is."""
    units: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for line in planned.lines:
        for left in line.left:
            if left.reason in _ASKS and left.fulfilment_id is not None:
                units[left.fulfilment_id][line.line_id] = left.quantity
    of = {i: _ASKED_OF.get(state.fulfilments[i].status, AskedOf.NODE) for i in units}
    whole = {i: n for i, n in units.items() if of[i] is AskedOf.NODE or n == listed_units(state.fulfilments[i])}
    asked = {
        fulfilment_id: OpenCancellation(
            ids.cancellation_request_id(state.order_id, state.ever_asked + number),
            fulfilment_id,
            lines,
            command.answer_by.get(fulfilment_id, command.at),
            command.reason,
            of[fulfilment_id],
        )
        for number, (fulfilment_id, lines) in enumerate(sorted(whole.items()), start=1)
    }

    def named(left: LeftUnits) -> LeftUnits:
        request = asked.get(left.fulfilment_id or "") if left.reason in _ASKS else None
        request = request or state.asked.get(left.request_id or "")
        if request is None:  # of a parcel that is with its carrier only a part is to be cancelled
            return left.model_copy(update={"reason": LeftReason.HANDED_OVER}) if left.reason in _ASKS else left
        return left.model_copy(update={"request_id": request.id, "answer_by": request.answer_by})

    lines = tuple(line.model_copy(update={"left": tuple(map(named, line.left))}) for line in planned.lines)
    return tuple(asked.values()), lines


def _cancelled(
    state: OrderState, command: CancelUnits | CancelRest | GiveUpWaiting, units: Sequence[CancelledUnits]
) -> OrderChange:
    return cancelled(state, units, command.actor, command.reason, command.at)
