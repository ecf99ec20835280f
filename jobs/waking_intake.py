"""Has messages of channels taken in that nobody heard of: their notice was given up, or its workflow terminated.

It compares with nothing: a notice too many finds nothing that waits. It looks, for what did not happen notifies nobody.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services import channel_inbox
from services.clock import utc_now

WAITED: Final = timedelta(minutes=10)
"""So long a message waits before its notice is written again, once an hour."""


class WakingIntake:
    """Looks every so many seconds."""

    name: Final = "waking_intake"

    def __init__(self, engine: AsyncEngine, *, every: float = 60.0) -> None:
        self._engine = engine
        self.every = every

    async def run(self) -> bool:
        """Write the notices of what has waited too long."""
        async with self._engine.begin() as connection:
            await channel_inbox.wake(connection, utc_now(), WAITED)
        return False
