"""A channel's receiver of webhooks that tests can look into, and what such a channel is told of."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks.webhooks import Webhook

from dom.channels.channel import Channel
from dom.notifications.messages import Medium
from jobs.publishing import Publishing
from services.channel_webhooks import ChannelWebhooks
from services.database import Database
from services.relay import RelayPace
from store import channels, stock
from store.enums import LedgerKind
from store.ledger import cursors
from store.stock import Movement
from tests.worlds.books import one
from tests.worlds.running import relaying
from tests.worlds.waiting import until, until_notified

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FAST = RelayPace(poll=1.0, first_pause=0.02, longest_pause=0.1)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Listener(ThreadingHTTPServer):
    """A channel's receiver; answers with `status`, and remembers what it took and what it refused."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiving)
        self.status = 200
        self.taken: list[tuple[str, list[dict[str, Any]]]] = []
        self.refused: list[tuple[str, list[dict[str, Any]]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/stock"

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for _, items in self.taken for item in items]

    def last(self, sku: str) -> dict[str, Any] | None:
        return next((item for item in reversed(self.items) if item["sku"] == sku), None)


class _Receiving(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        message = Webhook(SECRET).verify(body, {name.lower(): value for name, value in self.headers.items()})
        status = self.server.status
        kept = self.server.taken if status < 300 else self.server.refused
        kept.append((self.headers["webhook-id"], message["data"]["items"]))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests need no access log."""


def listening() -> Iterator[Listener]:
    """A receiver that listens until it is let go."""
    with Listener() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def describe(engine: AsyncEngine, listener: Listener, name: str = "web", **fields: Any) -> None:
    """A channel whose webhook the listener is."""
    channel = Channel(id=name, name=name, webhook_url=listener.url, **fields)
    async with engine.begin() as connection:
        await channels.put(connection, channel, SECRET)
        await cursors.ensure(connection, cursors.of_webhook(name))


async def remove(engine: AsyncEngine, name: str = "web") -> None:
    """The channel has no webhook any more."""
    async with engine.begin() as connection:
        await channels.put(connection, Channel(id=name, name=name))


async def receive(engine: AsyncEngine, sku: str, quantity: int = 1, node: str = "dc-leeds") -> None:
    """Goods come in."""
    movement = Movement(node, sku, quantity, LedgerKind.RECEIPT, "test", uuid4().hex)
    async with engine.begin() as connection:
        await stock.move(connection, movement, actor="test", at=NOW)


_READABLE = """
SELECT NOT EXISTS (SELECT FROM stock_ledger WHERE transaction >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
"""


async def write(engine: AsyncEngine, job: Publishing | None = None) -> bool:
    """Write what there is to tell, once readers of the ledger may see all of it; answers what the job answers."""
    await until("no transaction is under way beside the ledger", lambda: _readable(engine))
    return await (job or Publishing(engine)).run()


async def _readable(engine: AsyncEngine) -> bool:
    return bool(await one(engine, _READABLE))


async def publish(engine: AsyncEngine) -> None:
    """Write what there is to tell, and send it."""
    await write(engine)
    webhooks = ChannelWebhooks(engine)
    async with relaying(Database(engine=engine), {Medium.AVAILABILITY: webhooks}, pace=FAST):
        await until_notified(engine)
    await webhooks.close()
