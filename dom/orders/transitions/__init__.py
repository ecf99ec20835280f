"""What may happen to an order's units, decided once: `decide` says what a command changes, `apply` makes the change.

Both are pure. The use case `services.change_orders` decides on what the store holds, under the order's lock, and writes
the change in the same transaction; a preview is a decision that is not written.

cancelling  what a cancellation changes
holding     what putting a hold on and releasing it changes
node_steps  what a node's step changes
parcels     what a carrier's booking, and what it says of a parcel, changes
shared      what these share: how work goes on, ends, and loses units
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from dom.orders.changes import OrderChange, OrderEvent
from dom.orders.commands import (
    BookCarrierRefused,
    CancelRest,
    CancelUnits,
    CarrierBooked,
    Command,
    CountAsDelivered,
    GiveUpWaiting,
    HoldIsOverdue,
    MoveParcel,
    PlaceHold,
    ReleaseHold,
    Requested,
    TakeNodeStep,
)
from dom.orders.events import RequestedData
from dom.orders.lifecycle import OrderState, is_repeat
from dom.orders.status import FulfilmentStatus
from dom.orders.transitions import cancelling, holding, node_steps, parcels
from dom.orders.transitions.cancelling import cancellation_key
from dom.orders.transitions.shared import NEEDS_A_PERSON, TOLD, fulfilment_of, message_key

__all__ = ["NEEDS_A_PERSON", "TOLD", "apply", "cancellation_key", "decide", "is_known", "message_key"]

_S = FulfilmentStatus


def decide(state: OrderState, command: Command) -> OrderChange:
    """What the command changes. Raises NotFound, StepNotPossible, CannotCancel or InvalidInput, as each command says.

    A command that says what is known already is refused like any other; `is_known` tells it apart.
    """
    change = _DECIDE[type(command)](state, command)
    return replace(change, event=_asked_by(change.event, command))


def _asked_by(event: OrderEvent, command: Requested) -> OrderEvent:
    if command.request is None or not isinstance(event.data, RequestedData):
        return event
    return replace(event, data=event.data.model_copy(update=command.model_dump(include={"request", "request_hash"})))


def is_known(state: OrderState, command: Command) -> bool:
    """Whether the command says what the state holds already, so that it changes nothing."""
    if isinstance(command, TakeNodeStep):
        fulfilment = fulfilment_of(state, command.fulfilment_id)
        return is_repeat(fulfilment.status, command.step) and node_steps.says_the_same(fulfilment, command)
    if isinstance(command, MoveParcel):
        return fulfilment_of(state, command.fulfilment_id).status is command.status
    if isinstance(command, CountAsDelivered):
        return fulfilment_of(state, command.fulfilment_id).status is _S.DELIVERED
    return False


def apply(state: OrderState, change: OrderChange) -> OrderState:
    """The order as it is after the change; the state given stays as it is."""
    waiting, cancelled, unlisted = change.waiting, change.cancelled, change.unlisted
    statuses = {move.fulfilment_id: move.status for move in change.statuses}
    lines = {
        line_id: replace(
            line,
            backordered=line.backordered + waiting.get(line_id, 0),
            cancelled=line.cancelled + cancelled.get(line_id, 0),
        )
        for line_id, line in state.lines.items()
    }
    fulfilments = {
        f.id: replace(
            node_steps.with_picked(f, change),
            status=statuses.get(f.id, f.status),
            lines={line_id: n - unlisted.get(f.id, {}).get(line_id, 0) for line_id, n in f.lines.items()},
            steps=f.steps + (f.id == change.step_of),
            packings=f.packings + (statuses.get(f.id) is _S.PACKED),
        )
        for f in state.fulfilments.values()
    }
    return OrderState(
        state.order_id,
        lines,
        fulfilments,
        state.cancellations + change.is_cancellation,
        holding.apply(state, change),
        state.holds_placed + (change.placed is not None),
    )


_DECIDE: Final[Mapping[type, Callable[[OrderState, Any], OrderChange]]] = {
    TakeNodeStep: node_steps.node_step,
    CarrierBooked: parcels.carrier_booked,
    BookCarrierRefused: parcels.booking_refused,
    MoveParcel: parcels.parcel_moved,
    CountAsDelivered: parcels.arrived,
    CancelUnits: cancelling.cancel_units,
    CancelRest: cancelling.cancel_rest,
    GiveUpWaiting: cancelling.give_up_waiting,
    PlaceHold: holding.place_hold,
    ReleaseHold: holding.release_hold,
    HoldIsOverdue: holding.hold_is_overdue,
}
