"""The whole system but its processes: real PostgreSQL, Temporal and mail, a worker and the API in this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import worker
from cli.embedded import mail, postgres, temporal
from driving import Channel
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.app import create_app
from dom.network import Node
from dom.ofl.models import Policy
from dom.tariffs import Tariff
from settings import Settings
from store import engine as store_engine
from store import migrate, reference

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("api-servers")
    servers = [postgres.start(folder), temporal.start(folder, in_memory=True), mail.start(folder)]
    database, engine, mails = servers
    migrate.upgrade(database.url)
    yield Settings(
        database_url=database.url, temporal_address=engine.address, smtp_host=mails.host, smtp_port=mails.port
    )
    for server in reversed(servers):
        server.stop()


@pytest.fixture(scope="session")
async def engine(running: Settings) -> AsyncIterator[AsyncEngine]:
    opened = store_engine.create(running.database_url)
    async with opened.begin() as connection:
        for document in json.loads((SAMPLE / "network.json").read_text())["nodes"]:
            await reference.put_node(connection, Node.model_validate(document))
        tariffs = [Tariff.model_validate(document) for document in json.loads((SAMPLE / "tariffs.json").read_text())]
        await reference.put_tariffs(connection, tariffs)
        policy = Policy.model_validate_json((SAMPLE / "policy.json").read_text())
        await reference.publish_policy(connection, policy, "tests")
    yield opened
    await opened.dispose()


@pytest.fixture(scope="session")
async def client(running: Settings) -> Client:
    return await worker.connect(running)


@pytest.fixture(scope="session")
async def working(running: Settings, engine: AsyncEngine, client: Client) -> AsyncIterator[None]:
    async with worker.activities(running, engine) as served, worker.build(client, running, served):
        yield


@pytest.fixture(scope="session")
async def app(running: Settings, engine: AsyncEngine, client: Client) -> AsyncIterator[FastAPI]:
    created = create_app(running, engine, client)
    async with created.router.lifespan_context(created):
        yield created


@pytest.fixture(scope="session")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api", timeout=30) as opened:
        yield opened


@pytest.fixture(scope="session")
def channel(http: httpx.AsyncClient, working: None) -> Channel:
    return Channel(http)
