"""A message of an order is sent once more: a message of its own, that says what the first one said as it is now."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.notifications.messages import Medium, MessageKind
from dom.orders.commands import ResendMessage, ToldBefore
from dom.shared.errors import NotFound, StepNotPossible
from services.change_orders import OrderChanged, Writing, carry_out, locked
from store import exceptions
from store.enums import MessageStatus
from store.notifications import messages

_WAITS = frozenset({MessageStatus.PENDING, MessageStatus.SENDING})


def no_such(message_id: int) -> NotFound:
    """There is no such message, or it is not the caller's to see."""
    return NotFound(f"there is no message {message_id}")


async def order_of(connection: AsyncConnection, message_id: int) -> str:
    """The order that a message is about. Raises NotFound."""
    found = await messages.find(connection, message_id)
    if found is None:
        raise no_such(message_id)
    return str(found["order_id"])


async def resend(connection: AsyncConnection, order_id: str, command: ResendMessage, writing: Writing) -> OrderChanged:
    """Write the message once more, under a key of its own, in this transaction. It goes to who is to be told now: a
    customer whose mail address was corrected gets it there. What told a person that the first did not arrive is closed.

    Raises NotFound for a message that is not the order's, StepNotPossible for one that has not gone out or cannot be
    written any more, and Conflict for a request that stands for another one.
    """
    state = await locked(connection, order_id)
    found = await messages.find(connection, command.message_id)
    if found is None or found["order_id"] != order_id:
        raise no_such(command.message_id)
    if found["kind"] not in set(MessageKind):
        raise StepNotPossible(f"there is no text for {found['kind']} any more")
    if found["medium"] == Medium.WEBHOOK and not writing.webhook:
        raise StepNotPossible("no webhook is told of orders any more")
    told = ToldBefore(
        kind=MessageKind(found["kind"]),
        medium=Medium(found["medium"]),
        message_key=found["message_key"],
        context=dict(found["payload"]),
        waits=found["status"] in _WAITS,
        times=found["times"],
    )
    changed = await carry_out(connection, state, command.model_copy(update={"told": told}), writing)
    if not changed.repeated:
        await exceptions.close_by_keys(connection, found["business_key"])
    return changed
