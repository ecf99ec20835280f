"""A channel is connected, looked after, paused and read; its platform posts webhooks that are signed."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks.webhooks import Webhook

from connectors.secrets.folder import FolderSecrets
from dom.shared.access import Limits, Role
from settings import Settings
from tests.api.driving import Channel, problem
from tests.worlds.access import key_of

SHOP = "connected_shop"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = f"/v1/channels/{SHOP}/connection"
SHOPIFY: dict[str, Any] = {
    "platform": "shopify",
    "settings": {"url": "https://example.myshopify.com"},
    "pull_seconds": 300,
    "tells": True,
}


@pytest.fixture(scope="module")
async def shop(channel: Channel, running: Settings) -> httpx.AsyncClient:
    registered = {"id": SHOP, "name": "A shop that is connected"}
    assert (await channel.http.put(f"/v1/channels/{SHOP}", json=registered)).status_code in {200, 201}
    FolderSecrets(running.secrets_folder).put(SHOP, "webhook_secret", SECRET)
    return channel.http


@pytest.fixture
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that says nothing of itself."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as opened:
        yield opened


def signed(body: bytes, secret: str = SECRET, number: str = "w-1") -> Mapping[str, str]:
    now = datetime.now(UTC)
    signature = Webhook(secret).sign(msg_id=number, timestamp=now, data=body.decode())
    return {
        "content-type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


async def test_a_life_of_a_connection(shop: httpx.AsyncClient) -> None:
    made = await shop.put(AT, json=SHOPIFY)
    assert made.status_code == 201, made.text
    assert (made.json()["healthy"], made.json()["secrets"]) == (False, {"access_token": False, "webhook_secret": True})
    assert [each["feed"] for each in made.json()["feeds"]] == ["orders"]
    paused = (await shop.post(f"{AT}/pause", json={"reason": "a sale"})).json()
    assert (paused["pause_reason"], paused["paused_at"] is None) == ("a sale", False)
    assert (await shop.post(f"{AT}/resume")).json()["paused_at"] is None
    back = await shop.post(f"{AT}/feeds/backfill/read", json={"since": "2026-03-01T00:00:00Z"})
    assert back.status_code == 202, back.text
    assert {each["feed"] for each in back.json()["feeds"]} == {"orders", "backfill"}
    changed = await shop.put(AT, json={**SHOPIFY, "settings": {"url": "https://other.myshopify.com"}})
    assert [each["feed"] for each in changed.json()["feeds"]] == ["orders"]  # places in another shop's pages are none
    assert SHOP in {each["channel"] for each in (await shop.get("/v1/channel-connections")).json()["items"]}
    assert (await shop.delete(AT)).status_code == 200
    problem(await shop.get(AT), 404, "not-found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"settings": {}}, "settings.url"),
        ({"settings": {"url": "ftp://shop"}}, "settings.url"),
        ({"settings": {"url": "https://shop.example", "surprise": 1}}, "settings.surprise"),
        ({"platform": "webhook", "settings": {}}, "pull_seconds"),
        ({"platform": "nobody"}, "platform"),
        ({"pull_seconds": 0}, "pull_seconds"),
    ],
)
async def test_what_cannot_be_connected_names_the_field(
    shop: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    problem(await shop.put(AT, json={**SHOPIFY, **change}), 422, "invalid-input", field)


@pytest.mark.parametrize("folder", ["/etc", "channel-files/../..", "/proc/self"])
async def test_no_caller_has_just_any_folder_read(shop: httpx.AsyncClient, folder: str) -> None:
    wanted = {"platform": "files", "settings": {"folder": folder}, "pull_seconds": 60}
    problem(await shop.put(AT, json=wanted), 422, "invalid-input", "settings.folder")


async def test_no_caller_has_credentials_sent_to_another_server(shop: httpx.AsyncClient, running: Settings) -> None:
    secrets = FolderSecrets(running.secrets_folder)
    assert (await shop.put(AT, json=SHOPIFY)).status_code == 201
    secrets.put(SHOP, "access_token", "shpat_1")
    try:
        assert (await shop.put(AT, json={**SHOPIFY, "pull_seconds": 60})).status_code == 200
        elsewhere = {**SHOPIFY, "settings": {"url": "https://shop.example"}}
        problem(await shop.put(AT, json=elsewhere), 409, "conflict")
        await shop.delete(AT)
        problem(await shop.put(AT, json=elsewhere), 409, "conflict")
        unasked = {"platform": "webhook", "settings": {}}
        assert (await shop.put(AT, json=unasked)).status_code == 201, "nothing is sent to a server"
    finally:
        secrets.forget(SHOP, "access_token")
        await shop.delete(AT)


async def test_a_channel_that_nobody_registered_is_not_connected(shop: httpx.AsyncClient) -> None:
    for code in ("nobodys", "0", "..", "%2e%2e%2fetc"):
        answer = await shop.put(f"/v1/channels/{code}/connection", json=SHOPIFY)
        assert answer.status_code in {404, 405, 422}, answer.text


async def test_only_a_back_fill_has_a_span(shop: httpx.AsyncClient) -> None:
    await shop.put(AT, json=SHOPIFY)
    span = {"since": "2026-03-01T00:00:00Z"}
    problem(await shop.post(f"{AT}/feeds/orders/read", json=span), 422, "invalid-input", "since")
    problem(await shop.post(f"{AT}/feeds/backfill/read", json={}), 422, "invalid-input", "since")
    early = {**span, "until": "2026-02-01T00:00:00Z"}
    problem(await shop.post(f"{AT}/feeds/backfill/read", json=early), 422, "invalid-input", "until")
    await shop.delete(AT)


async def test_a_webhook_that_is_signed_is_kept_once_and_no_other(
    shop: httpx.AsyncClient, nobody: httpx.AsyncClient
) -> None:
    assert (await shop.put(AT, json={"platform": "webhook"})).status_code == 201
    body, path = json.dumps({"number": "W-1"}).encode(), f"/webhooks/{SHOP}"
    kept = await nobody.post(path, content=body, headers=signed(body))
    assert (kept.status_code, kept.json()["repeated"]) == (202, False)
    again = await nobody.post(path, content=body, headers=signed(body))
    assert again.json() == {"id": kept.json()["id"], "repeated": True}
    wrong = signed(body, "whsec_" + "A" * 32)
    for content, headers, where in (
        (b'{"number": "W-2"}', signed(body), path),
        (body, wrong, path),
        (body, {}, path),
        (body, signed(body), "/webhooks/nobodys"),
    ):
        problem(await nobody.post(where, content=content, headers=headers), 401, "bad-signature")
    deep = b"[" * 100_000
    assert (await nobody.post(path, content=deep, headers=signed(deep, number="w-3"))).status_code in {202, 401}
    await shop.delete(AT)
    problem(await nobody.post(path, content=body, headers=signed(body)), 401, "bad-signature")


async def test_a_channel_sees_its_own_connection_and_changes_none(shop: httpx.AsyncClient, engine: AsyncEngine) -> None:
    await shop.put(AT, json=SHOPIFY)
    other = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]))
    assert (await shop.get(AT, headers=other)).status_code == 403
    own = await key_of(engine, Role.CHANNEL, Limits.of(channels=[SHOP]))
    assert (await shop.get(AT, headers=own)).status_code == 200
    assert (await shop.put(AT, json=SHOPIFY, headers=own)).status_code == 403
    await shop.delete(AT)
