"""Databases that tests of the store share."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.database import engine as database
from tests.worlds import small
from tests.worlds.databases import Databases
from tests.worlds.trial import Trial, trials
from tests.worlds.written import place


@pytest.fixture
async def schema(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database with the schema and nothing else."""
    engine = database.create(database_url, 8)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def shared_world(databases: Databases, world_template: str) -> AsyncIterator[AsyncEngine]:
    """The small network with one order in it, for tests that only try what the database refuses."""
    shared = database.create(databases.make(world_template), 2)
    await place(shared, small.order("held", A=3))
    yield shared
    await shared.dispose()


@pytest.fixture
def trial(world_url: str) -> Iterator[Trial]:
    """Tries on the small network, each undone before the next."""
    with trials(world_url) as trial:
        yield trial
