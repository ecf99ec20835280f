"""Taking in what channels send: messages of one order, one after the other."""

from dataclasses import dataclass

from temporalio import activity

from activities.errors import temporal_errors
from dom.channels.messages import ChannelOrderRef
from dom.shared.base import Value
from services import channel_intake
from services.channel_intake import OrderCalls
from services.database import Database


class MessagesTaken(Value):
    """How many messages were taken in, and whether others wait."""

    messages: int
    more: bool


@dataclass(frozen=True, slots=True)
class ChannelIntake:
    """Takes in the messages of a channel's order. `calls` is how orders are captured and cancelled."""

    database: Database
    calls: OrderCalls

    @activity.defn(name="take_in_messages")
    async def take_in_messages(self, about: ChannelOrderRef) -> MessagesTaken:
        """Take in what waits of an order; done again it does nothing twice."""
        with temporal_errors():
            taken = await channel_intake.take_in(self.database, self.calls, about.channel, about.number)
        return MessagesTaken(messages=taken.messages, more=taken.more)
