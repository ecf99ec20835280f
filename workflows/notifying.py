"""Telling customers and channels: the process goes on meanwhile, and what cannot be told is put before a person."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.notifying import Notifying, SendMessages
    from workflows.activity_calls import local, remote
    from workflows.words import in_words

_GIVE_UP_AFTER: Final = timedelta(days=3)
"""How long a message is tried; business never waits for it."""


async def send(order_id: str, occasion: str, summary: str) -> None:
    """Send what was written for an occasion; given up, it stands in the exception queue."""
    request = SendMessages(order_id=order_id, occasion=occasion)
    try:
        await remote(Notifying.send_messages, request, summary, give_up_after=_GIVE_UP_AFTER)
    except ActivityError:
        await local(Notifying.give_up_messages, request, f"Give up telling: {in_words(occasion)}")
