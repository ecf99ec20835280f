"""People's tokens: those of the provider count, and none of the others that look like them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.app import create_app
from api.http.problems import ProviderAwayError
from api.identity.key_sets import FAILED_SECONDS, PublicKeys
from settings import Settings
from tests.api.driving import problem, until
from tests.worlds.access import AUDIENCE, HEADERS, ISSUER, IdentityProvider

LISTED = "/v1/orders"


@pytest.fixture(scope="module")
async def people(
    running: Settings, engine: AsyncEngine, temporal_client: Client, identity_provider: IdentityProvider
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API that believes the tests' identity provider."""
    app = create_app(running.model_copy(update=identity_provider.settings), engine, temporal_client)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api") as opened,
    ):
        yield opened


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    """A token that nobody signed."""
    parts = ({"alg": algorithm, "kid": "first", "typ": "JWT"}, claims)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


def claims_of_an_operator() -> dict[str, Any]:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "kim", "exp": int(time.time()) + 60, "roles": ["operator"]}


class TestTokens:
    async def test_one_of_the_provider_counts(
        self, people: httpx.AsyncClient, identity_provider: IdentityProvider
    ) -> None:
        assert (await people.get(LISTED, headers=identity_provider.headers())).status_code == 200
        assert (await people.get(LISTED, headers=HEADERS)).status_code == 200, "and so do keys"

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://other.example"},
            {"iss": None},
            {"iss": [ISSUER]},
            {"aud": "another"},
            {"aud": None},
            {"aud": []},
            {"exp": 1_000_000_000},
            {"exp": None},
            {"exp": "tomorrow"},
            {"nbf": 4_000_000_000},
            {"iat": 4_000_000_000},
            {"sub": None},
            {"sub": ""},
            {"sub": "system:ofl"},
            {"sub": "a\nb"},
            {"sub": 7},
        ],
    )
    async def test_one_with_claims_that_are_not_right(
        self, people: httpx.AsyncClient, identity_provider: IdentityProvider, claims: dict[str, Any]
    ) -> None:
        problem(await people.get(LISTED, headers=identity_provider.headers(**claims)), 401, "unauthenticated")

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "Ed25519", ""])
    async def test_one_that_nobody_signed(self, people: httpx.AsyncClient, algorithm: str) -> None:
        token = unsigned(claims_of_an_operator(), algorithm)
        problem(await people.get(LISTED, headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")

    async def test_one_signed_with_the_public_key_as_a_secret(
        self, people: httpx.AsyncClient, identity_provider: IdentityProvider
    ) -> None:
        """Key confusion: whoever checks it by the header's algorithm takes the public key for a shared secret."""
        public = identity_provider.key.as_dict(private=False)
        pem = identity_provider.key.as_pem(private=False)
        for secret in (json.dumps(public).encode(), str(public["x"]).encode(), pem, pem.strip()):
            said = unsigned(claims_of_an_operator(), "HS256")[:-1]
            mac = hmac.new(secret, said.encode(), hashlib.sha256).digest()
            token = f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
            problem(await people.get(LISTED, headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")

    @pytest.mark.parametrize("kid", ["first", "other", "../../etc/passwd", "", None])
    async def test_one_signed_with_a_key_of_somebody_else(self, people: httpx.AsyncClient, kid: str | None) -> None:
        key = OKPKey.generate_key("Ed25519")
        header = {"alg": "Ed25519"} | ({} if kid is None else {"kid": kid})
        token = jwt.encode(header, claims_of_an_operator(), key, algorithms=["Ed25519"])
        problem(await people.get(LISTED, headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")

    async def test_one_that_brings_its_own_key(self, people: httpx.AsyncClient) -> None:
        key = RSAKey.generate_key(2048)
        header = {"alg": "RS256", "kid": "first", "jwk": key.as_dict(private=False)}
        token = jwt.encode(header, claims_of_an_operator(), key, algorithms=["RS256"])
        problem(await people.get(LISTED, headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")

    async def test_one_that_was_changed(self, people: httpx.AsyncClient, identity_provider: IdentityProvider) -> None:
        head, _, signature = identity_provider.token(roles=["support"]).split(".")
        body = identity_provider.token(roles=["operator"]).split(".")[1]
        token = ".".join((head, body, signature))
        problem(await people.get(LISTED, headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")

    @pytest.mark.parametrize("token", ["a.b", "a.b.c", "....", "e30.e30.e30", "a\tb.c.d", "x" * 20_000])
    async def test_what_is_no_token(self, people: httpx.AsyncClient, token: str) -> None:
        problem(await people.get(LISTED, headers={"X-API-Key": token}), 401, "unauthenticated")

    @pytest.mark.parametrize(
        "roles", [None, [], "", ["admin"], ["Operator"], "root admin", {"operator": True}, [["operator"]], 7]
    )
    async def test_a_role_that_is_not_ours_gives_nothing(
        self, people: httpx.AsyncClient, identity_provider: IdentityProvider, roles: Any
    ) -> None:
        problem(await people.get(LISTED, headers=identity_provider.headers(roles=roles)), 403, "forbidden")

    @pytest.mark.parametrize(
        "limits", ["web", ["web"], {"channel": ["web"]}, {"channels": "web"}, {"channels": [7]}, {}]
    )
    async def test_limits_that_cannot_be_read_allow_nothing(
        self, people: httpx.AsyncClient, identity_provider: IdentityProvider, limits: Any
    ) -> None:
        answer = await people.get(LISTED, headers=identity_provider.headers(dom_limits=limits))
        assert answer.status_code == 200
        assert limits == {} or answer.json()["items"] == []

    async def test_a_channels_token_without_limits_sees_nothing(
        self, people: httpx.AsyncClient, identity_provider: IdentityProvider
    ) -> None:
        answer = await people.get(LISTED, headers=identity_provider.headers(roles="channel"))
        assert answer.json()["items"] == []

    async def test_without_a_provider_no_token_counts(self, app: FastAPI, identity_provider: IdentityProvider) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            problem(await client.get(LISTED, headers=identity_provider.headers()), 401, "unauthenticated")

    async def test_while_the_keys_cannot_be_read_nobody_is_told_that_his_token_is_wrong(
        self, running: Settings, engine: AsyncEngine, temporal_client: Client, tmp_path: Path
    ) -> None:
        provider = IdentityProvider.at(tmp_path)
        provider.file.unlink()
        app = create_app(running.model_copy(update=provider.settings), engine, temporal_client)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as client,
        ):
            for _ in range(2):
                away = await client.get(LISTED, headers=provider.headers())
                assert "cannot be read" in problem(away, 503, "unavailable")["detail"]
                assert away.headers["retry-after"]
                assert str(tmp_path) not in away.text
            assert (await client.get(LISTED, headers=HEADERS)).status_code == 200, "keys of ours count all the same"
            provider.publish()

            async def is_read() -> bool:
                return (await client.get(LISTED, headers=provider.headers())).status_code == 200

            await until(is_read)

    @pytest.mark.parametrize(
        "source",
        [
            "http://people.example/jwks",
            "http://10.0.0.7/jwks",
            "http://localhost.evil.example/",
            "ftp://x/jwks",
            "HTTP://people.example/jwks",
            "http://127.0.0.1@people.example/jwks",
            "http:///jwks",
        ],
    )
    def test_keys_that_somebody_could_change_on_the_way_are_refused(self, source: str) -> None:
        with pytest.raises(ValueError, match="DOM_OIDC_JWKS is a file"):
            Settings(oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_jwks=source)

    @pytest.mark.parametrize(
        "source", ["https://people.example/jwks", "http://127.0.0.1:81/jwks", "http://[::1]/", "http://localhost/", "a"]
    )
    def test_others_are_not(self, source: str) -> None:
        assert Settings(oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_jwks=source).oidc_jwks == source

    def test_an_issuer_without_keys_is_refused_at_the_start(self) -> None:
        with pytest.raises(ValueError, match="DOM_OIDC_JWKS"):
            Settings(oidc_issuer=ISSUER, oidc_audience=AUDIENCE)


class TestPublicKeys:
    """Of a provider on the web."""

    @staticmethod
    def serving(keys: Sequence[OKPKey | OctKey], asked: list[str], fails: list[bool]) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(str(request.url))
            if fails[0]:
                return httpx.Response(500)
            return httpx.Response(200, json={"keys": [key.as_dict(private=key.key_type == "oct") for key in keys]})

        return httpx.MockTransport(answer)

    async def test_are_read_again_when_a_token_names_another(self) -> None:
        now, asked, keys = 0.0, list[str](), [OKPKey.generate_key("Ed25519", {"kid": "a"})]
        found = PublicKeys("https://x/jwks", transport=self.serving(keys, asked, [False]), clock=lambda: now)
        assert await found.find("a") is not None
        assert await found.find("a") is not None
        assert len(asked) == 1
        keys.append(OKPKey.generate_key("Ed25519", {"kid": "b"}))
        for name in ("b", "c", "d", "e"):
            assert await found.find(name) is None
        assert len(asked) == 1, "who invents names does not make us ask without end"
        now = 11.0
        assert await found.find("b") is not None
        assert len(asked) == 2

    async def test_one_that_was_withdrawn_is_forgotten_in_time(self) -> None:
        now, asked, keys = 0.0, list[str](), [OKPKey.generate_key("Ed25519", {"kid": "a"})]
        found = PublicKeys("https://x/jwks", transport=self.serving(keys, asked, [False]), clock=lambda: now)
        assert await found.find("a") is not None
        keys[:] = [OKPKey.generate_key("Ed25519", {"kid": "b"})]
        now = 601.0
        assert await found.find("a") is None

    async def test_stay_while_the_provider_is_away(self) -> None:
        now, asked, fails = 0.0, list[str](), [False]
        keys: list[OKPKey | OctKey] = [OKPKey.generate_key("Ed25519", {"kid": "a"})]
        found = PublicKeys("https://x/jwks", transport=self.serving(keys, asked, fails), clock=lambda: now)
        assert await found.find("a") is not None
        fails[0], now = True, 601.0
        assert await found.find("a") is not None

    async def test_that_cannot_be_read_are_read_soon_again(self) -> None:
        now, asked, fails = 0.0, list[str](), [True]
        keys: list[OKPKey | OctKey] = [OKPKey.generate_key("Ed25519", {"kid": "a"})]
        found = PublicKeys("https://x/jwks", transport=self.serving(keys, asked, fails), clock=lambda: now)
        for _ in range(3):
            with pytest.raises(ProviderAwayError, match="answered with 500"):
                await found.find("a")
        assert len(asked) == 1, "who comes again and again does not make us ask without end"
        fails[0], now = False, FAILED_SECONDS
        assert await found.find("a") is not None
        assert await found.find("b") is None, "what the provider has not is no failure of the provider"
        fails[0], now = True, now + 11
        with pytest.raises(ProviderAwayError):
            await found.find("b")
        assert await found.find("a") is not None

    async def test_are_waited_for_by_all_who_come_while_they_are_read(self) -> None:
        key, asked, let_go = OKPKey.generate_key("Ed25519", {"kid": "a"}), list[str](), asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            asked.append(str(request.url))
            await let_go.wait()
            return httpx.Response(200, json={"keys": [key.as_dict(private=False)]})

        found = PublicKeys("https://x/jwks", transport=httpx.MockTransport(answer))
        first = asyncio.create_task(found.find("a"))
        await until(lambda: _is(bool(asked)))
        others = [asyncio.create_task(found.find("a")) for _ in range(5)]
        await asyncio.sleep(0)
        let_go.set()
        assert None not in await asyncio.gather(first, *others)
        assert len(asked) == 1

    async def test_a_shared_secret_among_them_is_none(self) -> None:
        keys: list[OKPKey | OctKey] = [
            OctKey.generate_key(256, {"kid": "s"}),
            OKPKey.generate_key("Ed25519", {"kid": "a"}),
        ]
        found = PublicKeys("https://x/jwks", transport=self.serving(keys, [], [False]))
        assert await found.find("s") is None
        assert await found.find("a") is not None


async def _is(known: bool) -> bool:
    return known
