"""What a note changes, and a message that is sent once more: nothing of the units."""

from dom.orders.changes import Notification, OrderChange, OrderEvent
from dom.orders.commands import AddNote, ResendMessage
from dom.orders.events import EventKind, NoteData, ResentData
from dom.orders.lifecycle import OrderState
from dom.shared.errors import NotFound, StepNotPossible


def add_note(_: OrderState, command: AddNote) -> OrderChange:
    data = NoteData(text=command.text, links=command.links or None)
    return OrderChange(event=OrderEvent(EventKind.NOTED, f"note:{command.key}", command.actor, command.at, "", data))


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
