"""API keys through the API, the audit log, rate limits, request ids, and headers."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.app import create_app
from api.identity.rate_limits import Buckets
from dom.shared.access import Limits, Role
from settings import Settings
from tests.api.driving import Channel, new_number, order, problem, until
from tests.worlds.access import HEADERS, OPERATOR, key_of

KEYS = "/v1/access/keys"
AUDIT = "/v1/access/audit"
SHOP: dict[str, Any] = {"name": "web shop", "role": "channel", "channels": ["web"]}


async def entry(http: httpx.AsyncClient, request_id: str) -> dict[str, Any]:
    """The one entry of the audit log about a request."""
    (found,) = (await http.get(AUDIT, params={"request_id": request_id})).json()["items"]
    return dict(found)


class TestKeys:
    async def test_from_making_to_revoking(self, http: httpx.AsyncClient) -> None:
        made = (await http.post(KEYS, json=SHOP)).json()
        assert (made["name"], made["channels"], made["created_by"]) == ("web shop", ["web"], OPERATOR)
        assert made["key"].startswith(made["prefix"] + "_")
        old = {"X-API-Key": made["key"]}
        assert (await http.get("/v1/orders", headers=old)).status_code == 200

        listed = await http.get(KEYS, params={"limit": 200})
        assert made["key"] not in listed.text
        assert made["id"] in {each["id"] for each in listed.json()["items"]}

        rotated = (await http.post(f"{KEYS}/{made['id']}/rotate", json={"overlap_seconds": 60})).json()
        assert (rotated["rotated_from"], rotated["channels"]) == (made["id"], ["web"])
        new = {"X-API-Key": rotated["key"]}
        for headers in (old, new):
            assert (await http.get("/v1/orders", headers=headers)).status_code == 200

        ended = (await http.post(f"{KEYS}/{rotated['id']}/revoke")).json()
        assert ended["revoked_by"] == OPERATOR
        problem(await http.get("/v1/orders", headers=new), 401, "unauthenticated")
        problem(await http.post(f"{KEYS}/{rotated['id']}/rotate"), 409, "conflict")
        problem(await http.post(f"{KEYS}/nothing/revoke"), 404, "not-found")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": "system:ofl"}, "name"),
            ({"name": "ofl"}, "name"),
            ({"name": "_shop"}, "name"),
            ({"name": "-shop"}, "name"),
            ({"name": "\uff53hop"}, "name"),
            ({"channels": []}, "channels"),
            ({"scopes": []}, "scopes"),
            ({"nodes": ["dc-daventry"]}, "nodes"),
            ({"carriers": ["northline"]}, "carriers"),
            ({"role": "node", "nodes": ["dc-daventry"]}, "channels"),
            ({"role": "carrier", "carriers": ["northline"]}, "channels"),
            ({"role": "support", "nodes": []}, "nodes"),
            ({"role": "operator", "carriers": ["northline"]}, "carriers"),
            ({"channels": None}, "channels"),
            ({"channels": ["nobody"]}, "channels"),
            ({"scopes": ["access:manage"]}, "scopes"),
            ({"scopes": ["everything"]}, "scopes[0]"),
            ({"role": "god"}, "role"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
            ({"key": "dom_mine_mine"}, "key"),
        ],
    )
    async def test_what_cannot_be(self, http: httpx.AsyncClient, changes: dict[str, Any], field: str) -> None:
        problem(await http.post(KEYS, json=SHOP | changes), 422, "invalid-input", field)

    async def test_a_key_that_grants_itself_more(self, http: httpx.AsyncClient, engine: AsyncEngine) -> None:
        """An operator of one channel: it manages keys, of its own channel alone."""
        limited = await key_of(engine, Role.OPERATOR, Limits.of(channels=["web"]), name="limited operator")
        for asked in (
            {"name": "me", "role": "operator"},
            {"name": "me", "role": "support"},
            {"name": "me", "role": "support", "channels": ["web", "store"]},
            {"name": "me", "role": "node", "nodes": ["dc-daventry"]},
        ):
            problem(await http.post(KEYS, json=asked, headers=limited), 403, "forbidden")
        own = await http.post(KEYS, json={"name": "me", "role": "support", "channels": ["web"]}, headers=limited)
        assert own.status_code == 201, own.text
        whole = (await http.post(KEYS, json={"name": "the house", "role": "operator"})).json()
        for step in ("rotate", "revoke"):
            problem(await http.post(f"{KEYS}/{whole['id']}/{step}", headers=limited), 403, "forbidden")
        listed = (await http.get(KEYS, headers=limited, params={"limit": 200})).json()["items"]
        assert all(each["channels"] == ["web"] for each in listed)
        assert own.json()["id"] in {each["id"] for each in listed}

    async def test_what_was_made_is_where_the_answer_says_and_in_the_audit_log(self, http: httpx.AsyncClient) -> None:
        made = await http.post(KEYS, json=SHOP)
        rotated = await http.post(f"{KEYS}/{made.json()['id']}/rotate")
        for answer, object_ in (
            (made, made.json()["id"]),
            (rotated, f"{made.json()['id']}/{rotated.json()['id']}"),
        ):
            shown = await http.get(answer.headers["location"])
            assert shown.json()["id"] == answer.json()["id"]
            assert answer.json()["key"] not in shown.text
            assert (await entry(http, answer.headers["x-request-id"]))["object"] == object_
        problem(await http.get(f"{KEYS}/nothing"), 404, "not-found")

    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
    async def test_no_other_role_makes_any(self, http: httpx.AsyncClient, engine: AsyncEngine, role: Role) -> None:
        headers = await key_of(engine, role, Limits.of(["web"], ["dc-daventry"], ["northline"]))
        problem(await http.post(KEYS, json=SHOP, headers=headers), 403, "forbidden")


class TestAudit:
    async def test_a_change_is_written_down_with_why(self, channel: Channel, engine: AsyncEngine) -> None:
        placed = await channel.place(order(await channel.stocked_sku(5)))
        shop = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]), name="web shop")
        path = f"/v1/orders/{placed}/cancel"
        answer = await channel.http.post(path, json={"reason": "changed mind"}, headers=shop)
        found = await entry(channel.http, answer.headers["x-request-id"])
        told = {name: found[name] for name in ("principal", "key_id", "roles", "method", "route", "object", "status")}
        assert told == {
            "principal": "web shop", "key_id": shop["X-API-Key"].split("_")[1], "roles": ["channel"], "method": "POST",
            "route": "/v1/orders/{order_id}/cancel", "object": placed, "status": 200,
        }  # fmt: skip
        assert (found["reason"], found["source"]) == ("changed mind", "127.0.0.1")

    async def test_so_is_what_was_made_and_what_was_refused(self, channel: Channel, engine: AsyncEngine) -> None:
        http = channel.http
        made = await http.post("/v1/orders", json=order(await channel.stocked_sku(5)))
        assert (await entry(http, made.headers["x-request-id"]))["object"] == made.json()["order_id"]
        wrong = await http.post("/v1/orders", json={})
        assert (await entry(http, wrong.headers["x-request-id"]))["status"] == 422
        carrier = await key_of(engine, Role.CARRIER, Limits.of(carriers=["northline"]), name="a carrier")
        for method, path in (("GET", "/v1/orders"), ("POST", "/v1/orders")):
            refused = await http.request(method, path, headers=carrier)
            found = await entry(http, refused.headers["x-request-id"])
            assert (found["principal"], found["status"], found["route"]) == ("a carrier", 403, "/v1/orders")

    async def test_it_is_found_by_what_it_is_about_and_by_time(self, channel: Channel) -> None:
        placed = await channel.place(order(await channel.stocked_sku(5)))
        await channel.http.post(f"/v1/orders/{placed}/cancel", json={"reason": "changed mind"})

        async def found(**asked: str) -> list[str]:
            answer = await channel.http.get(AUDIT, params={"object": placed, **asked})
            return [each["recorded_at"] for each in answer.json()["items"]]

        cancelled, captured = await found()
        assert await found(since=cancelled) == [cancelled]
        assert await found(until=cancelled) == [captured]
        assert await found(since=captured, until=cancelled) == [captured]
        wrong = await channel.http.get(AUDIT, params={"since": "yesterday"})
        problem(wrong, 422, "invalid-input", "since")

    async def test_what_only_reads_is_not(self, http: httpx.AsyncClient) -> None:
        for method, path in (("GET", "/v1/orders"), ("POST", "/v1/ofl/policies/lint"), ("GET", "/v1/orders/nothing")):
            answer = await http.request(method, path, json={} if method == "POST" else None)
            asked = await http.get(AUDIT, params={"request_id": answer.headers["x-request-id"]})
            assert asked.json()["items"] == [], path

    async def test_nobody_fills_it(self, app: FastAPI, http: httpx.AsyncClient) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as nobody:
            answer = await nobody.post("/v1/orders", json={})
        found = await http.get(AUDIT, params={"request_id": answer.headers["x-request-id"]})
        assert found.json()["items"] == []

    @pytest.mark.parametrize("reason", ["a\\u0000b", "\\ud800", 7, None, ["x"]])
    async def test_a_reason_that_cannot_be_kept_costs_no_entry(self, http: httpx.AsyncClient, reason: Any) -> None:
        content = f'{{"reason": "{reason}"}}' if isinstance(reason, str) else f'{{"reason": {reason or "null"}}}'
        headers = {"Content-Type": "application/json"}
        answer = await http.post("/v1/orders/none/cancel", content=content.replace("'", '"'), headers=headers)
        assert (await entry(http, answer.headers["x-request-id"]))["status"] == answer.status_code

    async def test_nor_does_a_body_that_is_nested_without_end(self, http: httpx.AsyncClient) -> None:
        content = '{"reason": "why", "x": ' + "[" * 30_000 + "]" * 30_000 + "}"
        answer = await http.post(
            "/v1/orders/none/cancel", content=content, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500
        assert (await entry(http, answer.headers["x-request-id"]))["reason"] == ""

    async def test_nor_does_an_address_that_cannot_be_kept(self, http: httpx.AsyncClient) -> None:
        long = "/v1/nothing/" + "x" * 3000
        for path, object_, route in (
            ("/v1/orders/a%00b/cancel", "ab", "/v1/orders/{order_id}/cancel"),
            ("/v1/no%00thing", "", "/v1/nothing"),
            (long, "", long[:1000]),
        ):
            answer = await http.post(path, json={})
            found = await entry(http, answer.headers["x-request-id"])
            assert (found["object"], found["route"]) == (object_, route)
            asked = await http.get(AUDIT, params={"route": route, "request_id": found["request_id"]})
            assert [each["id"] for each in asked.json()["items"]] == [found["id"]]

    async def test_what_is_being_written_is_waited_for_at_the_end(
        self, running: Settings, channel: Channel, engine: AsyncEngine, temporal_client: Client, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("api.identity.audit._PATIENCE", 0.05)
        sku = await channel.stocked_sku(1)
        document = (await channel.http.get(f"/v1/skus/{sku}")).json()
        app = create_app(running, None, temporal_client)  # with an engine of its own, which it closes
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with engine.connect() as locking:
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://api", headers=HEADERS) as client,
            ):
                await locking.execute(text("LOCK TABLE audit_log IN EXCLUSIVE MODE"))
                answer = await client.put(f"/v1/skus/{sku}", json=document)
                assert answer.status_code == 200
                tail = app.state.services.tail

                async def let_go() -> None:
                    await until(is_ending)
                    await locking.rollback()

                async def is_ending() -> bool:
                    return bool(tail._closed)

                letting_go = asyncio.create_task(let_go())
            found = await entry(channel.http, answer.headers["x-request-id"])
            await letting_go
        assert found["object"] == sku

    async def test_an_answer_does_not_wait_for_a_log_that_cannot_be_written(
        self, channel: Channel, engine: AsyncEngine
    ) -> None:
        sku = await channel.stocked_sku(1)
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE audit_log RENAME TO audit_log_away"))
        try:
            document = (await channel.http.get(f"/v1/skus/{sku}")).json()
            assert (await channel.http.put(f"/v1/skus/{sku}", json=document)).status_code == 200
        finally:
            async with engine.begin() as connection:
                await connection.execute(text("ALTER TABLE audit_log_away RENAME TO audit_log"))

    async def test_pages_go_on_and_a_limited_caller_reads_none(
        self, http: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        first = (await http.get(AUDIT, params={"limit": 2})).json()
        second = (await http.get(AUDIT, params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert min(each["id"] for each in first["items"]) > max(each["id"] for each in second["items"])
        limited = await key_of(engine, Role.SUPERVISOR, Limits.of(channels=["web"]))
        problem(await http.get(AUDIT, headers=limited), 403, "forbidden")


class TestRateLimits:
    def test_a_bucket_fills_evenly(self) -> None:
        now = 0.0
        buckets = Buckets(60, lambda: now)
        assert [buckets.take("a")[0] for _ in range(61)] == [*range(59, -1, -1), -1]
        assert buckets.take("a") == (-1, 1)
        assert buckets.take("b") == (59, 0), "each caller has one of its own"
        now = 1.0
        assert buckets.take("a") == (0, 0)
        assert buckets.take("a") == (-1, 1)
        now = 3600.0
        assert buckets.take("a") == (59, 0), "and it never holds more"

    def test_callers_who_went_are_forgotten(self) -> None:
        now = 0.0
        buckets = Buckets(60, lambda: now)
        for number in range(10_001):
            buckets.take(f"c{number}")
        now = 61.0
        buckets.take("a")
        assert len(buckets._buckets) == 1

    async def test_too_many_are_told_when_to_come_again(
        self, running: Settings, engine: AsyncEngine, temporal_client: Client
    ) -> None:
        app = create_app(running.model_copy(update={"rate_limit": 3}), engine, temporal_client)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api", headers=HEADERS) as http,
        ):
            for left in (2, 1, 0):
                answer = await http.get("/v1/channels")
                assert answer.status_code == 200
                assert answer.headers["ratelimit"].startswith(f'"caller";r={left};')
                assert answer.headers["ratelimit-policy"] == '"caller";q=3;w=60'
            refused = await http.get("/v1/channels")
            problem(refused, 429, "too-many-requests")
            assert 1 <= int(refused.headers["retry-after"]) <= 20
            changing = await http.post("/v1/orders", json={})
            problem(changing, 429, "too-many-requests")
            async with engine.connect() as connection:
                written = await connection.scalar(
                    text("SELECT count(*) FROM audit_log WHERE request_id = :id"),
                    {"id": changing.headers["x-request-id"]},
                )
            assert written == 0, "who asks too much would fill the audit log"
            other = await key_of(engine, Role.OPERATOR, Limits())
            assert (await http.get("/v1/channels", headers=other)).status_code == 200
            assert (await http.get("/health/live")).status_code == 200


class TestEveryAnswer:
    async def test_has_the_id_of_its_request(self, http: httpx.AsyncClient) -> None:
        given = f"trace-{new_number()}"
        answer = await http.get("/v1/orders/nothing", headers={"X-Request-Id": given})
        assert answer.headers["x-request-id"] == answer.json()["request_id"] == given
        first, second = [(await http.get("/health/live")).headers["x-request-id"] for _ in range(2)]
        assert first != second

    @pytest.mark.parametrize("given", ["a b", "x" * 65, "a\tb", "<script>", "\u00fc".encode().decode("latin-1"), ""])
    async def test_no_id_that_could_be_something_else_is_taken(self, http: httpx.AsyncClient, given: str) -> None:
        answer = await http.get("/health/live", headers=[(b"X-Request-Id", given.encode("latin-1"))])
        assert answer.headers["x-request-id"] != given
        assert len(answer.headers["x-request-id"]) == len(uuid4().hex)

    async def test_is_not_stored_framed_or_guessed_at(self, http: httpx.AsyncClient) -> None:
        for path in ("/v1/orders", "/v1/orders/nothing", "/health/live"):
            headers = (await http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["cache-control"] == "no-store"
            assert "default-src 'none'" in headers["content-security-policy"]
        assert "content-security-policy" not in (await http.get("/docs")).headers, "the page loads its own scripts"

    async def test_lets_no_page_of_another_origin_call(self, http: httpx.AsyncClient) -> None:
        asked = {"Origin": "https://console.example", "Access-Control-Request-Method": "GET"}
        for answer in (await http.options("/v1/orders", headers=asked), await http.get("/v1/orders", headers=asked)):
            assert not [name for name in answer.headers if name.startswith("access-control")]

    async def test_unless_it_is_set(self, running: Settings, engine: AsyncEngine, temporal_client: Client) -> None:
        app = create_app(
            running.model_copy(update={"cors_origins": "https://console.example"}), engine, temporal_client
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-API-Key"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as http,
        ):
            mine = await http.options("/v1/orders", headers=asked | {"Origin": "https://console.example"})
            assert mine.headers["access-control-allow-origin"] == "https://console.example"
            assert "access-control-allow-credentials" not in mine.headers
            other = await http.options("/v1/orders", headers=asked | {"Origin": "https://evil.example"})
            assert "access-control-allow-origin" not in other.headers
