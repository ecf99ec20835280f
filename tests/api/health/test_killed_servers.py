"""kill -9 of Temporal and of PostgreSQL under concurrent load: callers hear 2xx, 4xx, 503 or 504, never of a defect."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import httpx
import pytest

from api.app import create_app
from cli.embedded import postgres, temporal
from cli.ports import free_port
from cli.process import python_module
from settings import Settings
from store.database import engine as store_engine
from store.database import migrate
from tests.api.driving import order, until
from tests.worlds import small
from tests.worlds.access import HEADERS, write_operator
from tests.worlds.commands import clean_environment

CALLERS = 24
ROUNDS = 3
BUSY_SECONDS = 1.5
PAUSE_SECONDS = 0.05
"""Before a caller who was told to come again later does: callers without any pause starve the servers that start."""
LONGEST_SECONDS = 200


class Servers:
    """A PostgreSQL and a Temporal that can be killed and come back where they were."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = free_port(), free_port()
        self.postgres = postgres.start(folder, self._ports[0])
        self.temporal = temporal.start(folder, self._ports[1])

    async def kill_temporal(self) -> None:
        os.kill(self.temporal.pid, signal.SIGKILL)
        self.temporal.stop()
        await asyncio.sleep(BUSY_SECONDS)
        self.temporal = await asyncio.to_thread(temporal.start, self._folder, self._ports[1])

    async def kill_postgres(self) -> None:
        os.kill(self.postgres.pid, signal.SIGKILL)
        self.postgres.stop()
        await asyncio.sleep(BUSY_SECONDS)
        self.postgres = await asyncio.to_thread(postgres.start, self._folder, self._ports[0])

    def stop(self) -> None:
        self.temporal.stop()
        self.postgres.stop()


class Load:
    """Callers who ask for all kinds of things, one after the other, and count what they hear."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._ordered: list[str] = []
        self.heard: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []

    async def run(self, number: int, stop: asyncio.Event) -> None:
        luck = random.Random(number)
        while not stop.is_set():
            method, path, body = self._next(luck)
            answer = await self._http.request(method, path, json=body)
            self.heard[method, answer.status_code] += 1
            if answer.status_code >= 500 and answer.status_code not in {503, 504}:
                self.wrong.append(f"{method} {path}: {answer.text}")
            if answer.status_code in {503, 504} and "retry-after" not in answer.headers:
                self.wrong.append(f"{method} {path}: no Retry-After, {answer.text}")
            if answer.status_code in {503, 504}:
                await asyncio.sleep(PAUSE_SECONDS)
            if path == "/v1/orders" and answer.status_code == 201:
                self._ordered.append(answer.json()["order_id"])

    def _next(self, luck: random.Random) -> tuple[str, str, object]:
        some = luck.choice(self._ordered) if self._ordered else "web-1"
        basket = {
            "channel": "web",
            "owner": "cart",
            "ship_to": {"country": "GB", "postal_code": "LS1 4AP"},
            "lines": [{"sku": "A", "quantity": 1}],
        }
        return luck.choice(
            [
                ("POST", "/v1/orders", order("A", 1)),
                ("POST", "/v1/orders", order("B", 1)),
                ("POST", f"/v1/orders/{some}/cancel", {}),
                ("POST", f"/v1/fulfilments/{some}-F1/accept", None),
                ("POST", "/v1/reservations", basket),
                ("GET", f"/v1/orders/{some}", None),
                ("GET", "/v1/availability?sku=A", None),
                ("GET", "/v1/orders", None),
            ]
        )


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    running = Servers(tmp_path)
    yield running
    running.stop()


@asynccontextmanager
async def working(settings: Settings, ready: Path) -> AsyncIterator[None]:
    """A worker in a process of its own, as in life; it is killed in the end, for it may be in the middle of work."""
    environment = clean_environment(**settings.model_copy(update={"ready_file": ready}).as_environment())
    process = await asyncio.create_subprocess_exec(*python_module("worker"), env=environment, stderr=DEVNULL)
    try:

        async def is_ready() -> bool:
            assert process.returncode is None
            return ready.exists()  # noqa: ASYNC240 -- one look at a file

        await until(is_ready, 60)
        yield
    finally:
        process.kill()
        await process.wait()


@pytest.mark.chaos
@pytest.mark.xdist_group("stack")
@pytest.mark.timeout(240)
async def test_nobody_is_told_of_a_defect(servers: Servers, tmp_path: Path) -> None:
    settings = Settings(
        database_url=servers.postgres.url, temporal_address=servers.temporal.address, smtp_host="127.0.0.1"
    )
    migrate.upgrade(settings.database_url)
    engine = store_engine.create(settings.database_url, 1)
    async with engine.begin() as connection:
        await small.write(connection)
        await connection.run_sync(write_operator)
        await small.open_channel(connection)
    await engine.dispose()
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        asyncio.timeout(LONGEST_SECONDS),
        working(settings, tmp_path / "worker.ready"),
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", timeout=60, headers=HEADERS) as http,
    ):
        load, stop = Load(http), asyncio.Event()
        callers = [asyncio.create_task(load.run(number, stop)) for number in range(CALLERS)]

        async def busy() -> bool:
            return load.heard["POST", 201] > 0

        await until(busy, 60)
        for _ in range(ROUNDS):
            await servers.kill_temporal()
            await asyncio.sleep(BUSY_SECONDS)
            await servers.kill_postgres()
            await asyncio.sleep(BUSY_SECONDS)
        stop.set()
        await asyncio.gather(*callers)

        async def serves() -> bool:
            return (await http.post("/v1/orders", json=order("A", 1))).status_code == 201

        await until(serves, 60)
    assert not load.wrong, "\n".join(sorted(set(load.wrong))[:10])
    print(sorted(load.heard.items()))  # noqa: T201 -- shown with -s
    assert any(status == 503 for _, status in load.heard), "the kills were felt"
