"""`python -m bench.channels [--messages N] [--rate R] [--backfill N]`: how fast messages of channels are taken in.

Signed webhooks come at a steady rate, then as fast as they are answered; measured are the answer and the lag from the
message to the captured order. The baseline is the same order by `POST /v1/orders`, in the same run. Then a shop's
orders are read back page by page, stopped in the middle and gone on with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import httpx
import psutil
import psycopg
import uvloop
from standardwebhooks.webhooks import Webhook

from bench import servers
from bench.measure import MILLISECONDS, percentile
from bench.servers import Servers
from bench.stock import server
from cli.schema import SAMPLE_DATA
from dom.channels.channel import Channel
from dom.channels.connection import Connection, Feed, Platform
from dom.channels.mapping.reading import check
from services import channel_connections, channel_feeds
from services.channel_connections import Connections
from services.database import Database
from services.secret_stores import keep
from services.seed import seed
from simulator.platforms.manners import Bucket
from simulator.platforms.shopify.stub import ShopifyStub
from store import channels
from store.connections import feeds
from store.database import engine as database
from store.inbox import mappings

CHANNEL: Final = "bench_shop"
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of this run alone
SKU: Final = "BENCH-1"
MAPPING: Final = """
name: bench
minor: true
order:
  number: number
  version: at
  placed_at: at
  currency: {value: GBP}
  customer.name: name
  customer.email: mail
  ship_to.name: name
  ship_to.lines: street
  ship_to.city: city
  ship_to.postal_code: zip
  ship_to.country: {value: GB}
lines:
  each: lines
  fields: {sku: sku, ordered: units, unit_price: price}
"""


def message(number: str) -> dict[str, Any]:
    """What the shop sends of an order."""
    return {
        "number": number,
        "at": datetime.now(UTC).isoformat(),
        "name": "Ada Young",
        "mail": "ada@customer.example",
        "street": "12 Mill Lane",
        "city": "Leeds",
        "zip": "LS1 4AP",
        "lines": [{"sku": SKU, "units": 1, "price": 1000}],
    }


def order(number: str) -> dict[str, Any]:
    """The same order as the API takes it."""
    told = message(number)
    address = {
        "name": "Ada Young",
        "lines": ["12 Mill Lane"],
        "city": "Leeds",
        "postal_code": "LS1 4AP",
        "country": "GB",
    }
    return {
        "channel": CHANNEL,
        "external_id": number,
        "placed_at": told["at"],
        "currency": "GBP",
        "customer": {"id": told["mail"], "name": "Ada Young", "email": told["mail"]},
        "ship_to": {**address, "country": "GB"},
        "lines": [{"line_id": "1", "sku": SKU, "quantity": 1, "unit_price": 1000}],
    }


class Shop:
    """Sends webhooks and orders, and remembers how long each answer took, in seconds."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._signer = Webhook(SECRET)

    async def sends(self, number: str) -> float:
        """A signed webhook."""
        body, at = json.dumps(message(number)), datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(msg_id=number, timestamp=at, data=body),
        }
        return await self._answered(f"/webhooks/{CHANNEL}", content=body, headers=headers)

    async def orders(self, number: str) -> float:
        """The order itself."""
        return await self._answered("/v1/orders", json=order(number))

    async def _answered(self, path: str, **asked: Any) -> float:
        began = perf_counter()
        answer = await self._http.post(path, **asked)
        answer.raise_for_status()
        return perf_counter() - began


async def prepare(http: httpx.AsyncClient) -> None:
    """The channel, its mapping, and plenty of one SKU."""
    sku = {"id": SKU, "weight_grams": 300, "length_mm": 100, "width_mm": 80, "height_mm": 60}
    change = {
        "node_id": "dc-daventry",
        "sku": SKU,
        "quantity": 900_000,
        "reason": "receipt",
        "idempotency_key": "bench",
    }
    for method, path, asked in (
        ("PUT", f"/v1/skus/{SKU}", {"json": sku}),
        ("POST", "/v1/inventory/adjustments", {"json": {"adjustments": [{**change, "idempotency_key": "bench"}]}}),
        ("PUT", f"/v1/channels/{CHANNEL}", {"json": {"id": CHANNEL, "name": "bench"}}),
        ("PUT", f"/v1/channels/{CHANNEL}/connection", {"json": {"platform": "webhook"}}),
        (
            "POST",
            f"/v1/channels/{CHANNEL}/mappings",
            {"content": MAPPING, "headers": {"content-type": "application/yaml"}},
        ),
    ):
        (await http.request(method, path, **asked)).raise_for_status()


async def measure(running: Servers, messages: int, rate: float) -> None:
    """Steadily, then as fast as it goes; prints what came of it."""
    url = running.settings.database_url.replace("+psycopg", "")
    headers = {"X-API-Key": running.key}
    base = f"http://127.0.0.1:{running.settings.api_port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as http:
        await prepare(http)
        shop = Shop(http)
        alone = [await shop.orders(f"alone-{number}") for number in range(100)]
        said("POST /v1/orders, one at a time", alone)
        steady = await _steadily(shop, messages, rate)
        said(f"webhooks at {rate:g}/s", steady)
        await _lag(url, "steady-%", f"lag at {rate:g}/s")
        began = perf_counter()
        fast = await _at_once(shop, messages)
        said(f"webhooks, 16 at a time: {messages / (perf_counter() - began):.0f}/s", fast)
        await _lag(url, "fast-%", "lag after them")
        print(f"webhook to order, median answer: {percentile(steady, 0.5) / percentile(alone, 0.5):.2f}")


