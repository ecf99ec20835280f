"""The API outlives the servers behind it: it starts before them, and serves again when they come back."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import QueuePool, create_engine, text

from api.app import create_app
from api.health import routes as health
from cli.embedded import postgres, temporal
from cli.embedded.postgres import EmbeddedPostgres
from cli.ports import free_port
from settings import Settings
from store.database import engine as store_engine
from store.database import migrate
from tests.api.driving import problem, until
from tests.worlds.access import HEADERS, write_operator


@pytest.fixture
def own_database(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = postgres.start(tmp_path)
    yield server
    server.stop()


def prepare(url: str) -> None:
    """The schema, and the key of the tests' operator."""
    migrate.upgrade(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        write_operator(connection)
    engine.dispose()


async def test_it_starts_first_and_serves_when_they_are_there(tmp_path: Path, own_database: EmbeddedPostgres) -> None:
    port = free_port()
    app = create_app(Settings(database_url=own_database.url, temporal_address=f"127.0.0.1:{port}"))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", headers=HEADERS) as http,
    ):
        body = problem(await http.get("/health/ready"), 503, "not-ready")
        assert "dom migrate" in body["data"]["postgresql"]
        problem(await http.get("/v1/orders"), 503, "not-ready")

        prepare(own_database.url)
        body = problem(await http.get("/health/ready"), 503, "not-ready")
        assert body["data"].keys() == {"temporal"}
        problem(await http.post("/v1/orders/x/cancel", json={}), 503, "unavailable")

        server = temporal.start(tmp_path, port, in_memory=True)
        try:
            assert (await http.get("/health/ready")).status_code == 200
            problem(await http.post("/v1/orders/x/cancel", json={}), 404, "not-found")
        finally:
            server.stop()
        problem(await http.post("/v1/orders/x/cancel", json={}), 503, "unavailable")

        server = temporal.start(tmp_path, port, in_memory=True)
        try:

            async def is_back() -> bool:
                return (await http.post("/v1/orders/x/cancel", json={})).status_code == 404

            await until(is_back)
        finally:
            server.stop()


async def test_connections_that_were_cut_are_made_anew(own_database: EmbeddedPostgres) -> None:
    prepare(own_database.url)
    nobody = f"127.0.0.1:{free_port()}"
    app = create_app(Settings(database_url=own_database.url, temporal_address=nobody))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", headers=HEADERS) as http,
    ):
        assert (await http.get("/v1/orders")).status_code == 200
        maintenance = create_engine(own_database.url)
        with maintenance.connect() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            )
        maintenance.dispose()
        statuses = [(await http.get("/v1/orders")).status_code for _ in range(3)]
        assert set(statuses) <= {200, 503}
        assert statuses[-1] == 200


async def test_a_database_that_does_not_answer_costs_no_connection(
    own_database: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches asks again and again: all of them wait for one look, and it comes to its end."""
    prepare(own_database.url)
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.1)
    settings = Settings(database_url=own_database.url, temporal_address=f"127.0.0.1:{free_port()}")
    opened = store_engine.create(own_database.url, settings.db_pool_size)
    app = create_app(settings, opened)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    locking = store_engine.create_single(own_database.url)
    taken = opened.pool
    assert isinstance(taken, QueuePool)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", headers=HEADERS) as http,
    ):

        async def lacks_postgresql() -> bool:
            body = problem(await http.get("/health/ready"), 503, "not-ready")
            return "postgresql" in body["data"]

        with locking.begin() as connection:
            connection.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
            for _ in range(5):
                assert await lacks_postgresql()
                assert taken.checkedout() == 1

        async def is_well() -> bool:
            return not await lacks_postgresql()

        await until(is_well)
        assert taken.checkedout() == 0
    await opened.dispose()
