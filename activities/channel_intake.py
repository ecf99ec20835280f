"""Taking in what channels send: messages of one order, one after the other."""

from dataclasses import dataclass

from temporalio import activity

from activities.errors import temporal_errors
from dom.channels.messages import ChannelOrderRef
from dom.shared.base import Value
from services import channel_intake
from services.channel_connections import Connections
from services.channel_intake import OrderCalls
from services.database import Database


class MessagesTaken(Value):
    """How many messages were taken in, and whether others wait."""

    messages: int
    more: bool


@dataclass(frozen=True, slots=True)
class ChannelIntake:
    """Takes in the messages of a channel's order. `calls` is how orders are captured and cancelled, `connections` whom
    their states are asked of.
    """

    database: Database
    connections: Connections
    calls: OrderCalls

    @activity.defn(name="take_in_messages")
    async def take_in_messages(self, about: ChannelOrderRef) -> MessagesTaken:
        """Take in what waits of an order; done again it does nothing twice. Of one whose number is not known yet, find
        out which it is.
        """
        with temporal_errors():
            if about.number:
                taken = await channel_intake.take_in(
                    self.database, self.connections, self.calls, about.channel, about.number
                )
            else:
                taken = await channel_intake.find_number(
                    self.database, self.connections, about.channel, about.reference
                )
        return MessagesTaken(messages=taken.messages, more=taken.more)
