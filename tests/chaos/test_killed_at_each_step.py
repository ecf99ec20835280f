"""kill -9 of the worker before and after each activity of the longest path: the same outcome as without.

What is enumerated is what a run without a kill did. `BOUNDARIES_EVERY=1` tries each boundary, in ten minutes; by
default some are tried, from `BOUNDARIES_FROM` on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.app import create_app
from dom.channels.channel import Channel
from services.database import Database
from settings import Settings
from store import channels
from tests.chaos.longest_path import LongestPath
from tests.fuzz.running import World
from tests.worlds.access import HEADERS
from tests.worlds.dying_process import Boundary, DyingWorker
from tests.worlds.running import House, allocating, relaying

pytestmark = [pytest.mark.chaos]

EVERY = int(os.environ.get("BOUNDARIES_EVERY", "18"))
FROM = int(os.environ.get("BOUNDARIES_FROM", "0"))
AT_ONCE = 6


class TestKilled:
    @pytest.mark.timeout(1800)
    async def test_at_each_boundary_of_an_activity_the_outcome_is_the_same(
        self, world: AsyncEngine, world_url: str, temporal_client: Client, tmp_path: Path
    ) -> None:
        address = temporal_client.service_client.config.target_host
        async with world.begin() as connection:
            await channels.put(connection, Channel(id="web", name="web"))
        house = House(temporal_client, world)
        async with relaying(Database(world), house.senders), allocating(world):
            without, boundaries = await self.enumerated(world, world_url, temporal_client, address, tmp_path)
            chosen = boundaries[FROM::EVERY]
            turns = asyncio.Semaphore(AT_ONCE)

            async def killed(boundary: Boundary) -> str | None:
                async with turns:
                    calls = tmp_path / uuid4().hex
                    worker = DyingWorker(world_url, address, f"q-{uuid4().hex}", boundary, calls)
                    try:
                        outcome = await walked(temporal_client, world, worker)
                    except Exception as error:
                        return f"killed {boundary}: {type(error).__name__} {error}"
                    if not worker.died:
                        return f"not killed {boundary}"
                    differs = {w: (f, without[w]) for w, f in outcome.items() if f != without[w]}
                    return f"killed {boundary}: {differs}" if differs else None

            found = await asyncio.gather(*(killed(boundary) for boundary in chosen))
        wrong = [each for each in found if each]
        print(f"{len(chosen)} of {len(boundaries)} boundaries: {', '.join(map(str, chosen))}")  # noqa: T201
        assert not wrong, "\n".join(wrong)

    async def enumerated(
        self, engine: AsyncEngine, url: str, client: Client, address: str, folder: Path
    ) -> tuple[dict[str, list[dict[str, object]]], list[Boundary]]:
        """The outcome without a kill, and the boundaries that there were."""
        calls = folder / "calls"
        outcome = await walked(client, engine, DyingWorker(url, address, f"q-{uuid4().hex}", None, calls))
        counted: dict[str, int] = {}
        boundaries = []
        for name in calls.read_text().split():
            counted[name] = counted.get(name, 0) + 1
            boundaries += [Boundary(name, counted[name], after) for after in (False, True)]
        return outcome, boundaries


async def walked(client: Client, engine: AsyncEngine, worker: DyingWorker) -> dict[str, list[dict[str, object]]]:
    """The outcome of the path with this worker."""
    serving = asyncio.create_task(worker.serve())
    try:
        async with over_http(client, engine, worker.task_queue) as world:
            return await LongestPath(world).walk()
    finally:
        serving.cancel()
        await asyncio.wait({serving})
        if not serving.cancelled():
            serving.result()


@asynccontextmanager
async def over_http(client: Client, engine: AsyncEngine, task_queue: str) -> AsyncIterator[World]:
    """The API of a task queue."""
    app = create_app(Settings(task_queue=task_queue), engine, client)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", timeout=60, headers=HEADERS) as http,
    ):
        yield World(client, engine, http)
