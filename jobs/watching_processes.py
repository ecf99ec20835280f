"""Looks now and then whether every open order and return has its process, and tells a person of those that have not.

Once they agree again, what the person was told is closed.
"""

import time
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from processes.consistency import Comparison, Living
from store.orders import processes

_log = structlog.get_logger("keeper")


class Watching:
    """Each missing or wrong process is reported once.

    `every` is the pause in seconds between two looks, `ended_every` that between two looks at what has ended: that can
    be much, and only a restore takes it out of the store.
    """

    name: Final = "watching_processes"

    def __init__(
        self, engine: AsyncEngine, client: Client, task_queue: str, *, every: float = 300.0, ended_every: float = 3600.0
    ) -> None:
        self._engine = engine
        self._living = Living(engine, client, task_queue)
        self.every = every
        self._ended_every = ended_every
        self._ended_due = 0.0

    async def run(self) -> bool:
        """Compare, report what is wrong, and close what was."""
        ended = time.monotonic() >= self._ended_due
        found = await self._living.compare(ended=ended)
        if ended and found.is_complete:
            self._ended_due = time.monotonic() + self._ended_every
        await self._report(found)
        await self._close(found)
        return False

    async def _report(self, found: Comparison) -> None:
        for fault in found.faults:
            async with self._engine.begin() as connection:
                fresh = await processes.report(
                    connection,
                    order_id=fault.order_id,
                    about=fault.about,
                    run_id=fault.run_id,
                    kind=fault.kind,
                    detail=fault.detail,
                )
            if fresh:
                _log.warning(fault.kind, about=fault.about, detail=fault.detail)

    async def _close(self, found: Comparison) -> None:
        wrong = {fault.about for fault in found.faults}
        async with self._engine.connect() as connection:
            reports = await processes.open_reports(connection)
        for report in reports:
            if report.about not in wrong and await self._living.agrees(report.about):
                async with self._engine.begin() as connection:
                    await processes.close(connection, report)
