"""What reads a feed of a channel: begun when it is due."""

from dom.channels.connection import Feed
from processes.client import Durable
from workflows.channel_feeds import ChannelFeedWorkflow, FeedInput


async def begin(durable: Durable, channel: str, feed: Feed) -> None:
    """Begin to read it; one that is being read is left alone. Raises what Temporal raises while it is away."""
    start = FeedInput(channel=channel, feed=feed)
    workflow_id = f"channel-{channel}-{feed}"
    await durable.begin(ChannelFeedWorkflow.run, start, workflow_id=workflow_id, summary=f"{feed} of {channel}")
