"""Bulk runs over HTTP, carried out by the worker: what became of each order, and what its own process says of it."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, order
from tests.worlds.access import key_of

REASON = {"reason": "a recall"}


async def done(http: httpx.AsyncClient, run: dict[str, Any]) -> dict[str, Any]:
    """The run at its end."""
    async with asyncio.timeout(60):
        while run["status"] not in {"done", "stopped"}:
            await asyncio.sleep(0.05)
            run = (await http.get(f"/v1/bulk/{run['id']}")).json()
    return run


async def test_a_recalled_sku_is_cancelled_in_three_calls(channel: Channel) -> None:
    sku, other = await channel.stocked_sku(50), await channel.stocked_sku(50)
    placed = [await channel.place(order(sku, 2)) for _ in range(5)]
    await channel.place(order(other, 1))
    body = {"action": {"kind": "cancel"}, "selection": {"filter": {"sku": sku}}, **REASON}
    seen = (await channel.http.post("/v1/bulk-preview", json=body)).json()
    assert (seen["orders"], sorted(seen["first"]), seen["not_found"]) == (5, sorted(placed), [])
    started = await channel.http.post("/v1/bulk", json=body | {"expected": 5})
    assert started.status_code == 202
    assert started.headers["location"] == started.json()["links"]["self"]
    run = await done(channel.http, started.json())
    assert (run["status"], run["outcomes"], run["open"]) == ("done", {"done": 5}, 0)
    items = (await channel.http.get(run["links"]["items"], params={"limit": 2})).json()
    assert [each["position"] for each in items["items"]] == [1, 2]
    rest = {"limit": 200, "cursor": items["next_cursor"]}
    more = (await channel.http.get(run["links"]["items"], params=rest)).json()
    assert [each["outcome"] for each in more["items"]] == ["done"] * 3
    for each in placed:
        await channel.until_order(each, "cancelled")


async def test_work_of_a_closed_node_goes_elsewhere_and_on_to_the_customer(channel: Channel) -> None:
    sku = await channel.stocked_sku(50, "dc-daventry")
    placed = [await channel.place(order(sku, 1)) for _ in range(3)]
    await channel.receive(sku, 50, "dc-doncaster")
    body = {
        "action": {"kind": "source_again", "node_id": "dc-daventry"},
        "selection": {"orders": [*placed, "web-nowhere"]},
        **REASON,
    }
    run = await done(channel.http, (await channel.http.post("/v1/bulk", json=body)).json())
    assert run["outcomes"] == {"done": 3, "refused": 1}
    refused = (await channel.http.get(run["links"]["items"], params={"outcome": "refused"})).json()["items"]
    assert [(each["order_id"], each["problem"]) for each in refused] == [("web-nowhere", "not-found")]
    for each in placed:
        asked = {"order": each, "status": "released"}
        work = (await channel.http.get("/v1/fulfilments", params=asked)).json()["items"]
        assert [one["node_id"] for one in work] == ["dc-doncaster"]
        await channel.step(work[0]["id"], "pack")
        booked = await channel.until_work(work[0]["id"], "booked")
        await channel.step(work[0]["id"], "hand-over")
        await channel.scan(booked, "delivered")
        await channel.until_order(each, "delivered")


async def test_what_is_refused_names_the_field(channel: Channel) -> None:
    for body, field in (
        ({"action": {"kind": "cancel"}, "selection": {}}, "selection"),
        ({"action": {"kind": "hold", "type": "nothing"}, "selection": {"orders": ["a"]}}, "action.type"),
        ({"action": {"kind": "cancel"}, "selection": {"view": "v-nowhere"}}, "selection.view"),
    ):
        refused = await channel.http.post("/v1/bulk", json=body | REASON)
        assert refused.status_code in {404, 422}
        assert refused.json()["field"] == field


async def test_once_under_a_key(channel: Channel) -> None:
    body = {"action": {"kind": "cancel"}, "selection": {"orders": ["web-nowhere"]}, **REASON}
    key = {"Idempotency-Key": uuid4().hex}
    first, second = [await channel.http.post("/v1/bulk", json=body, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["id"] == second.json()["id"]
    other = await channel.http.post("/v1/bulk", json=body | {"reason": "other"}, headers=key)
    assert (other.status_code, other.json()["field"]) == (409, "Idempotency-Key")


async def test_stop_and_resume_of_what_is_done_are_conflicts(channel: Channel) -> None:
    body = {"action": {"kind": "cancel"}, "selection": {"orders": ["web-nowhere"]}, **REASON}
    run = await done(channel.http, (await channel.http.post("/v1/bulk", json=body)).json())
    for step in ("stop", "resume"):
        assert (await channel.http.post(f"/v1/bulk/{run['id']}/{step}")).status_code == 409
    listed = (await channel.http.get("/v1/bulk", params={"status": "done"})).json()["items"]
    assert run["id"] in {each["id"] for each in listed}


async def test_who_may_not_do_it_to_one_order_may_not_do_it_to_many(channel: Channel, engine: AsyncEngine) -> None:
    body = {"action": {"kind": "cancel"}, "selection": {"filter": {"channel": ["edi"]}}, **REASON}
    cases = (
        (Role.CHANNEL, Limits.of(channels=["web"]), "orders:bulk"),
        (Role.PLANNER, Limits(), "orders:bulk"),
        (Role.SUPPORT, Limits.of(channels=["web"]), None),
    )
    for role, limits, scope in cases:
        key = await key_of(engine, role, limits)
        refused = await channel.http.post("/v1/bulk", json=body, headers=key)
        assert refused.status_code == 403
        assert (refused.json().get("data") or {}).get("scope") == scope
