"""Looks now and then whether every open order and return has its process, and tells a person of those that have not."""

from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from keeper.living import Living
from store import processes

_log = structlog.get_logger("keeper")


class Watching:
    """`every` is the pause in seconds between two looks. Each missing or wrong process is reported once."""

    name: Final = "watching"

    def __init__(self, engine: AsyncEngine, client: Client, task_queue: str, *, every: float = 300.0) -> None:
        self._engine = engine
        self._living = Living(engine, client, task_queue)
        self.every = every

    async def run(self) -> bool:
        """Compare, and report what is wrong."""
        found = await self._living.compare()
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
        return False
