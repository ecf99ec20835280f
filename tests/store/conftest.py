"""An empty database, and what it takes to bring it to a schema."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.embedded import postgres
from store.database import engine as database
from tests.worlds import small
from tests.worlds.trial import Trial, trials
from tests.worlds.written import place


@pytest.fixture
def empty_url(postgres_server: postgres.EmbeddedPostgres) -> str:
    """A database with nothing in it."""
    name = f"empty_{uuid4().hex}"
    engine = create_engine(postgres_server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return postgres_server.url.rpartition("/")[0] + "/" + name


@pytest.fixture
async def schema(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database with the schema and nothing else."""
    engine = database.create(database_url, 8)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def shared_world(postgres_server: postgres.EmbeddedPostgres, world_template: str) -> AsyncIterator[AsyncEngine]:
    """The small network with one order in it, for tests that only try what the database refuses."""
    name = f"shared_{uuid4().hex}"
    engine = create_engine(postgres_server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{world_template}"'))
    engine.dispose()
    shared = database.create(postgres_server.url.rpartition("/")[0] + "/" + name, 2)
    await place(shared, small.order("held", A=3))
    yield shared
    await shared.dispose()


@pytest.fixture
def trial(world_url: str) -> Iterator[Trial]:
    """Tries on the small network, each undone before the next."""
    with trials(world_url) as trial:
        yield trial
