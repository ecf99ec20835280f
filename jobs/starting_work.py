"""Starts the workflows of imports, rehearsals and bulk runs that stand in the store and have none.

Whoever takes one in starts its workflow. This is for what was taken in while Temporal was away, and for workflows that
were terminated or lost. It also gives up uploads that died: of those there is no workflow yet.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from processes.background_work import BackgroundWork
from processes.client import Durable
from store import imports
from store.database.engine import reading

ABANDONED_AFTER: Final = 3600.0
"""Seconds without a row after which an upload counts as dead."""


class StartingWork:
    """Looks every so many seconds; a workflow that runs is left alone."""

    name: Final = "starting_work"

    def __init__(
        self,
        engine: AsyncEngine,
        client: Client,
        task_queue: str,
        *,
        every: float = 15.0,
        abandoned_after: float = ABANDONED_AFTER,
    ) -> None:
        self._reads = reading(engine)
        self._work = BackgroundWork(Durable(client, task_queue), self._reads)
        self.every = every
        self._abandoned_after = abandoned_after

    async def run(self) -> bool:
        """Give up dead uploads, and start what does not run. Raises what Temporal raises while it is away."""
        await imports.fail_abandoned(self._reads, self._abandoned_after)
        await self._work.begin_unfinished()
        return False
