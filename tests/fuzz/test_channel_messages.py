"""Whatever becomes of a channel's messages on their way: in the end each order is here as it is there, captured once.

`SEQUENCES=10000 pytest tests/fuzz/test_channel_messages.py` for more; `SEED` for others. One sequence is all that is
told of an order.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.connection import Connection, Feed, Platform
from dom.shared.errors import BadSignature
from services import channel_connections, channel_feeds, channel_inbox, channel_intake
from services.channel_connections import Connections
from services.database import Database
from simulator.platforms.amazon.stub import AmazonStub
from simulator.platforms.manners import Bucket, Deliveries, Delivery, Manners
from simulator.platforms.shopify.stub import ShopifyStub
from simulator.platforms.woocommerce.stub import WooCommerceStub
from store.connections import feeds
from tests.services.test_channel_feeds import NOON, Clock
from tests.worlds.books import rows
from tests.worlds.direct_calls import direct_calls
from tests.worlds.shops import GivenSecrets, connect, connections, template

SEQUENCES = int(os.environ.get("SEQUENCES", "60"))
SEED = int(os.environ.get("SEED", "1"))
AT_ONCE = 20
"""Orders whose messages are mixed."""
BAD_WAYS = Manners(twice=0.3, lost=0.2, late=0.5)
ROOMY = 1e12


class Market(Protocol):
    """A platform as its customers and staff use it, by order."""

    app: Any
    deliveries: Deliveries

    def open(self, number: int, units: int) -> None: ...
    def fewer(self, number: int) -> None: ...
    def end(self, number: int) -> None: ...
    def wanted(self, number: int) -> int: ...


@dataclass
class ShopifyMarket:
    stub: ShopifyStub
    placed: dict[int, Any] = field(default_factory=dict)

    def open(self, number: int, units: int) -> None:
        self.placed[number] = self.stub.place({"A": units}, number=number)

    def fewer(self, number: int) -> None:
        order = self.placed[number]
        if order.cancelled is None and order.lines[0].current > 1:
            self.stub.edit(order, 0, order.lines[0].current - 1)

    def end(self, number: int) -> None:
        if self.placed[number].cancelled is None:
            self.stub.cancel(self.placed[number])

    def wanted(self, number: int) -> int:
        order = self.placed[number]
        return 0 if order.cancelled else int(order.lines[0].current)

    def named(self, number: int) -> str:
        return str(number)


@dataclass
class AmazonMarket:
    stub: AmazonStub
    placed: dict[int, Any] = field(default_factory=dict)

    def open(self, number: int, units: int) -> None:
        self.placed[number] = self.stub.place({"A": units}, number=self.named(number), pending=units == 2)

    def fewer(self, number: int) -> None:
        order = self.placed[number]
        if order.pending:
            self.stub.pay(order)
        elif not order.cancelled and order.items[0].open > 1:
            self.stub.drop(order, 0, 1)

    def end(self, number: int) -> None:
        if not self.placed[number].cancelled:
            self.stub.cancel(self.placed[number])

    def wanted(self, number: int) -> int:
        order = self.placed[number]
        return 0 if order.cancelled or order.pending else int(order.items[0].open)

    def named(self, number: int) -> str:
        return f"202-{number:07}-0000001"


@dataclass
class WooCommerceMarket:
    stub: WooCommerceStub
    placed: dict[int, Any] = field(default_factory=dict)

    def open(self, number: int, units: int) -> None:
        status = "pending" if units == 2 else "processing"
        self.placed[number] = self.stub.place({"A": units}, number=number, status=status)

    def fewer(self, number: int) -> None:
        order = self.placed[number]
        if order["status"] == "pending":
            self.stub.set_status(order, "processing")
        elif order["status"] == "processing" and self.wanted(number) > 1:
            self.stub.take_off(order, 0, 1)

    def end(self, number: int) -> None:
        if self.placed[number]["status"] != "cancelled":
            self.stub.set_status(self.placed[number], "cancelled")

    def wanted(self, number: int) -> int:
        order = self.placed[number]
        gone = len(self.stub.refunds.get(number, ()))
        return 0 if order["status"] != "processing" else int(order["line_items"][0]["quantity"]) - gone

    def named(self, number: int) -> str:
        return str(number)


def shopify(clock: Clock, deliveries: Deliveries) -> tuple[Any, Any, Connection, dict[tuple[str, str], str]]:
    stub = ShopifyStub(clock=clock, deliveries=deliveries, bucket=Bucket(ROOMY, ROOMY))
    secrets = {("web", "access_token"): "shpat_stub", ("web", "webhook_secret"): "hush"}
    how = {"url": "https://shop.example"}
    return ShopifyMarket(stub), stub.app, Connection(platform=Platform.SHOPIFY, settings=how, pull_seconds=60), secrets


def amazon(clock: Clock, deliveries: Deliveries) -> tuple[Any, Any, Connection, dict[tuple[str, str], str]]:
    plans = {name: Bucket(ROOMY, ROOMY) for name in ("many", "one", "ship", "listings")}
    stub = AmazonStub(clock=clock, deliveries=deliveries, plans=plans)
    secrets = {
        ("web", "client_secret"): "s",
        ("web", "refresh_token"): "r",
        ("web", "notification_key"): "hush",
    }
    how = {
        "url": "https://sp.example",
        "token_url": "https://sp.example/auth/o2/token",
        "client_id": "c",
        "marketplace": "M",
    }
    return AmazonMarket(stub), stub.app, Connection(platform=Platform.AMAZON, settings=how, pull_seconds=60), secrets


def woocommerce(clock: Clock, deliveries: Deliveries) -> tuple[Any, Any, Connection, dict[tuple[str, str], str]]:
    stub = WooCommerceStub(clock=clock, deliveries=deliveries)
    secrets = {("web", "consumer_secret"): "cs", ("web", "webhook_secret"): "hush"}
    how: dict[str, Any] = {"url": "https://shop.example", "consumer_key": "ck", "requests_per_second": 1000}
    connection = Connection(platform=Platform.WOOCOMMERCE, settings=how, pull_seconds=60)
    return WooCommerceMarket(stub), stub.app, connection, secrets


@dataclass
class Fuzz:
    """A platform and the inbox beside it, without a network and without processes."""

    market: Any
    database: Database
    connections: Connections
    secrets: GivenSecrets
    chance: random.Random
    refused: int = 0

    async def arrive(self) -> None:
        """What is on its way arrives, some of it cut off; a sender that is refused sends it no more."""
        for each in self.market.stub.deliveries.take():
            told = each
            if self.chance.random() < 0.05:
                told = Delivery(each.headers, each.body[: self.chance.randrange(len(each.body))])
            try:
                await channel_inbox.deliver(self.database, self.secrets, "web", told.headers, told.body)
            except BadSignature:
                self.refused += 1

    async def take_in(self) -> None:
        """Every order has its turn, in any sequence."""
        query = """
        SELECT DISTINCT coalesce(order_number, ''), coalesce(reference, '') FROM channel_messages
        WHERE outcome = 'received'
        """
        waiting = [tuple(row) for row in await rows(self.database.engine, query)]
        self.chance.shuffle(waiting)
        calls = direct_calls(self.database)
        for number, reference in waiting:
            if number:
                await channel_intake.take_in(self.database, self.connections, calls, "web", number)
            else:
                await channel_intake.find_number(self.database, self.connections, "web", reference)

    async def read(self, feed: Feed) -> None:
        """A feed is read to its end."""
        until = asyncio.get_running_loop().time() + 60
        done = await channel_feeds.read(self.database, self.connections, "web", feed, asyncio.Event(), until)
        assert not done.more, done

    async def settle(self) -> None:
        """Nothing is on its way any more, and nothing waits."""
        for _ in range(5):
            await self.arrive()
            await self.take_in()


@pytest.mark.parametrize("platform", [shopify, amazon, woocommerce], ids=lambda each: each.__name__)
async def test_in_the_end_each_order_is_here_as_it_is_there(world: AsyncEngine, platform: Callable[..., Any]) -> None:
    chance, clock = random.Random(SEED), Clock()
    market, app, connection, secrets = platform(clock, Deliveries(BAD_WAYS, chance))
    await connect(world, "web", connection, template(connection.platform))
    async with world.begin() as opened:
        await channel_connections.connect(opened, "web", connection, NOON - timedelta(hours=1))
        await feeds.restart(opened, "web", Feed.ORDERS, {"since": NOON.isoformat()}, NOON)
        await opened.execute(text("UPDATE stock SET on_hand = 900000 WHERE sku = 'A' AND node_id = 'dc-leeds'"))
    database, reached = connections(world, secrets, app, clock)
    fuzz = Fuzz(market, database, reached, GivenSecrets(secrets), chance)
    for start in range(0, SEQUENCES, AT_ONCE):
        numbers = [50_000 + number for number in range(start, min(start + AT_ONCE, SEQUENCES))]
        await _live(fuzz, clock, numbers)
        await fuzz.read(Feed.ORDERS)
        await fuzz.settle()
        await _check(fuzz, numbers)
    readable = "SELECT outcome FROM channel_messages WHERE order_number IS NOT NULL"  # what was cut off names no order
    outcomes = Counter([outcome for (outcome,) in await rows(world, readable)])
    assert set(outcomes) <= {"captured", "changed", "unchanged", "stale", "ignored", "duplicate"}, outcomes


async def _live(fuzz: Fuzz, clock: Clock, numbers: list[int]) -> None:
    """Orders are placed, made smaller and cancelled; meanwhile messages arrive, and some are taken in."""
    acts = [(number, act) for number in numbers for act in _acts(fuzz.chance)]
    fuzz.chance.shuffle(acts)
    opened: set[int] = set()
    for number, act in acts:
        if fuzz.chance.random() < 0.4:
            clock.forward(seconds=fuzz.chance.randint(1, 20))
        if number not in opened:
            opened.add(number)
            fuzz.market.open(number, fuzz.chance.randint(1, 4))
        elif act == "fewer":
            fuzz.market.fewer(number)
        else:
            fuzz.market.end(number)
        if fuzz.chance.random() < 0.3:
            await fuzz.arrive()
        if fuzz.chance.random() < 0.2:
            await fuzz.take_in()


def _acts(chance: random.Random) -> list[str]:
    return ["fewer"] * chance.randint(1, 4) + (["end"] if chance.random() < 0.3 else [])


async def _check(fuzz: Fuzz, numbers: list[int]) -> None:
    query = """
    SELECT o.external_id, sum(l.quantity - l.cancelled) FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY 1
    """
    here = {number: int(units) for number, units in await rows(fuzz.database.engine, query)}
    for number in numbers:
        name = fuzz.market.named(number)
        assert here.get(name, 0) == fuzz.market.wanted(number), (name, fuzz.market.placed[number])
