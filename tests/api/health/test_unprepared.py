"""Temporal or PostgreSQL answer but were not prepared: 503 that says what to run, never a defect or a false 404."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api.app import create_app
from bootstrap import namespace, temporal
from cli.embedded.temporal import EmbeddedTemporal
from cli.ports import free_port
from cli.process import python_module
from processes.signals import send
from settings import Settings
from tests.api.driving import order, problem
from tests.worlds import small
from tests.worlds.access import HEADERS
from tests.worlds.commands import clean_environment
from tests.worlds.stack import until
from workflows.messages import StockArrived
from workflows.order.process import OrderWorkflow

Serving = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def serving(world: AsyncEngine, world_url: str, temporal_server: EmbeddedTemporal) -> Serving:
    """The API over the small network, in a namespace."""
    async with world.begin() as connection:
        await small.open_channel(connection)

    @asynccontextmanager
    async def serve(named: str, url: str = world_url) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(Settings(database_url=url, temporal_address=temporal_server.address, temporal_namespace=named))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api", timeout=30, headers=HEADERS) as http,
        ):
            yield http

    return serve


async def bare_namespace(client: Client) -> str:
    """A namespace without our search attributes."""
    name = f"n-{uuid4().hex[:12]}"
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86400))
    )
    return name


class TestNoNamespace:
    async def test_every_request_that_needs_temporal_says_so(self, serving: Serving) -> None:
        async with serving("nowhere") as http:
            ready = problem(await http.get("/health/ready"), 503, "not-ready")
            assert ready["data"].keys() == {"temporal"}
            assert "no namespace nowhere" in ready["data"]["temporal"]
            assert "dom prepare" in ready["data"]["temporal"]
            for path, body in (("/v1/orders", order("A")), ("/v1/orders/web-1/cancel", {})):
                answer = await http.post(path, json=body)
                assert "dom prepare" in problem(answer, 503, "not-ready")["detail"]
                assert answer.headers["retry-after"]
            assert (await http.get("/v1/orders")).status_code == 200

    async def test_no_waiting_order_is_taken_for_gone(self, temporal_server: EmbeddedTemporal) -> None:
        client = await temporal.connect(
            Settings(temporal_address=temporal_server.address, temporal_namespace="nowhere", temporal_env=False)
        )
        news = StockArrived(skus=("A",), occurred_at=datetime.now(UTC))
        with pytest.raises(RPCError, match="not found"):
            await send(client, "order-web-1", OrderWorkflow.stock_arrived, news)


class TestNoSearchAttributes:
    async def test_an_order_is_told_until_they_are_registered(
        self, serving: Serving, temporal_server: EmbeddedTemporal, temporal_client: Client
    ) -> None:
        named = await bare_namespace(temporal_client)
        async with serving(named) as http:
            problem(await http.get("/health/ready"), 503, "not-ready")
            refused = problem(await http.post("/v1/orders", json=order("A")), 503, "not-ready")
            assert "DomChannel" in refused["detail"]
            assert "dom prepare" in refused["detail"]
            problem(await http.post("/v1/orders/web-1/cancel", json={}), 404, "not-found")

            await namespace.prepare(await Client.connect(temporal_server.address, namespace=named))
            assert (await http.get("/health/ready")).status_code == 200


class TestDatabase:
    async def test_an_older_schema_is_not_ready(self, serving: Serving, world: AsyncEngine) -> None:
        async with world.begin() as connection:
            await connection.execute(text("DELETE FROM alembic_version"))
        async with serving("default") as http:
            body = problem(await http.get("/health/ready"), 503, "not-ready")
            assert "older than this program" in body["data"]["postgresql"]

    async def test_a_column_or_function_of_a_newer_schema_is_no_defect(
        self, serving: Serving, world: AsyncEngine
    ) -> None:
        async with world.begin() as connection:
            await connection.execute(text("ALTER TABLE orders RENAME COLUMN goods_total TO earlier"))
        async with serving("default") as http:
            assert "dom migrate" in problem(await http.get("/v1/orders"), 503, "not-ready")["detail"]

    async def test_a_standby_is_unavailable_for_writes(self, serving: Serving, world_url: str) -> None:
        url = world_url + "?options=-cdefault_transaction_read_only%3Don"
        async with serving("default", url) as http:
            body = problem(await http.get("/health/ready"), 503, "not-ready")
            assert "takes no writes" in body["data"]["postgresql"]
            channel = {"id": "outlet", "name": "Outlet"}
            problem(await http.put("/v1/channels/outlet", json=channel), 503, "unavailable")
            assert (await http.get("/v1/orders")).status_code == 200

    async def test_a_role_without_rights_is_no_defect(
        self, serving: Serving, world: AsyncEngine, world_url: str
    ) -> None:
        role = f"r_{uuid4().hex[:8]}"
        async with world.begin() as connection:
            await connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'p'"))
        async with serving("default", f"postgresql+psycopg://{role}:p@{world_url.rpartition('@')[2]}") as http:
            assert "rights" in problem(await http.get("/v1/orders"), 503, "not-ready")["detail"]

    @pytest.mark.parametrize("limit", ["ROLE", "DATABASE"])
    async def test_too_many_connections_are_503(
        self, serving: Serving, world: AsyncEngine, world_url: str, limit: str
    ) -> None:
        role, database = f"r_{uuid4().hex[:8]}", world_url.rpartition("/")[2]
        async with world.begin() as connection:
            await connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'p' IN ROLE pg_read_all_data"))
            named = role if limit == "ROLE" else f'"{database}"'
            await connection.execute(text(f"ALTER {limit} {named} CONNECTION LIMIT 1"))
        async with serving("default", f"postgresql+psycopg://{role}:p@{world_url.rpartition('@')[2]}") as http:
            answers = await asyncio.gather(*(http.get("/v1/orders") for _ in range(12)))
            assert {answer.status_code for answer in answers} <= {200, 503}
            assert 503 in {answer.status_code for answer in answers}


class TestStart:
    def test_the_api_says_what_to_run_and_serves(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        port, said = free_port(), tmp_path / "said"
        environment = clean_environment(
            DOM_DATABASE_URL=world_url,
            DOM_TEMPORAL_ADDRESS=temporal_server.address,
            DOM_TEMPORAL_NAMESPACE="nowhere",
            DOM_API_PORT=str(port),
        )
        with said.open("wb") as out:
            process = subprocess.Popen(python_module("api"), env=environment, stderr=out, stdout=out)
        try:
            until("it says so", lambda: "not ready" in said.read_text())
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(30)
        assert "no namespace nowhere" in said.read_text()
        assert "dom prepare" in said.read_text()
        assert "Traceback" not in said.read_text()
