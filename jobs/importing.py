"""Applies bulk imports of counts and changes of stock, the oldest first."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from store import imports

ABANDONED_AFTER: Final = 3600.0
"""Seconds without a row after which an upload counts as dead."""


class Importing:
    """One chunk of one import a run: another import waits for the older one, and nothing else waits for either."""

    name: Final = "importing"
    woken_by: Final = "imports"

    def __init__(self, engine: AsyncEngine, every: float = 30.0, abandoned_after: float = ABANDONED_AFTER) -> None:
        self._engine = engine
        self.every = every
        self._abandoned_after = abandoned_after

    async def run(self) -> bool:
        """Apply a chunk; when none waits, give up uploads that died."""
        if await imports.apply_next(self._engine):
            return True
        await imports.fail_abandoned(self._engine, self._abandoned_after)
        return False
