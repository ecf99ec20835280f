"""Safety stocks through HTTP: each setting stands for itself and counts once."""

from typing import Any

import httpx
import pytest

from tests.api.driving import NODE, Channel, new_number, order, problem


def setting(sku: str, **fields: Any) -> dict[str, Any]:
    return {"node_id": NODE, "sku": sku, "reason": "season", "idempotency_key": new_number()} | fields


async def put(http: httpx.AsyncClient, *settings: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await http.put("/v1/inventory/safety-stocks", json={"safety_stocks": list(settings)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


class TestSafetyStocks:
    async def test_each_item_stands_for_itself(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        results = await put(
            channel.http,
            setting(sku, safety_stock=3, promise_safety=4),
            setting(sku, safety_stock=3, node_id="nowhere"),
            setting("no such sku", safety_stock=3),
            setting(sku, promise_safety=6),
        )
        assert [result["status"] for result in results] == ["applied", "refused", "refused", "applied"]
        named = [(r["problem"]["type"], r["problem"]["field"]) for r in results if r["status"] == "refused"]
        assert named == [
            ("/problems/unknown-node", "safety_stocks[1].node_id"),
            ("/problems/unknown-sku", "safety_stocks[2].sku"),
        ]
        assert results[3] == {"index": 3, "status": "applied", "on_hand": 10, "safety_stock": 3, "promise_safety": 6}

    async def test_a_key_counts_once(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        first = setting(sku, safety_stock=3)
        await put(channel.http, first)
        await put(channel.http, setting(sku, safety_stock=5))
        again = (await put(channel.http, first))[0]
        assert (again["status"], again["safety_stock"]) == ("repeated", 5)
        other = (await put(channel.http, {**first, "safety_stock": 4}))[0]
        assert (other["status"], other["problem"]["field"]) == ("refused", "safety_stocks[0].idempotency_key")

    async def test_what_ofl_may_not_take_waits(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        await put(channel.http, setting(sku, safety_stock=2))
        order_id = await channel.place(order(sku, 2))
        line = (await channel.get(order_id))["lines"][0]
        assert (line["allocated"], line["backordered"]) == (1, 1)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({}, "safety_stocks[0]"),
            ({"safety_stock": None}, "safety_stocks[0]"),
            ({"safety_stock": -1}, "safety_stocks[0].safety_stock"),
            ({"promise_safety": 1_000_001}, "safety_stocks[0].promise_safety"),
            ({"safety_stock": 1, "reason": ""}, "safety_stocks[0].reason"),
            ({"safety_stok": 1}, "safety_stocks[0].safety_stok"),
        ],
    )
    async def test_what_cannot_be_read_changes_nothing(
        self, channel: Channel, changes: dict[str, Any], field: str
    ) -> None:
        sku = await channel.stocked_sku(1)
        body = {"safety_stocks": [setting(sku, **changes), setting(sku, safety_stock=1)]}
        problem(await channel.http.put("/v1/inventory/safety-stocks", json=body), 422, "invalid-input", field)
        assert (await put(channel.http, setting(sku, promise_safety=0)))[0]["safety_stock"] == 0
