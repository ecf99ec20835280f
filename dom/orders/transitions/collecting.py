"""What changes of goods that wait at their node for the customer."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from dom.exceptions import ExceptionKind
from dom.notifications.messages import MessageKind
from dom.orders.changes import Notification, OrderChange, OrderEvent, ReceiveAtStore, Trouble
from dom.orders.commands import CountAsDelivered, MoveParcel, TakeNodeStep
from dom.orders.events import CollectionData, EventKind
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.lifecycle import CancelledUnits, FulfilmentState, OrderState
from dom.orders.pickup import MOST_WRONG_CODES, Pickup, still_to_come
from dom.orders.pickup_commands import CountWrongCode, ExpireCollection, KeepForCollection, PutBack, RemindOfCollection
from dom.orders.status import FulfilmentStatus, FulfilmentStep
from dom.orders.transitions.shared import advance, cancelled, fulfilment_of, listed_units
from dom.shared.errors import CodeRequired, CollectionLocked, InvalidInput, StepNotPossible, WrongCode

NOT_COLLECTED: Final = "not_collected"
"""The reason of units that are cancelled because nobody collected them. Callers decide by it."""
MOST_KEPT: Final = timedelta(days=366)


def must_be_the_customer(fulfilment: FulfilmentState, command: TakeNodeStep) -> None:
    """Raises CodeRequired, WrongCode or CollectionLocked, and InvalidInput where nobody says how the identity was
    checked, or a step is not a collection.
    """
    if command.step is not FulfilmentStep.COLLECT:
        if command.code is not None or command.identity_checked:
            raise InvalidInput("only what is collected has a code", field="code")
        return
    if command.identity_checked:
        if not command.reason.strip():
            raise InvalidInput("say how the customer's identity was checked", field="reason")
        return
    waiting = fulfilment.collection
    if waiting is None:
        return
    if waiting.locked:
        raise CollectionLocked(f"{fulfilment.id}: too many wrong codes were said; support has to look at it")
    if not command.code:
        if waiting.code_required:
            raise CodeRequired(f"{fulfilment.id} is collected with the code that its customer has", field="code")
        return
    if not waiting.is_code(command.code):
        left = MOST_WRONG_CODES - waiting.wrong_codes - 1
        raise WrongCode(f"it is not the code of {fulfilment.id}", field="code", data={"tries_left": left})


def of_pickup(change: OrderChange, fulfilment: FulfilmentState, command: TakeNodeStep) -> OrderChange:
    """The change of a step, with what belongs to goods that wait for their customer from now on, or are given out to
    somebody whose identity was checked.
    """
    waiting = command.collection if command.step is FulfilmentStep.PACK and fulfilment.pickup else None
    if waiting is None and not command.identity_checked:
        return change
    said = {"collect_by": waiting.collect_by} if waiting is not None else {"identity_checked": True}
    event = replace(change.event, data=change.event.data.model_copy(update=said))
    return replace(change, event=event, waits=None if waiting is None else (fulfilment.id, waiting))


def came_to_store(fulfilment: FulfilmentState, command: MoveParcel | CountAsDelivered) -> OrderChange:
    """The carrier brought the goods to the store: they are ready for their customer there."""
    change = advance(fulfilment, FulfilmentStatus.READY, command.actor, command.reason, command.at)
    waiting = command.collection
    if waiting is not None:
        data = change.event.data.model_copy(update={"collect_by": waiting.collect_by})
        change = replace(change, event=replace(change.event, data=data), waits=(fulfilment.id, waiting))
    return replace(change, stock=(ReceiveAtStore(fulfilment.id),))


def count_wrong_code(state: OrderState, command: CountWrongCode) -> OrderChange:
    fulfilment, waiting = _waiting(state, command.fulfilment_id)
    if waiting.locked:
        raise CollectionLocked(f"{fulfilment.id}: too many wrong codes were said")
    after = waiting.model_copy(update={"wrong_codes": waiting.wrong_codes + 1})
    event = OrderEvent(
        EventKind.WRONG_CODE,
        f"{fulfilment.id}:wrong code:{after.wrong_codes}",
        command.actor,
        command.at,
        "",
        CollectionData(fulfilment_id=fulfilment.id, wrong_codes=after.wrong_codes),
    )
    troubles = (_locked(fulfilment, after),) if after.locked else ()
    return OrderChange(event=event, waits=(fulfilment.id, after), troubles=troubles)


def locked_key(fulfilment_id: str) -> str:
    """The key of the exception about wrong codes."""
    return f"{fulfilment_id}:locked"


def _locked(fulfilment: FulfilmentState, waiting: Pickup) -> Trouble:
    return Trouble(
        ExceptionKind.COLLECTION_LOCKED,
        locked_key(fulfilment.id),
        f"{fulfilment.id} at {fulfilment.place}: {waiting.wrong_codes} wrong codes were said",
        {"fulfilment_id": fulfilment.id, "node_id": fulfilment.place},
    )


def keep(state: OrderState, command: KeepForCollection) -> OrderChange:
    fulfilment, waiting = _waiting(state, command.fulfilment_id)
    if command.until <= max(waiting.collect_by, command.at):
        raise InvalidInput(f"it is kept until {waiting.collect_by.isoformat()} as it is", field="until")
    if command.until > command.at + MOST_KEPT:
        raise InvalidInput("nothing is kept for more than a year", field="until")
    after = waiting.model_copy(
        update={
            "collect_by": command.until,
            "kept": waiting.kept + 1,
            "reminders": still_to_come(command.reminders, command.at),
        }
    )
    event = OrderEvent(
        EventKind.COLLECTION_EXTENDED,
        f"{fulfilment.id}:kept:{after.kept}",
        command.actor,
        command.at,
        command.reason,
        CollectionData(fulfilment_id=fulfilment.id, collect_by=command.until),
    )
    return OrderChange(event=event, waits=(fulfilment.id, after))


def remind(state: OrderState, command: RemindOfCollection) -> OrderChange:
    """One reminder, also where the times of several have passed meanwhile."""
    fulfilment, waiting = _waiting(state, command.fulfilment_id)
    if not waiting.due(command.at) or waiting.collect_by <= command.at:
        raise StepNotPossible(f"no reminder of {fulfilment.id} is due")
    after = waiting.model_copy(update={"reminded": waiting.reminded + 1, "reminders": waiting.after(command.at)})
    key = f"{fulfilment.id}:reminded:{after.reminded}"
    data = CollectionData(fulfilment_id=fulfilment.id, collect_by=waiting.collect_by)
    return OrderChange(
        event=OrderEvent(EventKind.COLLECTION_REMINDED, key, command.actor, command.at, "", data),
        notifications=(Notification(MessageKind.COLLECTION_REMINDER, key, {"fulfilment_id": fulfilment.id}),),
        waits=(fulfilment.id, after),
    )


def expire(state: OrderState, command: ExpireCollection) -> OrderChange:
    fulfilment, waiting = _waiting(state, command.fulfilment_id)
    if waiting.collect_by > command.at:
        raise StepNotPossible(f"{fulfilment.id} is kept until {waiting.collect_by.isoformat()}")
    must_not_block(state.holds.values(), BlockedStep.HAND_OVER, f"the collection of {fulfilment.id}")
    units = [CancelledUnits(line_id, n, fulfilment.id) for line_id, n in listed_units(fulfilment).items()]
    change = cancelled(state, units, command.actor, NOT_COLLECTED, command.at)
    return replace(change, statuses=tuple(replace(move, reason=NOT_COLLECTED) for move in change.statuses))


def put_back(state: OrderState, command: PutBack) -> OrderChange:
    fulfilment = fulfilment_of(state, command.fulfilment_id)
    if fulfilment.put_back is None:
        raise StepNotPossible(f"nothing of {fulfilment.id} is to be put back", data={"status": fulfilment.status})
    data = CollectionData(fulfilment_id=fulfilment.id)
    # Each time something was cancelled or edited since; that counts how often there can have been something.
    key = f"{fulfilment.id}:put back:{state.cancellations + state.revision}"
    event = OrderEvent(EventKind.PUT_BACK, key, command.actor, command.at, command.reason, data)
    return OrderChange(event=event, put_back=fulfilment.id)


def is_known(fulfilment: FulfilmentState, command: KeepForCollection | PutBack) -> bool:
    """Whether goods are kept until then already, or were put back."""
    if isinstance(command, PutBack):
        return fulfilment.put_back is True
    return fulfilment.collection is not None and fulfilment.collection.collect_by == command.until


def waiting_after(fulfilment: FulfilmentState, change: OrderChange, status: FulfilmentStatus) -> Pickup | None:
    """How a fulfilment's goods wait after the change, which brings it to that status."""
    if change.waits is not None and change.waits[0] == fulfilment.id:
        return change.waits[1]
    return fulfilment.collection if status is FulfilmentStatus.READY else None


def put_back_after(fulfilment: FulfilmentState, change: OrderChange, status: FulfilmentStatus) -> bool | None:
    """Whether its goods, or what was cancelled of them, have been put back after the change; None where there is
    nothing to put back.
    """
    if change.put_back == fulfilment.id:
        return True
    taken_out = status is FulfilmentStatus.CANCELLED or any(change.unlisted.get(fulfilment.id, {}).values())
    return False if fulfilment.collection is not None and taken_out else fulfilment.put_back


def _waiting(state: OrderState, fulfilment_id: str) -> tuple[FulfilmentState, Pickup]:
    fulfilment = fulfilment_of(state, fulfilment_id)
    if fulfilment.status is not FulfilmentStatus.READY:
        raise StepNotPossible(
            f"{fulfilment.id} is {fulfilment.status}; it does not wait to be collected",
            data={"status": fulfilment.status},
        )
    if fulfilment.collection is None:
        raise StepNotPossible(f"{fulfilment.id} was ready before goods were kept for a time", data={})
    return fulfilment, fulfilment.collection
