"""A feed of a channel is read: turn after turn, until it ends or cannot go on now."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.channel_feeds import ChannelFeeds, FeedTurn, FeedTurnRead
    from activities.lasting import own_queue
    from dom.channels.connection import Feed
    from dom.shared.base import Value
    from workflows.words import counted

_AGAIN: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
_TURNS: Final = 500
"""Turns of one run; then the workflow goes on as a new run, so that its history stays small."""


class FeedInput(Value):
    """What a workflow is started with: the feed, the seconds of a turn, how often a worker says that it lives, and how
    long one may be silent before another takes over.
    """

    channel: str
    feed: Feed
    turn_seconds: float = 20.0
    beat_seconds: float = 2.0
    silence_seconds: float = 10.0
    read: int = 0


@workflow.defn(name="ChannelFeed")
class ChannelFeedWorkflow:
    """Reads a feed of a channel. The store says when it is due and where it goes on."""

    @workflow.run
    async def run(self, start: FeedInput) -> int:
        """Turn after turn; answers how many orders were read."""
        read = start.read
        turn = FeedTurn(channel=start.channel, feed=start.feed, seconds=start.turn_seconds, beat=start.beat_seconds)
        for _ in range(_TURNS):
            done: FeedTurnRead = await workflow.execute_activity_method(
                ChannelFeeds.read_channel_feed,
                turn,
                task_queue=own_queue(workflow.info().task_queue, "read_channel_feed"),
                start_to_close_timeout=timedelta(seconds=start.turn_seconds + 120),
                heartbeat_timeout=timedelta(seconds=start.silence_seconds),
                retry_policy=_AGAIN,
                summary=f"Read {start.feed} of {start.channel}",
            )
            read += done.read
            workflow.set_current_details(f"**{counted(read, 'order')} read**; {done.says}")
            if not done.more:
                return read
        return workflow.continue_as_new(start.model_copy(update={"read": read}))
