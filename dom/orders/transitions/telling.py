"""What a note changes, a message that is sent once more, and another priority: nothing of the units."""

from dom.orders.changes import NewPriority, Notification, OrderChange, OrderEvent
from dom.orders.commands import AddNote, Prioritise, ResendMessage
from dom.orders.event_data import NoteData, PrioritisedData, ResentData
from dom.orders.events import EventKind
from dom.orders.lifecycle import OrderState
from dom.orders.status import FINAL_ORDER
from dom.shared.errors import NotFound, StepNotPossible


def add_note(_: OrderState, command: AddNote) -> OrderChange:
    data = NoteData(text=command.text, links=command.links or None)
    return OrderChange(event=OrderEvent(EventKind.NOTED, f"note:{command.key}", command.actor, command.at, "", data))


def prioritise(state: OrderState, command: Prioritise) -> OrderChange:
    """Who writes it deals out anew what the order waits for."""
    status = state.status()
    if status in FINAL_ORDER:
        raise StepNotPossible(f"{state.order_id} is {status}; it waits for nothing any more", data={"status": status})
    data = PrioritisedData(priority=command.priority, before=state.priority)
    key = f"prioritised:{command.key}"
    event = OrderEvent(EventKind.PRIORITISED, key, command.actor, command.at, command.reason, data)
    return OrderChange(event=event, priority=NewPriority(command.priority))


def resend_message(_: OrderState, command: ResendMessage) -> OrderChange:
    told = command.told
    if told is None:
        raise NotFound(f"there is no message {command.message_id}")
    if told.waits:
        raise StepNotPossible(f"message {command.message_id} has not gone out yet; it is sent by itself")
    key = f"{told.message_key}:resent:{told.times + 1}"
    data = ResentData(
        message_id=command.message_id,
        message_kind=told.kind,
        medium=told.medium,
        message_key=told.message_key,
        resent_key=key,
    )
    event = OrderEvent(
        EventKind.MESSAGE_RESENT, f"{key}/{told.medium}", command.actor, command.at, command.reason, data
    )
    context = {**told.context, "resent": command.message_id}
    return OrderChange(event=event, notifications=(Notification(told.kind, key, context, told.medium),))
