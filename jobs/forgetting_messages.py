"""Lets go of messages of channels that were settled long ago: they hold what customers told, and nobody asks for them.

What waits for its turn or for a person stays, however old it is. It looks: nothing happens when a message grows old.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.clock import utc_now
from store.inbox import messages

AT_ONCE: Final = 2_000


class ForgettingMessages:
    """Deletes a part at a time. `days` is for how long messages are kept."""

    name: Final = "forgetting_messages"

    def __init__(self, engine: AsyncEngine, days: int, *, every: float = 3600.0) -> None:
        self._engine = engine
        self._kept = timedelta(days=days)
        self.every = every

    async def run(self) -> bool:
        """Delete a part of what is too old; True if there may be more."""
        async with self._engine.begin() as connection:
            return await messages.forget(connection, utc_now() - self._kept, AT_ONCE) == AT_ONCE
