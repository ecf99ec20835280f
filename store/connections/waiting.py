"""What waits between a channel and us: messages that came, and what it is yet to be told."""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_WAITING: Final = text("""
SELECT count(*) FILTER (WHERE outcome = 'received') AS waiting,
       min(received_at) FILTER (WHERE outcome = 'received') AS waits_since,
       count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined,
       (SELECT count(*) FROM outbox o WHERE o.status IN ('pending', 'sending')
        AND o.medium IN ('channel', 'availability') AND o.recipient = :channel) AS untold
FROM channel_messages WHERE channel = :channel AND outcome IN ('received', 'quarantined')
""")


async def of_channel(connection: AsyncConnection, channel: str) -> dict[str, Any]:
    """Messages that wait for their turn and since when, those that wait for a person, and what has not left."""
    return dict((await connection.execute(_WAITING, {"channel": channel})).mappings().one())
