"""What stock is worth, through HTTP: mark-downs are set each for itself, values are shown as they count."""

from typing import Any

import httpx
import pytest

from tests.api.driving import NODE, Channel, problem
from tests.worlds.access import OPERATOR


async def put(http: httpx.AsyncClient, *marks: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await http.put("/v1/inventory/mark-downs", json={"mark_downs": list(marks)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def mark(sku: str, per_unit: int = 150, node_id: str = NODE) -> dict[str, Any]:
    return {"node_id": node_id, "sku": sku, "per_unit": per_unit}


async def shown(http: httpx.AsyncClient, sku: str) -> dict[str, Any]:
    answer = await http.get("/v1/inventory/values", params={"sku": sku})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


class TestMarkDowns:
    async def test_each_stands_for_itself(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        results = await put(channel.http, mark(sku), mark(sku, node_id="nowhere"), mark("no such sku"))
        assert [result["status"] for result in results] == ["applied", "refused", "refused"]
        assert [(r["problem"]["type"], r["problem"]["field"]) for r in results[1:]] == [
            ("/problems/unknown-node", "mark_downs[1].node_id"),
            ("/problems/unknown-sku", "mark_downs[2].sku"),
        ]

    async def test_it_is_shown_until_it_is_taken_back(self, channel: Channel) -> None:
        sku = await channel.stocked_sku(10)
        assert (await shown(channel.http, sku)) == {"sku": sku, "currency": "GBP", "nodes": []}
        await put(channel.http, mark(sku, 150))
        (node,) = (await shown(channel.http, sku))["nodes"]
        assert (node["node_id"], node["mark_down"], node["marked_by"]) == (NODE, 150, OPERATOR)
        assert (node["opportunity"], node["priced_at"]) == (0, None)
        assert (await put(channel.http, mark(sku, 150)))[0]["status"] == "repeated"
        assert [each["status"] for each in await put(channel.http, mark(sku, 90), mark(sku, 0))] == [
            "replaced",
            "applied",
        ]
        assert (await shown(channel.http, sku))["nodes"][0]["mark_down"] == 0

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"per_unit": -1}, "mark_downs[0].per_unit"),
            ({"per_unit": None}, "mark_downs[0].per_unit"),
            ({"per_units": 1}, "mark_downs[0].per_units"),
        ],
    )
    async def test_what_cannot_be_read_changes_nothing(
        self, channel: Channel, changes: dict[str, Any], field: str
    ) -> None:
        sku = await channel.stocked_sku(1)
        body = {"mark_downs": [mark(sku) | changes, mark(sku)]}
        problem(await channel.http.put("/v1/inventory/mark-downs", json=body), 422, "invalid-input", field)
        assert (await shown(channel.http, sku))["nodes"] == []


class TestValues:
    async def test_of_a_sku_nobody_knows(self, channel: Channel) -> None:
        problem(await channel.http.get("/v1/inventory/values", params={"sku": "no such sku"}), 404, "not-found")

    async def test_the_sku_has_to_be_named(self, channel: Channel) -> None:
        problem(await channel.http.get("/v1/inventory/values"), 422, "invalid-input", "sku")
