"""`python -m bench.noop_worker LEDGER`: a worker for the workflows that do nothing, with the settings of the real one."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import uvloop

import settings as house
import worker
from bench.noop import EmptyWorkflow, NoOpActivities, NoOpWorkflow
from settings import Settings


async def run(settings: Settings, ledger: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    noop = NoOpActivities(ledger)
    served = [noop.local, noop.remote]
    client = await worker.connect(settings)
    async with worker.build(client, settings, served, workflows=(EmptyWorkflow, NoOpWorkflow)):
        if settings.ready_file is not None:
            settings.ready_file.touch()
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(run(house.load(), Path(sys.argv[1])))
