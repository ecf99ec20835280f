"""Who calls is known before anything is read: keys and tokens that count, and all those that do not."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.identity.scopes import PUBLIC, declared, require_scopes, served
from dom.exceptions.actions import ACTIONS
from dom.shared.access import SCOPES, Limits, Role, Scope
from services import authentication
from services.api_keys import KEYS
from services.authentication import KeyRing
from services.credentials import COMMAND_LINE
from store.access import api_keys as rows
from store.database import engine as store_engine
from tests.api.driving import problem
from tests.worlds.access import HEADERS, KEY, key_of

LISTED = "/v1/orders"


@pytest.fixture(scope="module")
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that says nothing of itself."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as opened:
        yield opened


class TestRoutes:
    def test_each_declares_its_scope_or_is_public(self, app: FastAPI) -> None:
        closed = [route for route in served(app) if route.path not in PUBLIC]
        assert len(closed) > 70
        assert [route.path for route in closed if len(declared(route.original_route)) != 1] == []
        assert {route.path for route in served(app)} >= PUBLIC, "no name is left of what is gone"

    def test_everything_of_the_business_is_closed(self, app: FastAPI) -> None:
        assert [path for path in PUBLIC if path.startswith("/v1")] == []

    def test_every_scope_is_needed_by_a_route(self, app: FastAPI) -> None:
        needed = {scope for route in served(app) for scope in declared(route.original_route)}
        assert needed | {action.scope for action in ACTIONS.values()} == set(Scope)

    def test_an_application_with_an_open_route_does_not_start(self) -> None:
        app, router = FastAPI(docs_url=None, redoc_url=None), APIRouter()

        @router.get("/v1/secrets")
        async def secrets() -> None: ...

        app.include_router(router)
        with pytest.raises(RuntimeError, match="/v1/secrets does not say"):
            require_scopes(app)

    async def test_every_address_below_v1_needs_a_caller(self, nobody: httpx.AsyncClient, app: FastAPI) -> None:
        for route in served(app):
            if route.path in PUBLIC:
                continue
            path = str(route.path_format).replace("{version}", "1").replace("{", "").replace("}", "")
            for method in route.methods or ():
                problem(await nobody.request(method, path), 401, "unauthenticated")
        for method in ("GET", "POST", "OPTIONS", "PATCH"):
            problem(await nobody.request(method, "/v1/nothing"), 401, "unauthenticated")

    @pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/problems/forbidden", "/openapi.json", "/docs"])
    async def test_what_is_public_needs_none(self, nobody: httpx.AsyncClient, path: str) -> None:
        assert (await nobody.get(path)).status_code == 200

    async def test_behind_a_path_of_a_proxy_too(self, app: FastAPI) -> None:
        for root, path in (("/dom", "/dom/v1/orders"), ("/dom", "/v1/orders"), ("/v1", "/v1/v1/orders")):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                problem(await client.get(path), 401, "unauthenticated")
                assert (await client.get(path, headers=HEADERS)).status_code == 200


class TestCredentials:
    @pytest.mark.parametrize(
        "headers", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"}]
    )
    async def test_a_key_comes_in_either_header(self, nobody: httpx.AsyncClient, headers: dict[str, str]) -> None:
        assert (await nobody.get(LISTED, headers=headers)).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": KEY},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer "},
            {"Authorization": f"Basic {base64.b64encode(KEY.encode()).decode()}"},
            {"X-API-Key": ""},
            {"X-API-Key": "dom_tests_"},
            {"X-API-Key": KEY[:-1]},
            {"X-API-Key": f"{KEY}x"},
            {"X-API-Key": KEY.upper()},
            {"X-API-Key": "dom_other_" + KEY.rpartition("_")[2]},
            {"X-API-Key": KEY, "Authorization": f"Bearer {KEY}"},
            {"Cookie": f"X-API-Key={KEY}"},
        ],
    )
    async def test_what_does_not_count(self, nobody: httpx.AsyncClient, headers: dict[str, str]) -> None:
        answer = await nobody.get(LISTED, headers=headers)
        said = problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert KEY not in json.dumps(said)

    async def test_a_key_in_the_address_does_not_count(self, nobody: httpx.AsyncClient) -> None:
        problem(await nobody.get(LISTED, params={"X-API-Key": KEY}), 401, "unauthenticated")

    async def test_a_header_sent_twice_does_not_count(self, nobody: httpx.AsyncClient) -> None:
        twice = [("X-API-Key", KEY), ("X-API-Key", KEY)]
        problem(await nobody.get(LISTED, headers=twice), 401, "unauthenticated")

    async def test_nothing_of_the_body_is_read_before(self, nobody: httpx.AsyncClient) -> None:
        read = False

        async def body() -> AsyncIterator[bytes]:
            nonlocal read
            read = True
            yield b"{"

        problem(await nobody.post(LISTED, content=body()), 401, "unauthenticated")
        assert not read


class TestEndedKeys:
    async def test_one_that_was_revoked(self, nobody: httpx.AsyncClient, app: FastAPI, engine: AsyncEngine) -> None:
        headers = await key_of(engine, Role.OPERATOR, Limits())
        assert (await nobody.get(LISTED, headers=headers)).status_code == 200
        key_id = headers["X-API-Key"].split("_")[1]
        async with engine.begin() as connection:
            await KEYS.revoke(connection, COMMAND_LINE, key_id)
        app.state.services.keys.forget(key_id)
        problem(await nobody.get(LISTED, headers=headers), 401, "unauthenticated")

    async def test_another_process_knows_it_within_seconds(self, engine: AsyncEngine) -> None:
        now = 0.0
        ring = KeyRing(store_engine.reading(engine), lambda: now)
        key = (await key_of(engine, Role.OPERATOR, Limits()))["X-API-Key"]
        assert await ring.caller(key) is not None
        async with engine.begin() as connection:
            await KEYS.revoke(connection, COMMAND_LINE, key.split("_")[1])
        assert await ring.caller(key) is not None
        now = authentication.REMEMBERED_SECONDS
        assert await ring.caller(key) is None

    async def test_one_that_is_revoked_while_it_is_read_is_not_remembered(self, engine: AsyncEngine) -> None:
        """What was read before it was revoked is not kept after it."""
        ring = KeyRing(store_engine.reading(engine))
        key = (await key_of(engine, Role.OPERATOR, Limits()))["X-API-Key"]
        key_id = key.split("_")[1]
        find = rows.find

        async def find_and_be_revoked(connection: AsyncConnection, wanted: str) -> Any:
            row = await find(connection, wanted)
            async with engine.begin() as other:
                await KEYS.revoke(other, COMMAND_LINE, key_id)
            ring.forget(key_id)
            return row

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "find", find_and_be_revoked)
            await ring.caller(key)
        assert await ring.caller(key) is None

    async def test_one_that_expires_while_it_is_remembered(self, engine: AsyncEngine) -> None:
        now = 0.0
        ring = KeyRing(store_engine.reading(engine), lambda: now)
        key = (await key_of(engine, Role.OPERATOR, Limits()))["X-API-Key"]
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE api_keys SET expires_at = now() + interval '2 s' WHERE id = :id"),
                {"id": key.split("_")[1]},
            )
        assert await ring.caller(key) is not None
        now = 2.5
        assert now < authentication.REMEMBERED_SECONDS
        assert await ring.caller(key) is None

    async def test_the_old_one_of_a_rotation(self, nobody: httpx.AsyncClient, engine: AsyncEngine) -> None:
        old = await key_of(engine, Role.OPERATOR, Limits())
        key_id = old["X-API-Key"].split("_")[1]
        async with engine.begin() as connection:
            made = await KEYS.rotate(connection, COMMAND_LINE, key_id, overlap_seconds=0, expires_at=None)
        problem(await nobody.get(LISTED, headers=old), 401, "unauthenticated")
        assert (await nobody.get(LISTED, headers={"X-API-Key": made.plaintext})).status_code == 200

    async def test_its_last_use_is_written_down(self, nobody: httpx.AsyncClient, engine: AsyncEngine) -> None:
        headers = await key_of(engine, Role.OPERATOR, Limits())
        assert (await nobody.get(LISTED, headers=headers)).status_code == 200
        async with engine.connect() as connection:
            used = await connection.scalar(
                text("SELECT last_used_at FROM api_keys WHERE id = :id"), {"id": headers["X-API-Key"].split("_")[1]}
            )
        assert used is not None


class TestScopes:
    async def test_who_lacks_it_is_told_which(self, nobody: httpx.AsyncClient, engine: AsyncEngine) -> None:
        headers = await key_of(engine, Role.CARRIER, Limits.of(carriers=["northline"]))
        answer = await nobody.get(LISTED, headers=headers)
        said = problem(answer, 403, "forbidden")
        assert said["data"] == {"scope": "orders:read"}
        assert 'error="insufficient_scope", scope="orders:read"' in answer.headers["www-authenticate"]

    async def test_a_key_may_have_less_than_its_role(self, nobody: httpx.AsyncClient, engine: AsyncEngine) -> None:
        headers = await key_of(engine, Role.OPERATOR, Limits(), scopes=frozenset({Scope.SKUS_READ}))
        assert (await nobody.get("/v1/skus", headers=headers)).status_code == 200
        problem(await nobody.get(LISTED, headers=headers), 403, "forbidden")

    async def test_it_is_asked_for_before_the_input(self, nobody: httpx.AsyncClient, engine: AsyncEngine) -> None:
        headers = await key_of(engine, Role.CARRIER, Limits.of(carriers=["northline"]))
        problem(await nobody.get(LISTED, params={"nonsense": "1"}, headers=headers), 403, "forbidden")
        problem(await nobody.post(LISTED, json={"channel": 7}, headers=headers), 403, "forbidden")

    async def test_a_scope_of_a_later_program_gives_nothing(
        self, nobody: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        headers = await key_of(engine, Role.OPERATOR, Limits())
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE api_keys SET scopes = '{everything:do}' WHERE id = :id"),
                {"id": headers["X-API-Key"].split("_")[1]},
            )
        problem(await nobody.get(LISTED, headers=headers), 403, "forbidden")


def test_the_roles_of_partners_are_what_the_page_says() -> None:
    """A change of the table is a change of the contract: it is made here too, on purpose."""
    assert {role: len(scopes) for role, scopes in SCOPES.items()} == {
        Role.CHANNEL: 14,
        Role.NODE: 11,
        Role.CARRIER: 2,
        Role.SUPPORT: 28,
        Role.SUPERVISOR: 32,
        Role.PLANNER: 28,
        Role.OPERATOR: len(Scope),
    }
