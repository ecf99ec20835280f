"""What waits, in part too, can be found, and is told apart from what can never be sent."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.driving import Channel, new_number, order, problem

NOWHERE = {"name": "Ada Byrne", "lines": ["1 Ice Shelf"], "city": "Rothera", "postal_code": "BIQQ 1ZZ", "country": "AQ"}


async def listed(http: httpx.AsyncClient, sku: str, **asked: str) -> dict[str, dict[str, Any]]:
    answer = await http.get("/v1/orders", params={"sku": sku, **asked})
    assert answer.status_code == 200, answer.text
    return {item["order_id"]: item for item in answer.json()["items"]}


class TestAnOrderThatWaitsInPart:
    async def test_is_found_among_those_that_wait_and_nowhere_else(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(8)
        whole, part = [await channel.place(order(sku, quantity=5)) for _ in range(2)]
        assert listed_units(await listed(channel.http, sku, waiting="true")) == {part: (5, 2)}
        assert listed_units(await listed(channel.http, sku, waiting="false")) == {whole: (5, 0)}
        assert (await listed(channel.http, sku, waiting="true", status="accepted")).keys() == {part}

    async def test_its_total_is_of_what_was_not_cancelled(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        order_id = await channel.place(order(sku, quantity=5))
        late = {"lines": [{"line_id": "1", "quantity": 2}]}
        assert (await channel.http.post(f"/v1/orders/{order_id}/cancel", json=late)).status_code == 200
        for shown in ((await listed(channel.http, sku))[order_id], await channel.get(order_id)):
            assert (shown["goods_total"], shown["goods_total_living"]) == (5 * 255, 3 * 255)
        assert await listed(channel.http, sku, waiting="true") == {}


def listed_units(found: dict[str, dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {order_id: (item["units"], item["units_waiting"]) for order_id, item in found.items()}


class TestWhatCanNeverBeSent:
    async def test_is_said_to_who_orders_it(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        for place, never in (({}, False), ({"ship_to": NOWHERE}, True)):
            answer = await channel.http.post("/v1/orders", json=order(sku, quantity=2, **place))
            assert answer.status_code == 201, answer.text
            waits = [{"line_id": "1", "quantity": 2 if never else 1, "cannot_be_sourced": never}]
            assert answer.json()["waiting"] == waits

    async def test_is_said_to_who_asks_for_a_promise(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        for country, never in (("GB", False), ("AQ", True)):
            basket = {"channel": "web", "ship_to": {"country": country}, "lines": [{"sku": sku, "quantity": 2}]}
            plans = (await channel.http.post("/v1/availability/promise", json=basket)).json()["items"]
            assert plans
            assert {line.get("cannot_be_sourced", False) for plan in plans for line in plan["unfilled"]} == {never}

    async def test_is_said_to_who_wants_it_held(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(1)
        for country, never in (("GB", False), ("AQ", True)):
            cart = {
                "channel": "web",
                "owner": f"cart-{new_number()}",
                "ship_to": {"country": country},
                "lines": [{"sku": sku, "quantity": 2}],
            }
            refused = await channel.http.post("/v1/reservations", json=cart)
            told = problem(refused, 409, "stock-conflict", "lines[0].quantity")
            assert ("no node may give it, whatever it holds" in told["detail"]) is never
            assert told["data"]["lines"][0].get("cannot_be_sourced", False) is never
