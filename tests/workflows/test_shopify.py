"""A Shopify shop, both ways: its orders come in, and it is told what became of them, each thing once."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.channels.connection import Connection, Platform
from dom.channels.mapping.reading import check
from dom.orders.calls import CancelCall, CancelLine
from processes.channel_orders import order_calls
from simulator.platforms.shopify.stub import ShopifyStub
from store.inbox import mappings
from tests.workflows.test_channel_orders import settled
from tests.worlds.books import check_books, one, rows
from tests.worlds.running import House
from tests.worlds.shops import GivenSecrets, arrive, connect, reached, template

SECRETS = {("web", "access_token"): "shpat_stub", ("web", "webhook_secret"): "hush"}
SETTINGS: dict[str, Any] = {"url": "https://shop.example", "location": "gid://shopify/Location/1"}


@dataclass
class Shop:
    """The stub, and the house that serves it."""

    stub: ShopifyStub
    house: House

    async def rest(self) -> Counter[str]:
        """Let everything arrive on both sides until nothing moves; the outcomes of all messages so far."""
        engine = self.house.engine
        while True:
            kept = await arrive(engine, GivenSecrets(SECRETS), "web", self.stub.deliveries)
            outcomes = await settled(engine)
            await self.house.told()
            if not kept:
                return Counter(outcomes)

    async def told(self, kind: str) -> int:
        """How many things of a kind the shop was told."""
        kinds = [found for (found,) in await rows(self.house.engine, "SELECT kind FROM channel_told")]
        return kinds.count(kind)

    async def cancel(self, order_id: str, **units: int) -> None:
        """Support staff cancel units here."""
        calls = order_calls(self.house.client, self.house.task_queue, self.house.engine)
        lines = tuple(CancelLine(line_id=line_id.strip("_"), quantity=count) for line_id, count in units.items())
        await calls.cancel(order_id, CancelCall(lines=lines or None), f"test {sorted(units.items())}")


@pytest.fixture
async def shop(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[Shop]:
    stub = ShopifyStub()
    connection = Connection(platform=Platform.SHOPIFY, settings=SETTINGS, tells=True)
    await connect(world, "web", connection, template("shopify"))
    async with House(temporal_client, world, secrets=SECRETS, platform=reached(stub.app)).working() as house:
        yield Shop(stub, house)


async def test_an_order_is_captured_and_accepted(shop: Shop) -> None:
    order = shop.stub.place({"A": 2, "B": 1}, number=11_001)
    assert await shop.rest() == {"captured": 1, "unchanged": 1}  # the tag changes the order there
    assert await rows(shop.house.engine, "SELECT sku, quantity FROM order_lines ORDER BY sku") == [("A", 2), ("B", 1)]
    assert (await shop.told("accept"), order.tags) == (1, ["accepted"])
    await check_books(shop.house.engine, reserved=3)


async def test_fewer_units_there_are_cancelled_here_and_not_told_back(shop: Shop) -> None:
    order = shop.stub.place({"A": 3}, number=11_002)
    await shop.rest()
    shop.stub.edit(order, 0, 1)
    assert (await shop.rest())["changed"] == 1
    await check_books(shop.house.engine, reserved=1)
    assert (order.lines[0].current, await shop.told("cancel")) == (1, 0)


@pytest.mark.parametrize(("first", "number"), [("edit", 11_003), ("cancel", 11_004)])
async def test_what_follows_comes_before_the_order_itself(shop: Shop, first: str, number: int) -> None:
    order = shop.stub.place({"A": 2}, number=number)
    created = shop.stub.deliveries.take()
    shop.stub.edit(order, 0, 1) if first == "edit" else shop.stub.cancel(order)
    outcomes = await shop.rest()
    for each in created:
        shop.stub.deliveries.send(each)
    outcomes = await shop.rest()
    assert outcomes["captured"] == (1 if first == "edit" else 0)
    assert outcomes["quarantined"] == 0
    await check_books(shop.house.engine, reserved=1 if first == "edit" else 0)


async def test_units_cancelled_here_are_taken_off_there_once(shop: Shop) -> None:
    order = shop.stub.place({"A": 3}, number=11_005)
    await shop.rest()
    shop.stub.fails_after.add("Refund")  # done, and the answer is lost
    await shop.cancel("web-11005", _1100501=1)
    await shop.rest()
    assert (order.lines[0].current, len(order.refunds)) == (2, 1)
    await check_books(shop.house.engine, reserved=2)
    assert await one(shop.house.engine, "SELECT sum(quantity - cancelled) FROM order_lines") == 2


async def test_an_order_cancelled_here_is_cancelled_there(shop: Shop) -> None:
    order = shop.stub.place({"A": 3}, number=11_006)
    await shop.rest()
    shop.stub.fails_after.add("CancelOrder")
    await shop.cancel("web-11006")
    await shop.rest()
    assert order.cancelled is not None
    assert Counter(shop.stub.calls)["CancelOrder"] == 1
    await check_books(shop.house.engine, reserved=0)


async def test_a_shop_that_is_down_is_told_once_it_is_back(shop: Shop) -> None:
    order = shop.stub.place({"A": 1}, number=11_007)
    await arrive(shop.house.engine, GivenSecrets(SECRETS), "web", shop.stub.deliveries)
    shop.stub.down = True
    first = shop.stub.place({"A": 2}, number=11_008)
    await arrive(shop.house.engine, GivenSecrets(SECRETS), "web", shop.stub.deliveries)
    shop.stub.down = False
    assert (await shop.rest())["captured"] == 2
    assert (order.tags, first.tags) == (["accepted"], ["accepted"])


async def test_what_was_sent_before_we_came_is_not_sent_again(shop: Shop) -> None:
    order = shop.stub.place({"A": 3}, number=11_009)
    order.lines[0].fulfilled = 2
    done = shop.stub.place({"A": 1}, number=11_010)
    done.lines[0].fulfilled = 1
    outcomes = await shop.rest()
    assert (outcomes["captured"], outcomes["ignored"]) == (1, 1)
    await check_books(shop.house.engine, reserved=1)
    shop.stub.edit(order, 0, 2)
    await shop.rest()
    await check_books(shop.house.engine, reserved=0)


async def test_what_the_shop_sends_itself_is_not_sent_again(shop: Shop) -> None:
    order = shop.stub.place({"A": 3}, number=11_011)
    await shop.rest()
    order.lines[0].fulfilled = 2
    shop.stub.move(order, city="York")
    shop.stub.move(order, city="Leeds")
    assert (await shop.rest())["quarantined"] == 0
    await check_books(shop.house.engine, reserved=1)
    assert order.lines[0].current == 3
    shop.stub.edit(order, 0, 2)
    await shop.rest()
    await check_books(shop.house.engine, reserved=0)


async def test_a_number_that_is_read_otherwise_captures_no_order_twice(shop: Shop) -> None:
    order = shop.stub.place({"A": 1}, number=11_012)
    await shop.rest()
    async with shop.house.engine.begin() as opened:
        source = template("shopify").replace('strip: "#"', 'strip: "#110"')
        await mappings.publish(opened, "web", check(source).publishable(), source=source, comment="", by="test")
    shop.stub.edit(order, 0, 1)
    shop.stub.move(order, city="York")
    await shop.rest()
    assert await rows(shop.house.engine, "SELECT external_id FROM orders") == [("11012",)]
