"""The whole system but its processes: real PostgreSQL, Temporal and mail, a worker and the API in this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

import worker
from api.app import create_app
from cli.embedded import mail
from cli.embedded.temporal import EmbeddedTemporal
from dom.channels.channel import Channel as SalesChannel
from dom.delivery.tariffs import Tariff
from dom.network import Node
from dom.sourcing.policy.reading import read_policy
from settings import Settings
from store import channels
from store.database import engine as store_engine
from store.network import reference
from store.policy import policies
from tests.api.driving import Channel
from tests.worlds.access import HEADERS
from tests.worlds.databases import Databases
from tests.worlds.running import allocating
from workflows.outbox_relay import ensure

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(scope="session")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    databases: Databases,
    temporal_server: EmbeddedTemporal,
    schema_template: str,
) -> Iterator[Settings]:
    """The servers' addresses, with a database and a task queue of these tests alone."""
    url = databases.make(schema_template)
    mails = mail.start(tmp_path_factory.mktemp("api-mail"))
    yield Settings(
        database_url=url,
        temporal_address=temporal_server.address,
        task_queue=url.rpartition("/")[2],
        smtp_host=mails.host,
        smtp_port=mails.port,
        data_dir=mails.folder.parent,
        link_url="https://orders.example",
        link_secret=SecretStr("a key of these tests, long enough to sign with"),
    )
    mails.stop()


@pytest.fixture(scope="session")
async def engine(running: Settings) -> AsyncIterator[AsyncEngine]:
    opened = store_engine.create(running.database_url)
    async with opened.begin() as connection:
        for document in json.loads((SAMPLE / "network.json").read_text())["nodes"]:
            await reference.put_node(connection, Node.model_validate(document))
        tariffs = [Tariff.model_validate(document) for document in json.loads((SAMPLE / "tariffs.json").read_text())]
        await reference.put_tariffs(connection, tariffs)
        for name in ("web", "store", "b2b", "marketplace", "social", "market", "shop", "till", "edi"):
            await channels.put(connection, SalesChannel(id=name, name=name))
        policy = read_policy((SAMPLE / "policy.yaml").read_text())
        await policies.publish_policy(connection, policy, "tests")
    yield opened
    await opened.dispose()


@pytest.fixture(scope="session")
async def working(running: Settings, engine: AsyncEngine, temporal_client: Client) -> AsyncIterator[None]:
    async with (
        worker.activities(running, engine, temporal_client) as served,
        worker.build(temporal_client, running, served),
        allocating(engine),
        AsyncExitStack() as lasting,
    ):
        for each in worker.background(temporal_client, running.task_queue, served, running.worker_drain_seconds):
            await lasting.enter_async_context(each)
        relay = await ensure(temporal_client, running.task_queue, workflow_id=f"outbox-relay-{running.task_queue}")
        yield
        await temporal_client.get_workflow_handle(relay.id).terminate("the tests are over")


@pytest.fixture(scope="session")
async def app(running: Settings, engine: AsyncEngine, temporal_client: Client) -> AsyncIterator[FastAPI]:
    created = create_app(running, engine, temporal_client)
    async with created.router.lifespan_context(created):
        yield created


@pytest.fixture(scope="session")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api", timeout=30, headers=HEADERS) as opened:
        yield opened


@pytest.fixture(scope="session")
def channel(http: httpx.AsyncClient, working: None) -> Channel:
    return Channel(http)