async def _steadily(shop: Shop, messages: int, rate: float) -> list[float]:
    sending = []
    for number in range(messages):
        sending.append(asyncio.create_task(shop.sends(f"steady-{number}")))
        await asyncio.sleep(random.expovariate(rate))
    return list(await asyncio.gather(*sending))


async def _at_once(shop: Shop, messages: int) -> list[float]:
    numbers, took = iter(range(messages)), list[float]()

    async def some() -> None:
        for number in numbers:
            took.append(await shop.sends(f"fast-{number}"))

    await asyncio.gather(*(some() for _ in range(16)))
    return took


async def _lag(url: str, like: str, what: str) -> None:
    """Wait until all are settled, and print how long it took from the message to the order."""
    query = """
    SELECT count(*) FILTER (WHERE outcome = 'received'),
           count(*) FILTER (WHERE outcome NOT IN ('captured', 'received')),
           array_agg(extract(epoch FROM settled_at - received_at)::float) FILTER (WHERE settled_at IS NOT NULL)
    FROM channel_messages WHERE channel = %s AND delivery_id LIKE %s
    """
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            found = await (await connection.execute(query, (CHANNEL, like))).fetchone()
            if found is not None and not found[0]:
                break
            await asyncio.sleep(0.5)
    if found[1]:
        print(f"{found[1]} were not captured")
    said(what, found[2])


def said(what: str, seconds: list[float]) -> None:
    """Print shares of a sample, in milliseconds."""
    shares = {f"p{share * 100:.0f}": percentile(seconds, share) * MILLISECONDS for share in (0.5, 0.95, 0.99)}
    shown = " ".join(f"{name} {share:.0f}" for name, share in shares.items())
    print(f"{what}: {shown} ms ({len(seconds)})")


async def back_fill(url: str, orders: int) -> None:
    """A shop's orders are read page by page, stopped in the middle, and gone on with by another reader."""
    engine = database.create(url, 4)
    began_at = datetime(2026, 1, 1, tzinfo=UTC)
    at = [began_at]
    stub = ShopifyStub(clock=lambda: at[0], bucket=Bucket(1e12, 1e12))
    for number in range(orders):
        at[0] = began_at + timedelta(seconds=number)
        stub.place({"A": 1}, number=number, paid=False)
        stub.deliveries.take()
    settings: dict[str, Any] = {"url": "https://shop.example"}
    text = channel_connections.template(Platform.SHOPIFY) or ""
    async with engine.begin() as connection:
        await channels.put(connection, Channel(id=CHANNEL, name="bench"))
        await mappings.publish(connection, CHANNEL, check(text).publishable(), source=text, comment="", by="bench")
        wanted = Connection(platform=Platform.SHOPIFY, settings=settings)
        await channel_connections.connect(connection, CHANNEL, wanted, at[0])
        await feeds.restart(connection, CHANNEL, Feed.BACKFILL, {"since": began_at.isoformat()}, at[0])
    transport = httpx.ASGITransport(app=stub.app)
    here = psutil.Process()
    before, began, read, turns = here.memory_info().rss, perf_counter(), 0, list[str]()
    while True:
        house = Database(engine)
        reader = Connections(house, _Token(), transport=transport)  # another process would begin so
        stop, until = asyncio.Event(), asyncio.get_running_loop().time() + 20
        done = await channel_feeds.read(house, reader, CHANNEL, Feed.BACKFILL, stop, until)
        read += done.read
        turns.append(f"{here.memory_info().rss / 2**20:.0f}")
        if not done.more:
            break
    seconds = perf_counter() - began
    async with engine.connect() as connection:
        kept = (await connection.exec_driver_sql("SELECT count(DISTINCT order_number) FROM channel_messages")).scalar()
    await engine.dispose()
    print(f"back-fill: {read:,} of {orders:,} orders read in {len(turns)} turns, {kept:,} kept: {read / seconds:.0f}/s")
    print(f"memory: {before / 2**20:.0f} MB before, then {', '.join(turns)} MB (the shop is in the same process)")


class _Token:
    def get(self, owner: str, name: str) -> str | None:
        """The stub's own."""
        del owner
        return "shpat_stub" if name == "access_token" else None


def main() -> None:
    """Measure on servers of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench.channels", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="webhooks of each round")
    parser.add_argument("--rate", type=float, default=10, help="webhooks a second of the steady round")
    parser.add_argument("--backfill", type=int, default=100_000, help="orders that are read back; 0: none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dom-bench-", ignore_cleanup_errors=True) as folder:
        if options.messages:
            with servers.running(Path(folder), print) as running:
                keep(running.settings.secrets_folder, CHANNEL, "webhook_secret", SECRET)
                uvloop.run(measure(running, options.messages, options.rate))
        if options.backfill:
            with server.running(Path(folder) / "backfill") as url:
                made = server.database(url, "backfill")
                seed(made, SAMPLE_DATA)
                uvloop.run(back_fill(made, options.backfill))


if __name__ == "__main__":
    main()
