"""Every error has one shape, says which field is at fault, and tells nobody what is inside. No server runs here."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.http.bodies import MAX_BYTES
from api.http.failures import json_path
from cli.ports import free_port
from settings import Settings
from tests.api.driving import PROBLEM, problem
from tests.worlds.access import IdentityProvider
from tests.worlds.api_examples import ADJUSTMENTS, CARRIER_EVENTS, INSPECTS, NODE, ORDERS, RETURN_REQUESTS, SKU

ORDER = ORDERS["one line, to a home"]


@pytest.fixture(scope="module")
async def deserted(identity_provider: IdentityProvider) -> AsyncIterator[FastAPI]:
    """The API with neither database nor Temporal to be reached; who comes with a token is known all the same."""
    nobody = free_port()
    settings = Settings(
        database_url=f"postgresql://dom:top-secret@127.0.0.1:{nobody}/dom",
        temporal_address=f"127.0.0.1:{nobody}",
        **identity_provider.settings,
    )
    app = create_app(settings)

    @app.get("/broken")
    async def broken() -> None:
        raise KeyError("the password is top-secret")

    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="module")
async def alone(deserted: FastAPI, identity_provider: IdentityProvider) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(deserted, raise_app_exceptions=False)
    headers = identity_provider.headers()
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as http:
        yield http


class TestWhatCannotBeRead:
    @pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b'{"channel": "web"', b"\x00", b'"\xff"', b"[" * 100_000])
    async def test_a_body_that_is_no_json(self, alone: httpx.AsyncClient, body: bytes) -> None:
        answer = await alone.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
        problem(answer, 400, "malformed-json")

    async def test_no_body(self, alone: httpx.AsyncClient) -> None:
        answer = await alone.post("/v1/orders", headers={"Content-Type": "application/json"})
        problem(answer, 422, "invalid-input", "body")

    async def test_json_by_another_name(self, alone: httpx.AsyncClient) -> None:
        answer = await alone.post("/v1/orders", content="{}", headers={"Content-Type": "text/plain"})
        problem(answer, 415, "unsupported-media-type")

    async def test_too_much_announced(self, alone: httpx.AsyncClient) -> None:
        problem(await alone.post("/v1/orders", content=b"x" * (MAX_BYTES + 1)), 413, "body-too-large")

    async def test_too_much_without_announcement(self, alone: httpx.AsyncClient) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(MAX_BYTES // 1000 + 2):
                yield b" " * 1000

        problem(await alone.post("/v1/orders", content=endless()), 413, "body-too-large")

    async def test_just_as_much_as_may_be_is_read(self, alone: httpx.AsyncClient) -> None:
        body = b"{" + b" " * (MAX_BYTES - 1)
        answer = await alone.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
        problem(answer, 400, "malformed-json")

    async def test_text_no_database_can_hold(self, alone: httpx.AsyncClient) -> None:
        problem(await alone.post("/v1/orders", json={**ORDER, "tags": ["a\0b"]}), 422, "invalid-input", "tags[0]")

    async def test_a_backslash_before_the_same_letters_is_text(self, alone: httpx.AsyncClient) -> None:
        problem(await alone.post("/v1/orders", json={**ORDER, "tags": ["a\\u0000b"]}), 503, "unavailable")

    async def test_half_a_character(self, alone: httpx.AsyncClient) -> None:
        body = b'{"channel": "\\ud800"}'
        answer = await alone.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "channel")


class TestWhatIsNotThere:
    async def test_an_address(self, alone: httpx.AsyncClient) -> None:
        body = problem(await alone.get("/v1/nothing"), 404, "not-found")
        assert "/v1/nothing" in body["detail"]

    async def test_a_method(self, alone: httpx.AsyncClient) -> None:
        answer = await alone.delete("/v1/orders")
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"]


class TestWrongFields:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"channel": "Web Shop"}, "channel"),
            ({"external_id": ""}, "external_id"),
            ({"placed_at": "2026-03-02T09:26:00"}, "placed_at"),
            ({"placed_at": "yesterday"}, "placed_at"),
            ({"currency": "pounds"}, "currency"),
            ({"customer": {**ORDER["customer"], "email": "nobody"}}, "customer.email"),
            ({"customer": {**ORDER["customer"], "phone": "12"}}, "customer.phone"),
            ({"ship_to": {**ORDER["ship_to"], "postal_code": "00000"}}, "ship_to.postal_code"),
            ({"ship_to": {**ORDER["ship_to"], "lines": []}}, "ship_to.lines"),
            ({"lines": []}, "lines"),
            ({"lines": [{**ORDER["lines"][0], "quantity": 0}]}, "lines[0].quantity"),
            ({"lines": [{**ORDER["lines"][0], "quantity": 1.5}]}, "lines[0].quantity"),
            ({"lines": [ORDER["lines"][0], {**ORDER["lines"][0], "line_id": "2", "sku": ""}]}, "lines[1].sku"),
            ({"lines": [{**ORDER["lines"][0], "unit_price": -1}]}, "lines[0].unit_price"),
            ({"lines": [ORDER["lines"][0]] * 2}, "lines[1].line_id"),
            ({"shipping_method": "drone"}, "shipping_method"),
            ({"shipping_method": "pickup"}, "pickup_node"),
            ({"colour": "red"}, "colour"),
        ],
    )
    async def test_an_order_names_the_field(
        self, alone: httpx.AsyncClient, change: dict[str, object], field: str
    ) -> None:
        body = problem(await alone.post("/v1/orders", json={**ORDER, **change}), 422, "invalid-input", field)
        assert body["errors"][0]["field"] == field

    async def test_all_wrong_fields_are_named_at_once(self, alone: httpx.AsyncClient) -> None:
        wrong = {
            **ORDER,
            "currency": "x",
            "lines": [ORDER["lines"][0], {**ORDER["lines"][0], "quantity": -1, "sku": ""}],
        }
        body = problem(await alone.post("/v1/orders", json=wrong), 422, "invalid-input", "currency")
        assert {error["field"] for error in body["errors"]} == {"currency", "lines[1].quantity", "lines[1].sku"}

    async def test_what_was_sent_is_not_sent_back(self, alone: httpx.AsyncClient) -> None:
        wrong = {**ORDER, "customer": {**ORDER["customer"], "email": "private-matter"}}
        assert "private-matter" not in (await alone.post("/v1/orders", json=wrong)).text

    @pytest.mark.parametrize(
        ("method", "path", "body", "field"),
        [
            ("PUT", "/v1/nodes/other", NODE, "id"),
            ("PUT", "/v1/skus/other", SKU, "id"),
            ("PUT", f"/v1/nodes/{NODE['id']}", {**NODE, "time_zone": "Mars/Olympus"}, "time_zone"),
            ("PUT", f"/v1/nodes/{NODE['id']}", {**NODE, "opening_hours": "always"}, "opening_hours"),
            ("PUT", f"/v1/skus/{SKU['id']}", {**SKU, "weight_grams": 0}, "weight_grams"),
            ("POST", "/v1/inventory/adjustments", {"adjustments": []}, "adjustments"),
            ("POST", "/v1/fulfilments/x/pick", {"lines": [{"line_id": "1", "quantity": -1}]}, "lines[0].quantity"),
            ("POST", "/v1/fulfilments/x/pick", {"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
            ("GET", "/v1/availability", None, "sku"),
            ("GET", "/v1/fulfilments?status=asleep", None, "status[0]"),
            ("GET", "/v1/fulfilments?cursor=x", None, "cursor"),
            ("GET", "/v1/returns?cursor=x", None, "cursor"),
        ],
    )
    async def test_every_resource_names_the_field(
        self, alone: httpx.AsyncClient, method: str, path: str, body: object, field: str
    ) -> None:
        problem(await alone.request(method, path, json=body), 422, "invalid-input", field)

    @pytest.mark.parametrize("key", ["", " ", "ä", "x" * 201])
    async def test_a_key_that_is_none(self, alone: httpx.AsyncClient, key: str) -> None:
        answer = await alone.post("/v1/orders/x/cancel", json={}, headers=[(b"Idempotency-Key", key.encode())])
        problem(answer, 422, "invalid-input", "Idempotency-Key")

    @pytest.mark.parametrize("quantity", [0, 1_000_001, -1_000_001])
    async def test_a_change_that_changes_nothing_or_too_much(self, alone: httpx.AsyncClient, quantity: int) -> None:
        change = {**ADJUSTMENTS["a receipt and a breakage"]["adjustments"][0], "quantity": quantity}
        answer = await alone.post("/v1/inventory/adjustments", json={"adjustments": [change]})
        problem(answer, 422, "invalid-input", "adjustments[0].quantity")


class TestServersThatAreAway:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/v1/orders", ORDER),
            ("GET", "/v1/orders", None),
            ("GET", "/v1/orders/web-1", None),
            ("GET", "/v1/orders/web-1/timeline", None),
            ("GET", "/v1/orders/web-1/sourcing", None),
            ("POST", "/v1/orders/web-1/cancel", {}),
            ("GET", "/v1/availability?sku=A", None),
            ("POST", "/v1/inventory/adjustments", ADJUSTMENTS["a receipt and a breakage"]),
            ("GET", "/v1/nodes/n", None),
            ("PUT", f"/v1/nodes/{NODE['id']}", NODE),
            ("GET", "/v1/skus/s", None),
            ("PUT", f"/v1/skus/{SKU['id']}", SKU),
            ("GET", "/v1/fulfilments", None),
            ("POST", "/v1/fulfilments/web-1-F1/pick", {}),
            ("GET", "/v1/fulfilments/web-1-F1/label", None),
            ("POST", "/v1/carriers/northline/events", CARRIER_EVENTS["a parcel delivered"]),
            ("POST", "/v1/returns", RETURN_REQUESTS["two units of a line"]),
            ("GET", "/v1/returns", None),
            ("GET", "/v1/returns/r", None),
            ("POST", "/v1/returns/r/receive", {}),
            ("POST", "/v1/returns/r/inspect", INSPECTS["one as new, one broken"]),
        ],
    )
    async def test_the_caller_is_told_to_come_again(
        self, alone: httpx.AsyncClient, method: str, path: str, body: object
    ) -> None:
        answer = await alone.request(method, path, json=body)
        problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert "top-secret" not in answer.text

    async def test_the_process_lives_and_is_not_ready(self, alone: httpx.AsyncClient) -> None:
        assert (await alone.get("/health/live")).json() == {"status": "alive"}
        body = problem(await alone.get("/health/ready"), 503, "not-ready")
        assert body["data"].keys() == {"postgresql", "temporal"}


class TestDefects:
    async def test_nobody_is_told_what_is_inside(self, alone: httpx.AsyncClient) -> None:
        answer = await alone.get("/broken")
        problem(answer, 500, "internal-error")
        assert "top-secret" not in answer.text
        assert "KeyError" not in answer.text


class TestMeanings:
    async def test_the_type_leads_to_what_it_means(self, alone: httpx.AsyncClient) -> None:
        answer = await alone.post("/v1/orders", json={})
        meaning = await alone.get(answer.json()["type"])
        assert (meaning.status_code, meaning.json()["title"]) == (200, answer.json()["title"])

    async def test_a_type_that_is_none(self, alone: httpx.AsyncClient) -> None:
        problem(await alone.get("/problems/boredom"), 404, "not-found")

    async def test_problems_are_not_plain_json(self, alone: httpx.AsyncClient) -> None:
        assert (await alone.get("/v1/nothing")).headers["content-type"] == PROBLEM


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("body", "lines", 0, "sku"), "lines[0].sku"),
        (("query", "limit"), "limit"),
        (("body",), "body"),
        (("body", 3), "[3]"),
        ((), "body"),
    ],
)
def test_locations_are_written_as_people_write_them(location: tuple[str | int, ...], path: str) -> None:
    assert json_path(location) == path
