"""Reading a channel's orders: nothing between two looks is lost, and a reader that dies goes on where it stood."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.notifications.port import TemporaryFailureError
from dom.channels.connection import Connection, Feed, Platform
from services import channel_connections, channel_feeds, channel_stock
from simulator.platforms.manners import Bucket
from simulator.platforms.shopify.stub import ShopifyStub
from store import channels
from store.connections import connections as kept_connections
from store.connections import feeds
from tests.worlds.books import one, rows
from tests.worlds.shops import connect, connections, template

SECRETS = {("web", "access_token"): "shpat_stub"}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **units: float) -> None:
        self.at += timedelta(**units)


class Polled:
    """A shop that is asked for its orders, by a clock of its own."""

    def __init__(self, engine: AsyncEngine, **shop: Any) -> None:
        self.clock = Clock()
        self.stub = ShopifyStub(clock=self.clock, **shop)
        self.engine = engine
        self.database, self.connections = connections(engine, SECRETS, self.stub.app, self.clock)

    async def open(self, **how: Any) -> None:
        settings = {"url": "https://shop.example", "location": "gid://shopify/Location/1"}
        wanted = Connection(**{"platform": Platform.SHOPIFY, "settings": settings, "pull_seconds": 60, **how})
        await connect(self.engine, "web", wanted, template("shopify"))
        async with self.engine.begin() as opened:
            await channel_connections.connect(opened, "web", wanted, self.clock())
            await feeds.restart(opened, "web", Feed.ORDERS, {"since": NOON.isoformat()}, NOON)

    async def read(self, feed: Feed = Feed.ORDERS, seconds: float = 60) -> channel_feeds.FeedRead:
        until = asyncio.get_running_loop().time() + seconds
        return await channel_feeds.read(self.database, self.connections, "web", feed, asyncio.Event(), until)

    async def numbers(self) -> list[str]:
        return [
            number for (number,) in await rows(self.engine, "SELECT order_number FROM channel_messages ORDER BY id")
        ]


async def test_every_order_is_read_once_page_after_page(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    for _ in range(60):
        shop.stub.place({"A": 1})
    done = await shop.read()
    assert (done.read, done.more) == (60, False)
    assert len(set(await shop.numbers())) == 60
    assert Counter(shop.stub.calls) == {"ListOrders": 3, "GetOrder": 60}


async def test_orders_of_one_second_are_not_lost_between_two_looks(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    shop.stub.place({"A": 1})
    await shop.read()
    second = shop.stub.place({"A": 1})  # in the same second as the first
    shop.clock.forward(seconds=90)
    await shop.read()
    assert set(await shop.numbers()) == {"1001", str(second.id)}
    assert await one(world, "SELECT count(*) FROM channel_message_repeats") == 0  # nobody sent it twice


async def test_a_reader_that_stops_goes_on_behind_its_last_page(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    for _ in range(60):
        shop.stub.place({"A": 1})
    first = await shop.read(seconds=0)
    assert (first.read, first.more) == (25, True)
    shop.clock.forward(seconds=30)
    rest = await shop.read()
    assert (rest.read, len(await shop.numbers())) == (35, 60)
    assert await one(world, "SELECT read FROM channel_feeds WHERE feed = 'orders'") == 60


async def test_of_two_readers_one_gives_way(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    for _ in range(30):
        shop.stub.place({"A": 1})
    both = await asyncio.gather(shop.read(), shop.read())
    assert sum(each.read for each in both) >= 30
    assert len(await shop.numbers()) == 30


async def test_a_shop_that_is_away_is_asked_again_and_says_so(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    shop.stub.place({"A": 1})
    shop.stub.down = True
    for _ in range(3):
        await shop.read()
    ((failures, error, due),) = await rows(
        world, "SELECT failures, error, due_at FROM channel_feeds WHERE feed = 'orders'"
    )
    assert (failures, "503" in error, due) == (3, True, NOON + timedelta(seconds=20))
    shop.stub.down = False
    shop.clock.forward(hours=1)
    assert (await shop.read()).read == 1
    ((failures, error, due),) = await rows(
        world, "SELECT failures, error, due_at FROM channel_feeds WHERE feed = 'orders'"
    )
    assert (failures, error, due) == (0, "", NOON + timedelta(hours=1, seconds=60))


async def test_a_person_is_told_of_a_shop_that_stays_away_until_it_is_back(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    shop.stub.down = True
    for _ in range(9):
        await shop.read()
    opened = "SELECT kind, status FROM exceptions"
    assert await rows(world, opened) == [("channel_unreachable", "open")]
    shop.stub.down = False
    await shop.read()
    assert await rows(world, opened) == [("channel_unreachable", "closed")]


async def test_an_empty_bucket_is_waited_for_and_is_no_failure(world: AsyncEngine) -> None:
    shop = Polled(world, bucket=Bucket(70, 0.1, clock=lambda: 0.0))
    await shop.open()
    shop.stub.place({"A": 1})
    assert (await shop.read()).read == 1
    shop.clock.forward(seconds=90)
    await shop.read()
    ((failures, error, due),) = await rows(
        world, "SELECT failures, error, due_at FROM channel_feeds WHERE feed = 'orders'"
    )
    assert failures == 0
    assert "budget" in error
    assert due >= NOON + timedelta(seconds=90 + 50)


async def test_what_moves_no_time_is_found_by_the_comparison_of_all(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open(reconcile_hours=24)
    order = shop.stub.place({"A": 2})
    await shop.read()
    shop.clock.forward(hours=24)
    shop.stub.place({"A": 1})
    await shop.read()
    order.lines[0].current = 1  # and `updated` stays
    shop.clock.forward(hours=1)
    await shop.read()
    assert await shop.numbers() == ["1001", "1002"]
    await shop.read(Feed.RECONCILE)
    sources = "SELECT source, order_number FROM channel_messages ORDER BY id"
    assert await rows(world, sources) == [("poll", "1001"), ("poll", "1002"), ("reconcile", "1001")]


async def test_a_back_fill_reads_its_span_alone(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    for _ in range(5):
        shop.stub.place({"A": 1})
        shop.clock.forward(days=1)
    span = {"since": (NOON + timedelta(days=1)).isoformat(), "until": (NOON + timedelta(days=3)).isoformat()}
    async with world.begin() as opened:
        await channel_connections.ask_for(opened, "web", Feed.BACKFILL, shop.clock(), span)
    assert (await shop.read(Feed.BACKFILL)).read == 2
    assert await shop.numbers() == ["1002", "1003"]
    assert await one(world, "SELECT due_at FROM channel_feeds WHERE feed = 'backfill'") is None


async def test_stock_that_the_shop_shows_wrongly_is_told_anew(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open(stock=True)
    shop.stub.stock = {"A": 3, "NOT-OURS": 7}
    await shop.read(Feed.STOCK)
    ((payload,),) = await rows(world, "SELECT payload FROM outbox WHERE medium = 'availability'")
    told = {item["sku"]: item["quantity"] for item in payload["data"]["items"]}
    assert set(told) == {"A"}
    connected = await shop.connections.of("web")
    assert connected is not None
    await connected.connector.set_levels([channel_stock.shown(connected, "A", told["A"], "in_stock")])
    assert shop.stub.stock == {"A": told["A"], "NOT-OURS": 7}
    shop.clock.forward(days=1)
    await shop.read(Feed.STOCK)
    assert await one(world, "SELECT count(*) FROM outbox WHERE medium = 'availability'") == 1


async def test_nothing_is_read_of_a_channel_that_is_paused(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    shop.stub.place({"A": 1})
    async with world.begin() as opened:
        await kept_connections.pause(opened, "web", "test", "sale")
        assert await feeds.due(opened, shop.clock()) == []
    assert (await shop.read()).read == 0
    async with world.begin() as opened:
        await kept_connections.resume(opened, "web")
    assert (await shop.read()).read == 1


async def test_a_secret_that_is_missing_is_said_and_mended(world: AsyncEngine) -> None:
    shop = Polled(world)
    await shop.open()
    database, bare = connections(world, {}, shop.stub.app, shop.clock)
    with pytest.raises(TemporaryFailureError, match="no secret access_token"):
        await bare.of("web")
    async with database.statement() as opened:
        assert (await channels.get(opened, "web")).id == "web"
