"""Amazon sellers and WooCommerce shops are told what became of their orders, each thing once."""

import json
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.channels.connection import Connection, Platform
from dom.orders.calls import CancelCall, CancelLine
from processes.channel_orders import order_calls
from simulator.platforms.amazon.stub import AmazonStub
from simulator.platforms.woocommerce.stub import WooCommerceStub
from tests.workflows.test_channel_orders import settled
from tests.worlds.books import rows
from tests.worlds.running import House
from tests.worlds.shops import GivenSecrets, arrive, connect, reached, template
from tests.worlds.small import order as order_of
from tests.worlds.steps import ship, until_order

WOO = {("web", "consumer_secret"): "cs", ("web", "webhook_secret"): "hush"}
AMAZON = {("web", "client_secret"): "s", ("web", "refresh_token"): "r", ("web", "notification_key"): "hush"}


async def rest(house: House, stub: Any) -> None:
    """Let everything arrive on both sides until nothing moves."""
    while True:
        kept = await arrive(house.engine, GivenSecrets(house.secrets), "web", stub.deliveries)
        await settled(house.engine)
        await house.told()
        if not kept:
            return


async def test_a_woocommerce_shop_is_told_each_thing_once(temporal_client: Client, world: AsyncEngine) -> None:
    stub = WooCommerceStub()
    how: dict[str, Any] = {"url": "https://shop.example", "consumer_key": "ck", "requests_per_second": 1000}
    connection = Connection(platform=Platform.WOOCOMMERCE, settings=how, tells=True)
    await connect(world, "web", connection, template("woocommerce"))
    async with House(temporal_client, world, secrets=WOO, platform=reached(stub.app)).working() as house:
        order = stub.place({"A": 3}, number=11_101)
        stub.fails_after |= {"PUT orders", "POST refunds"}
        await rest(house, stub)
        assert [each["key"] for each in order["meta_data"]] == ["_dom_accepted"]
        calls = order_calls(house.client, house.task_queue, house.engine)
        lines = (CancelLine(line_id=str(order["line_items"][0]["id"]), quantity=1),)
        await calls.cancel("web-11101", CancelCall(lines=lines), "one less")
        await rest(house, stub)
        assert len(stub.refunds[11_101]) == 1
        await ship(house, order_of("11101"))
        await until_order(house, order_of("11101"), "shipped")
        await rest(house, stub)
        parcels = [json.loads(each["value"]) for each in order["meta_data"] if each["key"].startswith("_dom_parcel_")]
        assert [each["lines"] for each in parcels] == [{str(order["line_items"][0]["id"]): 2}]
        assert order["status"] == "completed"
        assert await rows(world, "SELECT DISTINCT outcome FROM channel_messages WHERE outcome = 'quarantined'") == []


async def test_amazon_is_told_of_a_shipment_once(temporal_client: Client, world: AsyncEngine) -> None:
    stub = AmazonStub()
    how: dict[str, Any] = {
        "url": "https://sp.example",
        "token_url": "https://sp.example/auth/o2/token",
        "client_id": "c",
        "marketplace": "M",
    }
    await connect(world, "web", Connection(platform=Platform.AMAZON, settings=how, tells=True), template("amazon"))
    async with House(temporal_client, world, secrets=AMAZON, platform=reached(stub.app)).working() as house:
        order = stub.place({"A": 2}, number="202-0011102-0000001")
        await rest(house, stub)
        stub.fails_after.add("ship")
        await ship(house, order_of("202-0011102-0000001"))
        await until_order(house, order_of("202-0011102-0000001"), "shipped")
        await rest(house, stub)
        assert [(each["packageReferenceId"], len(each["orderItems"])) for each in order.packages] == [("1", 1)]
        assert (order.items[0].open, order.items[0].sent) == (0, 2)
