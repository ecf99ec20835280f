"""Real servers for the tests: one PostgreSQL and one Temporal a test process, a fresh database a test.

A database is a copy of a template (`tests.worlds.databases`): `database_url` holds the schema and nothing else,
`world_url` the small network of `tests.worlds.small` as well.
"""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.embedded import postgres, temporal
from store.database import engine as database
from store.database import migrate
from tests.worlds import access
from tests.worlds.databases import Databases

IN_MEMORY = Path("/dev/shm")  # noqa: S108
if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > 4 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))
"""Folders of tests are in memory where there is room. A database is some 700 files: on a busy disk it takes ten times
as long to make one. Nothing here is about a disk that loses power.
"""

settings.register_profile("fixed", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
"""`make test` tries the same examples every time, `make explore` (tools/explore.py) new ones."""


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.EmbeddedPostgres]:
    """A PostgreSQL of this test process."""
    server = postgres.start(tmp_path_factory.mktemp("postgres"))
    _forget_durability(server)
    yield server
    server.stop()


def _forget_durability(server: postgres.EmbeddedPostgres) -> None:
    """Nobody pulls the plug on these tests, and a busy disk must not make them late."""
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("ALTER SYSTEM SET max_wal_size = '256MB'"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[temporal.EmbeddedTemporal]:
    """A Temporal server of this test process, in memory."""
    server = temporal.start(tmp_path_factory.mktemp("temporal"), in_memory=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def temporal_client(temporal_server: temporal.EmbeddedTemporal) -> Client:
    """A client of the Temporal server."""
    return await Client.connect(temporal_server.address, data_converter=pydantic_data_converter)


@pytest.fixture(scope="session")
def databases(postgres_server: postgres.EmbeddedPostgres) -> Iterator[Databases]:
    """The databases of this test process."""
    databases = Databases(postgres_server.url)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def schema_template(databases: Databases) -> str:
    """The name of a database with the schema and the key of the tests' operator, and nothing else."""
    url = databases.make(name="schema_template")
    migrate.upgrade(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        access.write_operator(connection)
    engine.dispose()
    return "schema_template"


@pytest.fixture(scope="session")
def identity_provider(tmp_path_factory: pytest.TempPathFactory) -> access.IdentityProvider:
    """Who signs tokens: a caller with one is known without a database."""
    return access.IdentityProvider.at(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
async def world_template(databases: Databases, schema_template: str) -> str:
    """The name of a database with the small network."""
    from tests.worlds import small

    engine = database.create(databases.make(schema_template, "world_template"), 1)
    async with engine.begin() as connection:
        await small.write(connection)
    await engine.dispose()
    return "world_template"


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """A database without a schema."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def database_url(databases: Databases, schema_template: str) -> Iterator[str]:
    """A fresh database with the schema."""
    with databases.fresh(schema_template) as url:
        yield url


@pytest.fixture
def world_url(databases: Databases, world_template: str) -> Iterator[str]:
    """A fresh database with the small network."""
    with databases.fresh(world_template) as url:
        yield url


@pytest.fixture
async def world(world_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a fresh database with the small network. After the test it connects no more: what a task that was
    left behind connects is closed by nobody, and another test fails for it.
    """
    engine = database.create(world_url, 8)
    yield engine
    event.listen(engine.sync_engine, "do_connect", _refuse)
    await engine.dispose()


def _refuse(*_: object) -> None:
    raise ConnectionRefusedError("the test is over")


@pytest.fixture
def data_folder() -> Path:
    """The committed data files."""
    return Path(__file__).parent.parent / "data"


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look at it again and again. On a busy machine
    its pauses were taken for workflows that block.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """Tests that start a whole system share one worker of `-n ... --dist loadgroup`."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.scheduling import OneSystemAtATime

    return OneSystemAtATime(config, log)
