"""The NUL character, which PostgreSQL cannot keep, and half a surrogate pair, which UTF-8 cannot write.

An item of a list whose items stand for themselves is refused by itself; any other body is refused at the field.
"""

import json
from typing import Any

import httpx
import pytest

from tests.api.driving import NODE, Channel, new_number, order, problem

JSON = {"Content-Type": "application/json"}
HALF = "\ud83d"


async def results(http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]) -> list[Any]:
    answer = await http.request(method, path, content=json.dumps(body), headers=JSON)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["results"]
    assert [each["index"] for each in found] == list(range(len(found)))
    return found


def said(found: list[Any]) -> list[str]:
    """The status of each item, with the field at fault."""
    return [each["status"] + (f" {each['problem']['field']}" if "problem" in each else "") for each in found]


class TestAnItemOfAList:
    async def test_of_counts(self, http: httpx.AsyncClient, channel: Channel) -> None:
        count = {"node_id": NODE, "quantity": 7, "as_of": "2026-03-02T12:00:00Z", "sequence": 1}
        good = {**count, "sku": await channel.stocked_sku(10)}
        last = {**count, "sku": await channel.stocked_sku(10)}
        counts = [{**good, "sku": "A\0"}, good, {**good, "node_id": f"n{HALF}"}, {**good, "\0": 1}, last]
        found = await results(http, "POST", "/v1/inventory/counts", {"source": new_number(), "counts": counts})
        assert said(found) == [
            *("refused counts[0].sku", "applied", "refused counts[2].node_id", "refused counts[3].\0", "applied")
        ]
        assert found[0]["problem"]["detail"].endswith("text with the NUL character cannot be kept")

    async def test_of_adjustments(self, http: httpx.AsyncClient, channel: Channel) -> None:
        change = {"node_id": NODE, "sku": await channel.stocked_sku(10), "quantity": 1, "reason": "found"}
        changes = [
            {**change, "idempotency_key": "a\0"},
            {**change, "idempotency_key": new_number(), "reason": "found\0"},
            {**change, "idempotency_key": f"a{HALF}"},
            {**change, "idempotency_key": new_number()},
        ]
        found = await results(http, "POST", "/v1/inventory/adjustments", {"adjustments": changes})
        refused = [f"refused adjustments[{index}]." for index in range(3)]
        assert said(found) == [
            *(refused[0] + "idempotency_key", refused[1] + "reason", refused[2] + "idempotency_key", "applied")
        ]
        assert found[3]["on_hand"] == 11

    async def test_of_scans(self, http: httpx.AsyncClient) -> None:
        scan = {"event_id": "a", "tracking_number": "b", "kind": "delivered", "occurred_at": "2026-03-02T12:00:00Z"}
        events = [{**scan, "event_id": "a\0"}, {**scan, "tracking_number": "b\0"}, {**scan, "kind": "\0"}, scan]
        found = await results(http, "POST", "/v1/carriers/northline/events", {"events": events})
        assert said(found) == [
            *("refused events[0].event_id", "refused events[1].tracking_number", "refused events[2].kind"),
            "refused events[3].tracking_number",
        ]
        assert found[3]["problem"]["type"] != "/problems/invalid-input", "that number is only not known"

    async def test_a_list_of_nothing_else_is_refused_whole(self, http: httpx.AsyncClient) -> None:
        count = {"node_id": NODE, "sku": "A\0", "quantity": 7, "as_of": "2026-03-02T12:00:00Z", "sequence": 1}
        answer = await http.post("/v1/inventory/counts", json={"source": "wms", "counts": [count]})
        problem(answer, 422, "invalid-input", "counts[0].sku")

    async def test_beside_the_list_it_is_the_bodys(self, http: httpx.AsyncClient, channel: Channel) -> None:
        count = {"node_id": NODE, "quantity": 7, "as_of": "2026-03-02T12:00:00Z", "sequence": 1}
        good = {**count, "sku": await channel.stocked_sku(10)}
        body = {"source": "wms", "counts": [good]} | {"source": "w\0s"}
        problem(await http.post("/v1/inventory/counts", json=body), 422, "invalid-input", "source")


class TestAnyOtherBody:
    async def test_an_order(self, http: httpx.AsyncClient) -> None:
        body = order("85123A", tags=["gift", "a\0b"])
        problem(await http.post("/v1/orders", json=body), 422, "invalid-input", "tags[1]")
        body = order("85123A")
        body["customer"]["name"] = "Ada\0"
        problem(await http.post("/v1/orders", json=body), 422, "invalid-input", "customer.name")

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-le"])
    async def test_in_every_encoding_that_is_read(self, http: httpx.AsyncClient, encoding: str) -> None:
        body = json.dumps(order("85123A", tags=["a\0b"])).encode(encoding)
        problem(await http.post("/v1/orders", content=body, headers=JSON), 422, "invalid-input", "tags[0]")

    async def test_a_key(self, http: httpx.AsyncClient) -> None:
        body = order("85123A") | {"attributes": {"a\0": "b"}}
        problem(await http.post("/v1/orders", json=body), 422, "invalid-input", "attributes.a\0")

    async def test_a_line_of_goods_to_come(self, http: httpx.AsyncClient) -> None:
        lines = [{"sku": "85123A", "quantity": 1}, {"sku": "A\0", "quantity": 1}]
        body = {"kind": "purchase", "node_id": NODE, "due_on": "2030-01-01", "lines": lines}
        problem(await http.put(f"/v1/inbound/{new_number()}", json=body), 422, "invalid-input", "lines[1].sku")

    async def test_a_line_of_a_cart(self, http: httpx.AsyncClient) -> None:
        lines = [{"line_id": "1", "sku": "A\0", "quantity": 1}]
        body = {"owner": "cart-1", "channel": "web", "lines": lines}
        answer = await http.post("/v1/reservations", json=body, headers={"Idempotency-Key": new_number()})
        problem(answer, 422, "invalid-input", "lines[0].sku")

    async def test_a_policy(self, http: httpx.AsyncClient) -> None:
        answer = await http.post("/v1/ofl/policies/lint", json={"name": "a\0b"})
        assert answer.status_code == 200, answer.text
        assert "wrong-character" in {each["code"] for each in answer.json()["findings"]}


class TestAnAddress:
    @pytest.mark.parametrize(
        "path", ["fulfilments/%00/move", "fulfilments/%00/lost", "cancellation-requests/%00/grant"]
    )
    async def test_is_refused_at_the_part(self, http: httpx.AsyncClient, path: str) -> None:
        field = "request_id" if path.startswith("cancellation") else "fulfilment_id"
        problem(await http.post(f"/v1/{path}", json={}), 422, "invalid-input", field)
