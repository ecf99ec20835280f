"""Messages of one order of a channel are taken in, one after the other; those of other orders never wait for them."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.channel_intake import ChannelIntake, MessagesTaken
    from dom.channels.messages import ChannelOrderRef
    from workflows.words import counted

_AGAIN: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
_LONGEST: Final = timedelta(minutes=2)


@workflow.defn(name="ChannelOrder")
class ChannelOrderWorkflow:
    """Takes in what a channel tells of an order, until nothing waits. It is begun with each message, or hears of it."""

    def __init__(self) -> None:
        self._heard = 0
        self._taken = 0

    @workflow.signal(name="message_received")
    def message_received(self) -> None:
        """Another message came."""
        self._heard += 1

    @workflow.run
    async def run(self, about: ChannelOrderRef) -> int:
        """Turn after turn; what comes meanwhile is heard of. Answers how many messages were taken in."""
        while True:
            heard = self._heard
            taken: MessagesTaken = await workflow.execute_activity_method(
                ChannelIntake.take_in_messages,
                about,
                start_to_close_timeout=_LONGEST,
                retry_policy=_AGAIN,
                summary=f"Take in what {about.channel} says of {about.number or about.reference}",
            )
            self._taken += taken.messages
            workflow.set_current_details(f"{counted(self._taken, 'message')} taken in")
            if not taken.more and heard == self._heard:
                return self._taken
