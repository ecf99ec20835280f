"""`python -m bench.noop_worker LEDGER`: a worker for workflows that do nothing, with the real one's settings."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

import worker
from bench.noop import EmptyWorkflow, NoOpActivities, NoOpWorkflow
from bootstrap.starting import load_settings
from settings import Settings


async def run(settings: Settings, ledger: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    noop = NoOpActivities(ledger)
    served: list[Callable[..., Any]] = [noop.local, noop.remote]
    client = await worker.connect(settings)
    async with worker.build(client, settings, served, workflows=(EmptyWorkflow, NoOpWorkflow)):
        if settings.ready_file is not None:
            settings.ready_file.touch()
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(run(load_settings(), Path(sys.argv[1])))
