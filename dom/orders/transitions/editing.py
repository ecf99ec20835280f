"""What an edit of the order changes: units that are cancelled and added, and work that is planned or packed anew."""

from collections import Counter
from dataclasses import replace
from typing import Final

from dom.notifications.messages import MessageKind
from dom.orders.changes import (
    ADDED,
    CANCELLED,
    WAITING,
    MovedUnits,
    Notification,
    OrderChange,
    OrderEvent,
    Revision,
    StatusMove,
)
from dom.orders.commands import EditOrder
from dom.orders.editing.changes import (
    REPLANS,
    AddLine,
    EditKind,
    RemoveLine,
    SetQuantity,
    SwapSku,
    TakeSubstitute,
)
from dom.orders.editing.rules import must_be_possible
from dom.orders.events import EditedData, EventKind
from dom.orders.lifecycle import LineState, OrderState
from dom.orders.status import UNBEGUN, FulfilmentStatus
from dom.orders.transitions.applying import apply
from dom.orders.transitions.shared import recalled, taken_out
from dom.shared.errors import InvalidInput, Stale

_LABELLED: Final = frozenset({FulfilmentStatus.PACKED, FulfilmentStatus.BOOKED})
_REASON: Final = "the order was edited"


def edited_key(revision: int) -> str:
    """The key of an edit's event and messages."""
    return f"edited:{revision}"


def edit_order(state: OrderState, command: EditOrder) -> OrderChange:
    """All changes, or none. Units are cancelled first, so that what is added can take their stock."""
    if command.revision != state.revision:
        raise Stale(
            f"the order is at revision {state.revision}, not {command.revision}",
            field="revision",
            data={"revision": state.revision},
        )
    _check_lines(state, command)
    for number, change in enumerate(command.changes):
        must_be_possible(state, change, command.roles, f"changes[{number}]")
    number, kinds = state.revision + 1, {change.change for change in command.changes}
    fewer, more, new = _fewer(state, command), _more(state, command), _new_lines(state, command)
    event = OrderEvent(
        EventKind.EDITED, edited_key(number), command.actor, command.at, command.reason,
        EditedData(
            revision=number,
            changes=tuple(change.model_dump(mode="json") for change in command.changes),
            cancelled=fewer or None,
            added=more or None,
        ),
    )  # fmt: skip
    made = taken_out(state, state.plan_cancellation(fewer), CANCELLED, event) if fewer else OrderChange(event=event)
    made = replace(
        made,
        revision=Revision(number, command.changes),
        new_lines=new,
        moved=(*made.moved, *[MovedUnits(line_id, units, ADDED, WAITING) for line_id, units in more.items()]),
        is_cancellation=bool(fewer),
    )
    after = apply(state, made)
    told = {"lines": {line.line_id: _living(line) for line in after.lines.values() if _living(line)}}
    made = replace(made, notifications=(Notification(MessageKind.ORDER_EDITED, edited_key(number), told),))
    return _worked_anew(after, made, kinds, replans=bool(more or kinds & REPLANS))


def _worked_anew(after: OrderState, made: OrderChange, kinds: set[EditKind], *, replans: bool) -> OrderChange:
    """Unbegun work is planned anew together with what was added; what has the old address on it is packed anew."""
    if EditKind.SET_SHIP_TO in kinds:
        labelled = [work for work in after.living if work.status in _LABELLED and not (work.pickup or work.brought)]
        moves = tuple(StatusMove(work.id, FulfilmentStatus.PICKED, "the address was changed") for work in labelled)
        made = replace(made, statuses=(*made.statuses, *moves))
    unbegun = [work for work in after.living if work.status in UNBEGUN] if replans else []
    if not unbegun or not isinstance(made.event.data, EditedData):
        return made
    data = made.event.data.model_copy(update={"recalled": {work.id: work.node_id for work in unbegun}})
    return recalled(replace(made, event=replace(made.event, data=data)), unbegun, _REASON)


def _check_lines(state: OrderState, command: EditOrder) -> None:
    """Raises InvalidInput for a line that is not the order's or is changed twice, and for an id that is taken."""
    seen: set[str] = set()
    for number, change in enumerate(command.changes):
        place = f"changes[{number}]"
        if isinstance(change, SetQuantity | RemoveLine | SwapSku | TakeSubstitute):
            line = state.lines.get(change.line_id)
            if line is None or line.quantity == line.cancelled:
                raise InvalidInput(f"nothing of line {change.line_id} is to be sent", field=f"{place}.line_id")
            if change.line_id in seen:
                raise InvalidInput(f"line {change.line_id} is changed twice", field=f"{place}.line_id")
            if isinstance(change, TakeSubstitute) and change.units > _living(line):
                raise InvalidInput(f"{_living(line)} of line {change.line_id} are to be sent", field=f"{place}.units")
            seen.add(change.line_id)
        new = change.line_id if isinstance(change, AddLine) else getattr(change, "new_line_id", None)
        if new is not None:
            if new in state.lines or new in seen:
                raise InvalidInput(f"there is a line {new} already", field=f"{place}.{_new_field(change)}")
            seen.add(new)


def _new_field(change: object) -> str:
    return "line_id" if isinstance(change, AddLine) else "new_line_id"


def _living(line: LineState) -> int:
    return line.quantity - line.cancelled


def _fewer(state: OrderState, command: EditOrder) -> dict[str, int]:
    """Units by line that are cancelled."""
    units: Counter[str] = Counter()
    for change in command.changes:
        match change:
            case SetQuantity(line_id=line_id, quantity=quantity):
                units[line_id] += max(_living(state.lines[line_id]) - quantity, 0)
            case RemoveLine(line_id=line_id) | SwapSku(line_id=line_id):
                units[line_id] += _living(state.lines[line_id])
            case TakeSubstitute(line_id=line_id, units=replaced):
                units[line_id] += replaced
    return {line_id: quantity for line_id, quantity in units.items() if quantity}


def _more(state: OrderState, command: EditOrder) -> dict[str, int]:
    """Units by line that are added."""
    units: Counter[str] = Counter()
    for change in command.changes:
        match change:
            case SetQuantity(line_id=line_id, quantity=quantity):
                units[line_id] += max(quantity - _living(state.lines[line_id]), 0)
            case AddLine(line_id=line_id, quantity=quantity):
                units[line_id] += quantity
            case TakeSubstitute(new_line_id=new, quantity=quantity):
                units[new] += quantity
            case SwapSku(line_id=line_id, new_line_id=new):
                units[new] += _living(state.lines[line_id])
    return {line_id: quantity for line_id, quantity in units.items() if quantity}


def _new_lines(state: OrderState, command: EditOrder) -> tuple[LineState, ...]:
    """Lines the order did not have; their units come in as they are added."""
    lines: list[LineState] = []
    for change in command.changes:
        match change:
            case AddLine(line_id=line_id, sku=sku, unit_price=price):
                lines.append(LineState(line_id, sku, 0, price))
            case TakeSubstitute(new_line_id=new, sku=sku, unit_price=price):
                lines.append(LineState(new, sku, 0, price))
            case SwapSku(line_id=line_id, new_line_id=new, sku=sku, unit_price=price):
                lines.append(LineState(new, sku, 0, state.lines[line_id].unit_price if price is None else price))
    return tuple(lines)
