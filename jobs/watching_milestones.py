"""Opens exceptions for milestones that were not reached in time, and closes those that are made good."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from store.database.engine import reading
from store.desk import watches

AT_ONCE: Final = 1000
"""Deadlines of a watch that are looked at in one transaction."""


class WatchingMilestones:
    """Looks at the deadlines that have come since it looked last. `every` is the pause in seconds between two looks."""

    name: Final = "watching_milestones"

    def __init__(self, engine: AsyncEngine, *, every: float = 30.0, at_once: int = AT_ONCE) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self.every = every
        self._at_once = at_once

    async def run(self) -> bool:
        """Some deadlines; True if more have come."""
        async with self._reads.connect() as connection:
            if not await watches.is_due(connection):
                return False
        async with self._engine.begin() as connection:
            return await watches.look(connection, self._at_once)
