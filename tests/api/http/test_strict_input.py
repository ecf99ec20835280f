"""Input at every door: oddities are corrected and said, rubbish is refused with its field, nothing is a defect."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dom.orders.intake import OrderRequest, as_captured_before
from tests.api.driving import NODE, Channel, new_number, order, problem

NOBODY = "webb"
PLACE = {"country": "GB", "postal_code": "LS1 4AP"}


def _node(**changes: Any) -> dict[str, Any]:
    return {
        "id": "dc-strict", "name": "Strict", "kind": "store", "latitude": 53.8, "longitude": -1.5, "active": False,
        "address": {"lines": ["1 Mill Lane"], "city": "Leeds", "postal_code": "LS1 4AP", "country": "GB"},
        "time_zone": "Europe/London", "opening_hours": "Mo-Fr 08:00-18:00", "cut_off": "17:00", "daily_capacity": 0,
    } | changes  # fmt: skip


class TestAChannelThatNobodyRegistered:
    async def test_makes_no_order(self, http: httpx.AsyncClient, channel: Channel) -> None:
        document = order(await channel.stocked_sku(3)) | {"channel": NOBODY}
        problem(await http.post("/v1/orders", json=document), 422, "unknown-channel", "channel")

    async def test_is_promised_and_held_nothing(self, http: httpx.AsyncClient, channel: Channel) -> None:
        lines = [{"sku": await channel.stocked_sku(3), "quantity": 1}]
        asked: dict[str, Any] = {"channel": NOBODY, "ship_to": PLACE, "lines": lines}
        problem(await http.post("/v1/availability/promise", json=asked), 422, "unknown-channel", "channel")
        held = await http.post("/v1/reservations", json={**asked, "owner": new_number()})
        problem(held, 422, "unknown-channel", "channel")

    async def test_hears_of_no_availability(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        got = await http.get("/v1/availability", params={"sku": sku, "channel": NOBODY})
        problem(got, 422, "unknown-channel", "channel")
        queried = await http.post("/v1/availability/query", json={"skus": [sku], "channel": NOBODY})
        problem(queried, 422, "unknown-channel", "channel")
        changes = await http.get("/v1/availability/changes", params={"channel": NOBODY})
        problem(changes, 422, "unknown-channel", "channel")


class TestAnOrder:
    async def test_that_is_still_to_be_placed_is_refused(self, http: httpx.AsyncClient, channel: Channel) -> None:
        late = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        document = order(await channel.stocked_sku(3), placed_at=late)
        problem(await http.post("/v1/orders", json=document), 422, "invalid-input", "placed_at")

    async def test_has_its_corrections_in_its_first_event(self, http: httpx.AsyncClient, channel: Channel) -> None:
        document = order(await channel.stocked_sku(3))
        document["ship_to"]["postal_code"] = "ls1\u00a0 4ap."
        document["customer"] |= {"phone": "07700 900123", "email": "Ada <ada@customer.example>"}
        order_id = await channel.place(document)
        events = (await http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        first = next(each for each in events if each["kind"] == "order.accepted" or "corrections" in each["data"])
        assert {(each["field"], each["kept"]) for each in first["data"]["corrections"]} == {
            ("ship_to.postal_code", "LS1 4AP"),
            ("customer.phone", "+447700900123"),
            ("customer.email", "ada@customer.example"),
        }
        assert (await http.post("/v1/orders", json=document)).status_code == 200

    @pytest.mark.parametrize(
        ("path", "value", "field"),
        [
            ("lines.0.quantity", "2", "lines[0].quantity"),
            ("lines.0.quantity", 2.0, "lines[0].quantity"),
            ("lines.0.quantity", 2**63, "lines[0].quantity"),
            ("lines.0.quantity", None, "lines[0].quantity"),
            ("lines.0", None, "lines[0]"),
            ("lines", [], "lines"),
            ("tags", [None], "tags[0]"),
            ("ship_to.lines", [None], "ship_to.lines[0]"),
            ("placed_at", "2026-02-30T10:00:00Z", "placed_at"),
            ("placed_at", "2016-12-31T23:59:60Z", "placed_at"),
            ("placed_at", "2026-03-02T09:26:00+24:00", "placed_at"),
            ("placed_at", "0001-01-01T00:00:00+14:00", "placed_at"),
            ("customer.id", "\u200b", "customer.id"),
            ("external_id", "a\u202eb", "external_id"),
            ("priority", 10**30, "priority"),
            ("customer", [], "customer"),
            ("ship_to.country", "gb", "ship_to.country"),
        ],
    )
    async def test_that_is_rubbish_is_refused_by_its_field(
        self, http: httpx.AsyncClient, path: str, value: object, field: str
    ) -> None:
        document = order("85123A")
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        target: Any = document
        for step in way:
            target = target[step]
        target[last] = value
        problem(await http.post("/v1/orders", json=document), 422, "invalid-input", field)

    async def test_in_json_that_is_none_is_malformed(self, http: httpx.AsyncClient) -> None:
        headers = {"content-type": "application/json"}
        for text in (
            '{"a": NaN}',
            '{"a": Infinity}',
            '{"a": 01}',
            "[" * 5000,
            '{"a": "\ud800"}'.encode("utf-8", "surrogatepass"),
        ):
            answer = await http.post("/v1/orders", content=text, headers=headers)
            assert answer.status_code in {400, 422}, (text[:20], answer.text)

    async def test_with_times_in_small_letters_is_taken(self, http: httpx.AsyncClient, channel: Channel) -> None:
        assert await channel.place(order(await channel.stocked_sku(3), placed_at="2026-03-02t09:26:00z"))


class TestAnOrderOfAnEarlierRelease:
    """It was kept as it came."""

    @pytest.mark.parametrize("code", ["ls1  4ap", "LS1 4APXX"])
    async def test_is_answered_as_it_was(
        self, http: httpx.AsyncClient, app: FastAPI, channel: Channel, code: str
    ) -> None:
        document = order(await channel.stocked_sku(3))
        document["ship_to"]["postal_code"] = code
        before = as_captured_before(document)
        assert before is not None
        answer = await app.state.services.orders.capture(OrderRequest.model_construct(**dict(before)))
        assert answer.created
        again = await http.post("/v1/orders", json=document)
        assert (again.status_code, again.json()["order_id"]) == (200, answer.order_id), again.text
        other = await http.post("/v1/orders", json={**document, "tags": ["other"]})
        assert other.status_code in {409, 422}, other.text


class TestABasketsPlace:
    async def test_is_corrected_as_an_orders_address(self, http: httpx.AsyncClient, channel: Channel) -> None:
        sku = await channel.stocked_sku(3)
        lines = [{"sku": sku, "quantity": 1}]
        odd = {"country": "GB", "postal_code": " ls1\u00a04ap. ", "region": "n/a"}

        async def asked(place: dict[str, str]) -> list[Any]:
            basket = {"channel": "web", "ship_to": place, "lines": lines}
            promise = await http.post("/v1/availability/promise", json=basket)
            query = await http.post("/v1/availability/query", json={"skus": [sku], "ship_to": place})
            got = await http.get("/v1/availability", params={"sku": sku, **{k: place[k] for k in PLACE}})
            assert (promise.status_code, query.status_code, got.status_code) == (200, 200, 200), promise.text
            shipments = [each["shipments"] for each in promise.json()["items"]]
            return [shipments, query.json()["items"][0]["nodes"], got.json()["items"][0]["nodes"]]

        assert await asked(odd) == await asked(PLACE)
        held = await http.post(
            "/v1/reservations", json={"channel": "web", "owner": new_number(), "ship_to": odd, "lines": lines}
        )
        assert held.status_code == 201, held.text

    @pytest.mark.parametrize("code", ["LS1 4AP, England", "LS1 4APXX", "banana"])
    async def test_that_is_rubbish_is_refused(self, http: httpx.AsyncClient, code: str) -> None:
        place = {"country": "GB", "postal_code": code}
        lines = [{"sku": "85123A", "quantity": 1}]
        for path, body in (
            ("availability/promise", {"channel": "web", "lines": lines}),
            ("availability/query", {"skus": ["85123A"]}),
            ("reservations", {"channel": "web", "owner": "cart-1", "lines": lines}),
        ):
            answer = await http.post(f"/v1/{path}", json={**body, "ship_to": place})
            problem(answer, 422, "invalid-input", "ship_to.postal_code")
        got = await http.get("/v1/availability", params={"sku": "85123A", **place})
        problem(got, 422, "invalid-input", "postal_code")
        got = await http.get("/v1/availability", params={"sku": "85123A", "country": "XX"})
        problem(got, 422, "invalid-input", "country")


class TestNamesAndReasons:
    @pytest.mark.parametrize("blank", [" ", "\u200b", "\u00a0\t", "\x07"])
    async def test_of_blanks_are_refused(self, http: httpx.AsyncClient, blank: str) -> None:
        problem(await http.put("/v1/nodes/dc-strict", json=_node(name=blank)), 422, "invalid-input", "name")
        body = {"id": "strict", "name": blank}
        problem(await http.put("/v1/channels/strict", json=body), 422, "invalid-input", "name")
        item = {"node_id": NODE, "sku": "85123A", "quantity": 1, "reason": blank, "idempotency_key": new_number()}
        adjusted = await http.post("/v1/inventory/adjustments", json={"adjustments": [item]})
        problem(adjusted, 422, "invalid-input", "adjustments[0].reason")

    async def test_halves_of_a_pair_are_no_defect(self, http: httpx.AsyncClient) -> None:
        headers = {"content-type": "application/json"}
        content = '{"order_id": "\\ud800", "lines": [{"line_id": "1", "quantity": 1}]}'
        answer = await http.post("/v1/returns", content=content, headers=headers)
        problem(answer, 422, "invalid-input", "order_id")
        content = '{"channel": "web", "owner": "c", "lines": [{"sku": "\\ud800", "quantity": 1}]}'
        answer = await http.post("/v1/availability/promise", content=content, headers=headers)
        assert answer.status_code == 422, answer.text

    @pytest.mark.parametrize("url", ["http://shop.example/a b", " http://shop.example", "http://shop.exam\u200bple/"])
    async def test_an_address_with_blanks_is_none(self, http: httpx.AsyncClient, url: str) -> None:
        body = {"id": "strict", "name": "Strict", "webhook_url": url}
        problem(await http.put("/v1/channels/strict", json=body), 422, "invalid-input", "webhook_url")

    async def test_are_kept_as_people_see_them(self, http: httpx.AsyncClient) -> None:
        answer = await http.put("/v1/nodes/dc-strict", json=_node(name="\ufeff Strict\u00a0Street\u200b "))
        assert answer.json()["name"] == "Strict Street", answer.text
        assert (await http.get("/v1/nodes/dc-strict")).json()["name"] == "Strict Street"

    @pytest.mark.parametrize("key", [" ", "k\u200b", " k", "k\x07"])
    async def test_a_key_with_what_nobody_sees_is_refused_by_itself(
        self, http: httpx.AsyncClient, channel: Channel, key: str
    ) -> None:
        item = {"node_id": NODE, "sku": await channel.stocked_sku(0), "quantity": 1, "reason": "found"}
        feed = [{**item, "idempotency_key": key}, {**item, "idempotency_key": new_number()}]
        answer = await http.post("/v1/inventory/adjustments", json={"adjustments": feed})
        results = answer.json()["results"]
        assert [each["status"] for each in results] == ["refused", "applied"], answer.text
        assert results[0]["problem"]["field"] == "adjustments[0].idempotency_key"


class TestParametersAndHeaders:
    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=1&limit=2", "limit"),
            ("LIMIT=1", "LIMIT"),
            ("limit=", "limit"),
            ("limit=1e3", "limit"),
            ("limit=%00", "limit"),
            ("status=", "status[0]"),
            ("status=accepted&status=banana", "status[1]"),
            ("limit=9223372036854775808", "limit"),
        ],
    )
    async def test_that_would_be_lost_are_refused(self, http: httpx.AsyncClient, query: str, field: str) -> None:
        problem(await http.get(f"/v1/orders?{query}"), 422, "invalid-input", field)

    @pytest.mark.parametrize(
        "query", ["customer=%00", "cursor=%00", "sku=%00", "channel=%00", "q=%00", "cursor=banana"]
    )
    async def test_that_cannot_be_kept_are_no_defect(self, http: httpx.AsyncClient, query: str) -> None:
        assert (await http.get(f"/v1/orders?{query}")).status_code in {200, 422}

    @pytest.mark.parametrize(
        "path", ["orders/%00", "nodes/%00", "skus/%E2%80%8B", "channels/%20", "returns/%0A", "inbound/%00"]
    )
    async def test_ids_of_nothing_are_not_found(self, http: httpx.AsyncClient, path: str) -> None:
        assert (await http.get(f"/v1/{path}")).status_code in {404, 422}

    async def test_a_key_that_is_none_is_refused(self, http: httpx.AsyncClient) -> None:
        sent: list[list[tuple[str, str | bytes]]] = [
            [("Idempotency-Key", "k" * 300)],
            [("Idempotency-Key", "schlüssel".encode())],
            [("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
        ]
        for headers in sent:
            raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]
            answer = await http.post("/v1/orders/web-none/cancel", json={}, headers=raw)
            problem(answer, 422, "invalid-input", "Idempotency-Key")
