"""A shop on Vendure, and our whole system beside it: API, worker, store, relay and carrier."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.app import create_app
from cli.embedded.temporal import EmbeddedTemporal
from cli.ports import free_port
from connectors.secrets.folder import FolderSecrets
from dom.channels.connection import Connection, Feed, Platform
from jobs.publishing import Publishing
from services import channel_feeds
from settings import Settings
from store.database import engine as store_engine
from tests.api.driving import Channel
from tests.vendure import server as vendure
from tests.vendure.server import SECRET, VendureServer, node_modules
from tests.worlds.access import HEADERS
from tests.worlds.databases import Databases
from tests.worlds.running import House
from tests.worlds.shops import connect, template

PACKAGES = Path(__file__).parents[2] / ".venv" / "vendure"


class Losing(httpx.AsyncBaseTransport):
    """The network to Vendure: what is to be lost is carried out there, and its answer does not come back."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport()
        self.lost: set[str] = set()
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._network.handle_async_request(request)
        operation = next((name for name in self.lost if f'"operationName":"{name}"'.encode() in request.content), None)
        if operation is not None:
            await answer.aread()
            self.lost.discard(operation)
            raise httpx.ReadError("the answer is lost", request=request)
        return answer

    async def aclose(self) -> None:
        await self._network.aclose()


@dataclass
class Merchant:
    """Vendure, and the house that serves it."""

    server: VendureServer
    house: House
    channel: Channel
    network: Losing
    shown: Any = field(default=None)

    async def until(self, ask: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
        """What `ask` answers once it is something."""
        async with asyncio.timeout(seconds):
            while not (found := await ask()):
                await asyncio.sleep(0.2)
        return found

    async def in_vendure(self, code: str, fits: Callable[[Any], bool]) -> Any:
        """The order there, once it is as it should be."""

        async def look() -> Any:
            self.shown = await asyncio.to_thread(vendure.order, self.server, code)
            return self.shown if fits(self.shown) else None

        try:
            return await self.until(look)
        except TimeoutError:
            raise AssertionError(self.shown) from None

    async def captured(self, code: str) -> str:
        """Our order of the one with this code, once it was captured."""
        order_id = f"web-{code}"

        async def look() -> bool:
            return (await self.channel.http.get(f"/v1/orders/{order_id}")).status_code == 200

        await self.until(look)
        return order_id

    async def place(self, **units: int) -> str:
        """A customer orders in the shop; answers the order's code."""
        return await asyncio.to_thread(vendure.place, self.server, units)

    async def read(self, feed: Feed) -> channel_feeds.FeedRead:
        """A feed is read to its end."""
        until = asyncio.get_running_loop().time() + 60
        return await channel_feeds.read(
            self.house.database, self.house.connections, "web", feed, asyncio.Event(), until
        )

    async def publish(self) -> None:
        """What changed of the stock is told."""
        while await Publishing(self.house.engine).run():
            pass
        await self.house.told()


@pytest.fixture(scope="module")
def packages() -> Path:
    found = node_modules(PACKAGES)
    if found is None:
        pytest.skip("Vendure needs Node.js (Debian: nodejs, npm) and the npm registry")
    return found


@pytest.fixture(scope="module")
def shop_database(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def our_engine(databases: Databases, world_template: str) -> AsyncIterator[AsyncEngine]:
    with databases.fresh(world_template) as url:
        engine = store_engine.create(url)
        yield engine
        await engine.dispose()


@pytest.fixture(scope="module")
async def merchant(
    packages: Path,
    shop_database: str,
    our_engine: AsyncEngine,
    temporal_server: EmbeddedTemporal,
    temporal_client: Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Merchant]:
    folder, port = tmp_path_factory.mktemp("vendure"), free_port()
    server = VendureServer(packages, shop_database, f"http://127.0.0.1:{port}/webhooks/web", folder / "vendure.log")
    secrets = {("web", "password"): "superadmin", ("web", "webhook_secret"): SECRET}
    for (owner, name), secret in secrets.items():
        FolderSecrets(folder / "secrets").put(owner, name, secret)
    network = Losing()
    house = House(temporal_client, our_engine, secrets=secrets, platform=network)
    settings = Settings(
        database_url=our_engine.url.render_as_string(hide_password=False),
        temporal_address=temporal_server.address,
        task_queue=house.task_queue,
        secrets_dir=str(folder / "secrets"),
    )
    how: dict[str, Any] = {"url": server.url, "username": "superadmin", "pays_refunds": True}
    connection = Connection(platform=Platform.VENDURE, settings=how, tells=True, stock=True, reconcile_hours=24)
    await connect(our_engine, "web", connection, template("vendure"))
    api = uvicorn.Server(
        uvicorn.Config(create_app(settings, our_engine, temporal_client), "127.0.0.1", port, log_level="error")
    )
    serving = asyncio.create_task(api.serve())
    try:
        await asyncio.to_thread(server.start, fill=True)
        async with (
            house.working(),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=30) as http,
        ):
            yield Merchant(server, house, Channel(http), network)
    finally:
        server.kill()
        api.should_exit = True
        await serving
