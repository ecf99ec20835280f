"""What staff does from the Temporal UI or CLI, by signals; what is refused is logged, and the order goes on."""

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.notes import Attachment
from dom.orders.staff_calls import NoteCall, ResendCall
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.steps import deliver, ended
from workflows.order.process import OrderWorkflow


async def test_notes_and_messages_sent_again(temporal_client: Client, world: AsyncEngine) -> None:
    async with House(temporal_client, world).working() as house:
        order = small.order("by-staff", A=1)
        await house.send(order)
        await house.told()
        handle = house.handle(order)
        note = NoteCall(text="look twice", links=(Attachment(url="https://files.example/1"),), actor="kim")
        await handle.signal(OrderWorkflow.note_requested, note)
        await handle.signal("note_requested", {"text": " "})  # no note
        message = int(str(await one(world, "SELECT id FROM outbox WHERE message_key = 'accepted'")))
        await handle.signal(OrderWorkflow.resend_requested, ResendCall(message_id=message, reason="asked"))
        await handle.signal(OrderWorkflow.resend_requested, ResendCall(message_id=4711))  # there is none
        await deliver(house, order)
        await ended(house, order)
        keys = [message.key.split("/")[1] for message in house.mail.sent]
    assert keys[:2] == ["accepted", "accepted:resent:1"]
    said = await rows(
        world, "SELECT actor, reason, data->>'text' FROM timeline WHERE kind IN ('noted', 'message_resent')"
    )
    assert said == [("kim", "", "look twice"), ("system:temporal", "asked", None)]
