"""Orders of a real Vendure shop, both ways: each thing is told once, whoever dies in between."""

import asyncio
from typing import Any

import pytest

from dom.channels.connection import Feed
from tests.vendure import server as vendure
from tests.vendure.conftest import Merchant
from tests.worlds.books import one

pytestmark = pytest.mark.xdist_group("vendure")

ADMIN_CANCEL = """
mutation Cancel($it: CancelOrderInput!) { cancelOrder(input: $it) { __typename ... on ErrorResult { message } } }
"""


def notes(order: Any) -> list[str]:
    return [each["data"]["note"] for each in order["history"]["items"]]


def refunds(order: Any) -> list[int]:
    return [each["total"] for payment in order["payments"] for each in payment["refunds"]]


async def packed(merchant: Merchant, code: str) -> dict[str, Any]:
    """The order's parcel is packed, booked and handed over."""
    order_id = await merchant.captured(code)
    channel = merchant.channel
    assert (await channel.step(f"{order_id}-F1", "pack")).status_code == 200
    item = await channel.until_work(f"{order_id}-F1", "booked")
    assert (await channel.step(f"{order_id}-F1", "hand-over")).status_code == 200
    return item


async def test_an_order_is_captured_shipped_delivered_returned_and_told_once_each(merchant: Merchant) -> None:
    code = await merchant.place(A=2, B=1)
    await merchant.in_vendure(code, lambda order: notes(order) == ["accepted"])
    merchant.network.lost |= {"AddFulfilment", "Refund"}  # done there; we do not hear of it, as if we had died
    item = await packed(merchant, code)
    order = await merchant.in_vendure(code, lambda order: order["state"] == "Shipped")
    (fulfilment,) = order["fulfillments"]
    assert (fulfilment["trackingCode"], fulfilment["state"]) == (item["tracking_number"], "Shipped")
    await merchant.channel.scan(item, "delivered")
    await merchant.in_vendure(code, lambda order: order["state"] == "Delivered")
    lines = [{"line_id": order["lines"][0]["id"], "quantity": 1}]
    asked = {"order_id": f"web-{code}", "lines": lines}
    return_id = (await merchant.channel.http.post("/v1/returns", json=asked)).json()["return_id"]
    for step, said in (
        ("receive", {"lines": lines}),
        ("inspect", {"lines": [{**lines[0], "disposition": "restock"}]}),
    ):
        answer = await merchant.channel.http.post(f"/v1/returns/{return_id}/{step}", json=said)
        assert answer.status_code == 200, answer.text
    done = await merchant.in_vendure(code, lambda order: bool(refunds(order)))
    await merchant.house.told()
    done = await asyncio.to_thread(vendure.order, merchant.server, code)
    assert (refunds(done), notes(done), len(done["fulfillments"])) == ([250], ["accepted"], 1)
    assert not merchant.network.lost


async def test_units_cancelled_on_either_side_are_cancelled_on_the_other_once(merchant: Merchant) -> None:
    code = await merchant.place(A=3)
    order_id = await merchant.captured(code)
    order = await merchant.in_vendure(code, lambda order: notes(order) == ["accepted"])
    line = order["lines"][0]["id"]
    admin = vendure.administrator(merchant.server)
    it = {"orderId": order["id"], "lines": [{"orderLineId": line, "quantity": 1}], "reason": "by staff there"}
    await asyncio.to_thread(admin.ask, ADMIN_CANCEL, it=it)
    await merchant.read(Feed.RECONCILE)  # Vendure tells nobody of it
    await merchant.until(lambda: _wants(merchant, order_id, 2))
    merchant.network.lost.add("Cancel")
    cancel = {"lines": [{"line_id": line, "quantity": 1}]}
    answer = await merchant.channel.http.post(f"/v1/orders/{order_id}/cancel", json=cancel)
    assert answer.status_code == 200, answer.text
    await merchant.in_vendure(code, lambda order: order["lines"][0]["quantity"] == 1)
    await merchant.house.told()
    await merchant.read(Feed.RECONCILE)
    await merchant.house.told()
    after = await asyncio.to_thread(vendure.order, merchant.server, code)
    assert after["lines"][0]["quantity"] == 1
    assert await _wants(merchant, order_id, 1)


async def _wants(merchant: Merchant, order_id: str, units: int) -> bool:
    query = f"SELECT sum(quantity - cancelled) FROM order_lines WHERE order_id = '{order_id}'"  # noqa: S608
    return bool(await one(merchant.house.engine, query) == units)


async def test_a_shop_that_was_killed_is_told_once_it_is_back(merchant: Merchant) -> None:
    kept, gone = await merchant.place(A=1), await merchant.place(B=1)
    for code in (kept, gone):
        await merchant.in_vendure(code, lambda order: notes(order) == ["accepted"])
    await asyncio.to_thread(merchant.server.kill)
    assert (await merchant.channel.http.post(f"/v1/orders/web-{gone}/cancel", json={})).status_code == 200
    item = await packed(merchant, kept)
    assert (await merchant.read(Feed.RECONCILE)).read == 0
    await asyncio.to_thread(merchant.server.start)
    await merchant.in_vendure(gone, lambda order: order["state"] == "Cancelled")
    order = await merchant.in_vendure(kept, lambda order: order["state"] == "Shipped")
    assert [each["trackingCode"] for each in order["fulfillments"]] == [item["tracking_number"]]


async def test_what_was_placed_while_we_were_away_is_read_in_pages(merchant: Merchant) -> None:
    hooks = merchant.server.webhook
    query = "SELECT count(DISTINCT order_number) FROM channel_messages"
    before = int(str(await one(merchant.house.engine, query)))
    codes = [await merchant.place(A=1) for _ in range(3)]
    await merchant.read(Feed.RECONCILE)
    for code in codes:
        await merchant.captured(code)
    assert await one(merchant.house.engine, query) == before + 3
    assert hooks.endswith("/webhooks/web")


async def test_the_shop_shows_what_may_be_sold(merchant: Merchant) -> None:
    await merchant.publish()
    await merchant.read(Feed.STOCK)
    await merchant.house.told()
    shown = await asyncio.to_thread(vendure.stock, merchant.server)
    sold = {}
    for sku in shown:
        answer = await merchant.channel.http.get("/v1/availability", params={"sku": sku, "channel": "web"})
        sold[sku] = answer.json()["items"][0]["available"]
    assert shown == sold
