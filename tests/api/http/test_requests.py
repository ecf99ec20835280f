"""What every endpoint refuses before anything is done: parameters and keys of which a part would be ignored."""

from typing import Any

import httpx
import pytest

from tests.api.driving import Channel, order, problem

LISTS = ("/v1/orders", "/v1/returns", "/v1/fulfilments", "/v1/inbound", "/v1/inventory/imports", "/v1/ofl/rehearsals")


class TestAQuery:
    @pytest.mark.parametrize("path", [*LISTS, "/v1/channels", "/v1/ofl/policies", "/v1/ofl/drafts", "/v1/ofl/shadows"])
    async def test_with_an_unknown_parameter_is_refused_with_those_there_are(
        self, http: httpx.AsyncClient, path: str
    ) -> None:
        answer = await http.get(path, params={"staus": "accepted"})
        allowed = problem(answer, 422, "invalid-input", "staus")["data"]["allowed"]
        assert "staus" not in allowed
        assert path not in LISTS or "limit" in allowed

    async def test_with_a_parameter_given_twice_where_one_counts_is_refused(self, http: httpx.AsyncClient) -> None:
        for path, name in (("/v1/orders", "customer"), ("/v1/orders", "limit"), ("/v1/fulfilments", "node")):
            answer = await http.get(path, params=[(name, "1"), (name, "2")])
            problem(answer, 422, "invalid-input", name)

    async def test_takes_many_statuses_wherever_a_list_has_one(self, http: httpx.AsyncClient, channel: Channel) -> None:
        found = await channel.place(order(await channel.stocked_sku(5)))
        for path, two in (("/v1/orders", ("accepted", "cancelled")), ("/v1/orders", ("cancelled", "accepted"))):
            answer = await http.get(path, params=[("status", each) for each in two])
            assert found in [each["order_id"] for each in answer.json()["items"]]
        for path, two in (
            ("/v1/returns", ("requested", "received")),
            ("/v1/inbound", ("announced", "received")),
            ("/v1/fulfilments", ("released", "picked")),
        ):
            assert (await http.get(path, params=[("status", each) for each in two])).status_code == 200

    async def test_of_a_command_is_looked_at_too(self, http: httpx.AsyncClient) -> None:
        answer = await http.post("/v1/orders?dry_run=true", json=order("A"))
        problem(answer, 422, "invalid-input", "dry_run")


class TestABody:
    @pytest.mark.parametrize(
        ("path", "text", "field"),
        [
            ("/v1/inventory/adjustments", '{"adjustments": [{"sku": "A", "quantity": 1, "quantity": 7}]}',
             "adjustments[0].quantity"),
            ("/v1/availability/query", '{"skus": ["A"], "skus": ["B"]}', "skus"),
            ("/v1/orders/web-1/cancel", '{"reason": "a", "reason": "b"}', "reason"),
            ("/v1/carriers/northline/events", '{"events": [], "events": []}', "events"),
            ("/v1/orders", r'{"half \ud83d": 1, "half \ud83d": 2}', r"half \ud83d"),
        ],
    )  # fmt: skip
    async def test_with_a_key_that_stands_twice_is_refused(
        self, http: httpx.AsyncClient, path: str, text: str, field: str
    ) -> None:
        answer = await http.post(path, content=text, headers={"content-type": "application/json"})
        problem(answer, 422, "invalid-input", field)

    async def test_of_a_policy_has_no_key_twice_either(self, http: httpx.AsyncClient) -> None:
        text = '{"name": "a", "name": "b", "strategies": [{"name": "s"}]}'
        answer = await http.post("/v1/ofl/policies/lint", content=text, headers={"content-type": "application/json"})
        assert [each["path"] for each in answer.json()["findings"] if each["code"] == "duplicate-key"] == ["name"]

    async def test_with_a_number_that_is_no_json_is_refused(self, http: httpx.AsyncClient) -> None:
        text = '{"skus": ["A"], "day": NaN}'
        answer = await http.post("/v1/availability/query", content=text, headers={"content-type": "application/json"})
        problem(answer, 400, "malformed-json")

    @pytest.mark.parametrize("quantity", [True, 1.0, "1"])
    async def test_holds_integers_as_they_are(self, http: httpx.AsyncClient, quantity: Any) -> None:
        lines = [{"line_id": "1", "sku": "A", "quantity": quantity, "unit_price": 1}]
        answer = await http.post("/v1/orders", json=order("A", lines=lines))
        problem(answer, 422, "invalid-input", "lines[0].quantity")

    @pytest.mark.parametrize("as_of", [20261129, "20261129", "1764381600000", 1764381600000])
    async def test_of_a_count_reads_no_number_as_a_time(self, http: httpx.AsyncClient, as_of: Any) -> None:
        count = {"node_id": "dc-daventry", "sku": "A", "quantity": 4, "as_of": as_of, "sequence": 1}
        answer = await http.post("/v1/inventory/counts", json={"source": "s", "counts": [count]})
        problem(answer, 422, "invalid-input", "counts[0].as_of")

    async def test_has_one_error_a_mistake(self, http: httpx.AsyncClient) -> None:
        lines = [{"line_id": "1", "sku": "A", "quantity": 0, "unit_price": 1}]
        answer = await http.post("/v1/orders", json=order("A", lines=lines))
        body = problem(answer, 422, "invalid-input", "lines[0].quantity")
        assert [each["field"] for each in body["errors"]] == ["lines[0].quantity"]

    async def test_that_is_too_short_is_still_said_to_be(self, http: httpx.AsyncClient) -> None:
        answer = await http.post("/v1/orders", json=order("A", lines=[]))
        assert [each["field"] for each in problem(answer, 422, "invalid-input", "lines")["errors"]] == ["lines"]
