"""Whatever is done to an order, in whatever sequence and at once: units, money and stock are conserved, and it ends.

`LIVES=2000 HYPOTHESIS_PROFILE=explore pytest tests/lives` tries so many batches of one to four lives.
"""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.embedded import temporal
from store.database import engine as database
from store.policy import policies
from tests.fuzz.running import World, running
from tests.lives.life import live
from tests.lives.story import KEPT, Story, read, several
from tests.worlds import small
from tests.worlds.databases import Databases
from tests.worlds.policies import changed

T = TypeVar("T")
BATCHES = int(os.environ.get("LIVES", "8"))
POLICY = changed(small.POLICY, acceptance={"within_minutes": {"any": 600}})


class Lived:
    """The system on a loop of its own: hypothesis calls from where there is none."""

    def __init__(self, system: AbstractAsyncContextManager[World]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lives")
        self._thread.start()
        self._system = system
        self.world = self.call(system.__aenter__())
        self.done: Counter[str] = Counter()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it there, and wait."""
        going: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return going.result()

    def live(self, stories: Sequence[Story]) -> None:
        """Live the stories at the same time."""
        self.call(live(self.world, stories, self.done))

    def stop(self) -> None:
        """End the system and its loop; says what was lived."""
        print(self.done.most_common())  # noqa: T201
        self.call(self._system.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@asynccontextmanager
async def system(url: str, address: str) -> AsyncIterator[World]:
    """A worker and the API on a small world whose nodes have ten hours to accept."""
    engine = database.create(url, 16)
    async with engine.begin() as connection:
        await policies.publish_policy(connection, POLICY, "test")
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    async with running(client, engine, allocates=True) as world:
        yield world
    await engine.dispose()


@pytest.fixture(scope="module")
def lived(databases: Databases, world_template: str, temporal_server: temporal.EmbeddedTemporal) -> Iterator[Lived]:
    with databases.fresh(world_template) as url:
        lived = Lived(system(url, temporal_server.address))
        yield lived
        lived.stop()


@pytest.mark.timeout(0 if BATCHES > 100 else 300)
@given(several())
@settings(
    max_examples=BATCHES,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a life takes seconds: what failed is printed as it is kept, and shortened by hand
)
def test_drawn_lives_keep_every_promise(lived: Lived, stories: Sequence[Story]) -> None:
    lived.live(stories)


def test_lives_that_once_failed(lived: Lived) -> None:
    for file in sorted(KEPT.glob("*.json")):
        lived.live([read(file)])
