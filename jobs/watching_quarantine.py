"""Tells a person when too much of what a channel sends waits in quarantine, or a rule that corrects it is rejected too
often; closes that when it has fallen.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services import channel_quarantine
from services.database import Database


class WatchingQuarantine:
    """Compares each channel's last hour with its limit. `every` is the pause in seconds between two looks."""

    name: Final = "watching_quarantine"

    def __init__(self, engine: AsyncEngine, *, every: float = 60.0) -> None:
        self._database = Database(engine)
        self.every = every

    async def run(self) -> bool:
        """Look at every channel."""
        await channel_quarantine.watch(self._database)
        return False
