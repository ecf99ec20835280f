"""What may happen to an order's units, decided once: `decide` says what a command changes, `apply` makes the change.

Both are pure. The use case `services.change_orders` decides on what the store holds, under the order's lock, and writes
the change in the same transaction; a preview is a decision that is not written.

applying    the order after a change
asking      what a node's answer to a request for a cancellation changes, and what ends one without it
by_time     what time alone does to a hold
collecting  what changes of goods that wait for their customer
cancelling  what a cancellation changes
editing     what an edit of the order changes
holding     what putting a hold on and releasing it changes
merging     what merging work changes
moving      what moving work to another node changes
node_steps  what a node's step changes
own_carrier what changes where a node sends goods with a carrier of its own
parcels     what a carrier's booking, and what it says of a parcel, changes
reallocating what giving units to another order changes
splitting   what splitting work changes
telling     what a note changes, a message that is sent once more, and another priority
shared      what these share: how work goes on, ends, and loses units
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from dom.orders.changes import OrderChange, OrderEvent
from dom.orders.commands import (
    AddNote,
    AnswerCancellation,
    BookCarrierRefused,
    CancelRest,
    CancelUnits,
    CarrierBooked,
    Command,
    CountAsDelivered,
    EditOrder,
    GiveUpWaiting,
    HoldIsOverdue,
    MergeWork,
    MoveParcel,
    MoveWork,
    PlaceHold,
    Prioritise,
    ReleaseHold,
    ResendMessage,
    Reship,
    ShipByOwnCarrier,
    SourceWorkAgain,
    SplitWork,
    TakeNodeStep,
)
from dom.orders.event_data import RequestedData
from dom.orders.lifecycle import OrderState, is_repeat
from dom.orders.pickup_commands import CountWrongCode, ExpireCollection, KeepForCollection, PutBack, RemindOfCollection
from dom.orders.requested import Requested
from dom.orders.status import FulfilmentStatus
from dom.orders.transitions import (
    asking,
    cancelling,
    collecting,
    editing,
    holding,
    merging,
    moving,
    node_steps,
    own_carrier,
    parcels,
    splitting,
    telling,
)
from dom.orders.transitions.applying import apply
from dom.orders.transitions.asking import settled
from dom.orders.transitions.shared import NEEDS_A_PERSON, TOLD, cancellation_key, fulfilment_of, message_key

__all__ = ["NEEDS_A_PERSON", "TOLD", "apply", "cancellation_key", "decide", "is_known", "message_key", "settled"]

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
        repeats = is_repeat(fulfilment.status, command.step, brought=fulfilment.brought)
        return repeats and node_steps.says_the_same(fulfilment, command)
    if isinstance(command, MoveParcel | CountAsDelivered):
        said = command.status if isinstance(command, MoveParcel) else _S.DELIVERED
        parcel = fulfilment_of(state, command.fulfilment_id)
        if isinstance(command, MoveParcel) and command.at_store:
            return parcel.came
        return parcel.status is said or (said is _S.DELIVERED and parcel.came)
    if isinstance(command, Reship):
        return fulfilment_of(state, command.fulfilment_id).reshipped
    if isinstance(command, KeepForCollection | PutBack):
        return collecting.is_known(fulfilment_of(state, command.fulfilment_id), command)
    return False


_DECIDE: Final[Mapping[type, Callable[[OrderState, Any], OrderChange]]] = {
    TakeNodeStep: node_steps.node_step,
    CountWrongCode: collecting.count_wrong_code,
    KeepForCollection: collecting.keep,
    RemindOfCollection: collecting.remind,
    ExpireCollection: collecting.expire,
    PutBack: collecting.put_back,
    CarrierBooked: parcels.carrier_booked,
    ShipByOwnCarrier: own_carrier.ship,
    BookCarrierRefused: parcels.booking_refused,
    MoveParcel: parcels.parcel_moved,
    CountAsDelivered: parcels.arrived,
    Reship: parcels.reship,
    MoveWork: moving.move_work,
    SourceWorkAgain: moving.source_work_again,
    SplitWork: splitting.split_work,
    MergeWork: merging.merge_work,
    CancelUnits: cancelling.cancel_units,
    AnswerCancellation: asking.answer_cancellation,
    CancelRest: cancelling.cancel_rest,
    GiveUpWaiting: cancelling.give_up_waiting,
    PlaceHold: holding.place_hold,
    ReleaseHold: holding.release_hold,
    HoldIsOverdue: holding.hold_is_overdue,
    EditOrder: editing.edit_order,
    AddNote: telling.add_note,
    Prioritise: telling.prioritise,
    ResendMessage: telling.resend_message,
}
