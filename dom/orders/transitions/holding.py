"""What putting a hold on an order changes, what releasing it does, and what happens when nobody does in time."""

from dataclasses import replace
from datetime import datetime

from dom.exceptions import ExceptionKind
from dom.orders.changes import (
    OrderChange,
    OrderEvent,
    Trouble,
)
from dom.orders.commands import HoldIsOverdue, PlaceHold, ReleaseHold
from dom.orders.event_data import HoldData
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep, Hold
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import FINAL_ORDER, UNBEGUN
from dom.orders.transitions.shared import recalled
from dom.shared import ids
from dom.shared.access import EXPIRY
from dom.shared.errors import NotFound, StepNotPossible


def apply(state: OrderState, change: OrderChange) -> dict[str, Hold]:
    """The holds that stand after the change."""
    standing = {
        hold.id: replace(hold, overdue=True) if hold.id == change.overdue else hold
        for hold in state.holds.values()
        if hold.id != change.released
    }
    return standing if change.placed is None else {**standing, change.placed.id: change.placed}


def overdue_key(hold_id: str) -> str:
    """The key of the exception that a hold is overdue."""
    return f"{hold_id}:overdue"


def place_hold(state: OrderState, command: PlaceHold) -> OrderChange:
    """One of each type; on an order that is over only what blocks refunds."""
    status = state.status()
    if status in FINAL_ORDER and BlockedStep.REFUND not in command.blocks:
        raise StepNotPossible(f"the order is {status}; there is nothing to hold", data={"status": status})
    same = next((hold for hold in state.holds.values() if hold.type == command.type), None)
    if same is not None:
        raise StepNotPossible(f"a hold of the type {same.type} stands already", data={"hold_id": same.id})
    hold = Hold(
        id=ids.hold_id(state.order_id, state.holds_placed + 1),
        type=command.type,
        blocks=command.blocks,
        due_at=command.due_at,
        release_at=command.release_at,
    )
    data = _data(hold).model_copy(update={"owner": command.owner or None})
    event = OrderEvent(EventKind.HOLD_PLACED, hold.id, command.actor, command.at, command.reason, data)
    return OrderChange(event=event, placed=hold)


def release_hold(state: OrderState, command: ReleaseHold) -> OrderChange:
    """Work that was to leave its node while it was held is taken back, and its units are sourced again."""
    hold = _hold(state, command.hold_id)
    event = OrderEvent(
        EventKind.HOLD_RELEASED, f"{hold.id}:released", command.actor, command.at, command.reason, _data(hold)
    )
    change = OrderChange(event=event, released=hold.id)
    others = [each for each in state.holds.values() if each.id != hold.id]
    if BlockedStep.RELEASE not in hold.blocks or any(BlockedStep.RELEASE in each.blocks for each in others):
        return change
    return _recalled(change, [each for each in state.fulfilments.values() if _is_too_late(each, command.at)])


def hold_is_overdue(state: OrderState, command: HoldIsOverdue) -> OrderChange:
    """A person hears that a hold stands longer than it should."""
    hold = _hold(state, command.hold_id)
    if hold.overdue:
        raise StepNotPossible(f"{hold.id} is known to be overdue")
    key = overdue_key(hold.id)
    return OrderChange(
        event=OrderEvent(EventKind.HOLD_OVERDUE, key, EXPIRY, command.at, "", _data(hold)),
        overdue=hold.id,
        troubles=(
            Trouble(
                ExceptionKind.HOLD_OVERDUE,
                key,
                f"nobody released the hold {hold.type} by {hold.due_at:%Y-%m-%d %H:%M}Z",
                {"hold_id": hold.id, "type": hold.type},
            ),
        ),
    )


def _hold(state: OrderState, hold_id: str) -> Hold:
    found = state.holds.get(hold_id)
    if found is None:
        raise NotFound(f"no hold {hold_id} stands on the order")
    return found


def _data(hold: Hold) -> HoldData:
    return HoldData(
        hold_id=hold.id,
        type=hold.type,
        blocks=tuple(sorted(hold.blocks)),
        due_at=hold.due_at,
        release_at=hold.release_at,
    )


def _is_too_late(fulfilment: FulfilmentState, at: datetime) -> bool:
    """Whether unbegun work cannot leave its node as planned any more. What is collected has no such day."""
    return (
        fulfilment.status in UNBEGUN
        and not fulfilment.pickup
        and fulfilment.ship_by is not None
        and fulfilment.ship_by <= at
    )


def _recalled(change: OrderChange, late: list[FulfilmentState]) -> OrderChange:
    if not late or not isinstance(change.event.data, HoldData):
        return change
    reason = "its day passed while the order was on hold"
    data = change.event.data.model_copy(update={"recalled": {each.id: each.node_id for each in late}})
    return recalled(replace(change, event=replace(change.event, data=data)), late, reason)
