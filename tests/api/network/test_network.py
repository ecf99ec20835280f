"""Nodes and SKUs through HTTP."""

from typing import Any

import httpx
import pytest

from tests.api.driving import Channel, new_number, order, problem
from tests.worlds.api_examples import NODE, SKU


@pytest.mark.parametrize(("resource", "example"), [("nodes", NODE), ("skus", SKU)])
class TestPut:
    async def test_it_is_created_then_replaced(
        self, http: httpx.AsyncClient, resource: str, example: dict[str, Any]
    ) -> None:
        document = {**example, "id": f"x-{new_number()}"}
        url = f"/v1/{resource}/{document['id']}"
        problem(await http.get(url), 404, "not-found")
        created = await http.put(url, json=document)
        changed = {**document, "currency": "EUR"}
        replaced = await http.put(url, json=changed)
        assert (created.status_code, replaced.status_code) == (201, 200)
        assert (await http.get(url)).json() == replaced.json() == changed

    @pytest.mark.parametrize("code", ["ZZZ", "XXX", "XTS", "XAU"])
    async def test_a_code_that_is_no_money_is_refused(
        self, http: httpx.AsyncClient, resource: str, example: dict[str, Any], code: str
    ) -> None:
        document = {**example, "id": f"x-{new_number()}", "currency": code}
        url = f"/v1/{resource}/{document['id']}"
        problem(await http.put(url, json=document), 422, "invalid-input", "currency")
        problem(await http.get(url), 404, "not-found")

    async def test_the_address_and_the_body_agree(
        self, http: httpx.AsyncClient, resource: str, example: dict[str, Any]
    ) -> None:
        problem(await http.put(f"/v1/{resource}/other", json=example), 422, "invalid-input", "id")
        problem(await http.get(f"/v1/{resource}/other"), 404, "not-found")

    async def test_an_unknown_field_is_no_typing_mistake_lost(
        self, http: httpx.AsyncClient, resource: str, example: dict[str, Any]
    ) -> None:
        url = f"/v1/{resource}/{example['id']}"
        problem(await http.put(url, json={**example, "wieght": 1}), 422, "invalid-input", "wieght")


@pytest.mark.parametrize("sku", ["A/B", "50% off", "x y", "#1?", "ä"[:0] + "~"])
async def test_a_sku_with_any_sign_has_an_address(http: httpx.AsyncClient, sku: str) -> None:
    url = httpx.URL("http://api/v1/skus/").copy_with(raw_path=b"/v1/skus/" + _escaped(sku))
    assert (await http.put(url, json={**SKU, "id": sku})).status_code in {200, 201}
    assert (await http.get(url)).json()["id"] == sku


async def test_a_node_that_is_switched_off_gets_no_new_work(channel: Channel) -> None:
    node = {**NODE, "id": f"x-{new_number()}"}
    await channel.http.put(f"/v1/nodes/{node['id']}", json=node)
    sku = await channel.stocked_sku(10, node["id"])
    first = await channel.http.post("/v1/orders", json=order(sku))
    await channel.http.put(f"/v1/nodes/{node['id']}", json={**node, "active": False})
    second = await channel.http.post("/v1/orders", json=order(sku))
    assert (first.json()["status"], second.json()["status"]) == ("accepted", "backordered")


def _escaped(sku: str) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in sku.encode())
