"""Channels, their rules, and what they are promised."""

from typing import Any
from uuid import uuid4

import httpx


def new_channel(**changes: Any) -> dict[str, Any]:
    """A channel nobody else uses."""
    plain = {"name": "A channel", "priority": 100, "webhook_url": None, "publish": "quantity", "low_at": 5}
    return {"id": f"c{uuid4().hex[:12]}", **plain, **changes}


async def put(http: httpx.AsyncClient, document: dict[str, Any]) -> httpx.Response:
    return await http.put(f"/v1/channels/{document['id']}", json=document)


async def put_rules(http: httpx.AsyncClient, channel_id: str, *rules: dict[str, Any]) -> httpx.Response:
    return await http.put(f"/v1/channels/{channel_id}/rules", json={"rules": list(rules)})


LEEDS = {"country": "GB", "postal_code": "LS1 4AP"}
STORE = "store-manchester"


async def ask(http: httpx.AsyncClient, *skus: str, **params: Any) -> list[dict[str, Any]]:
    """What GET and POST answer; they answer the same."""
    got = await http.get("/v1/availability", params={"sku": list(skus), **params})
    assert got.status_code == 200, got.text
    place = {key: params.pop(key) for key in ("country", "postal_code") if key in params}
    body = {"skus": skus, **params, **({"ship_to": place} if place else {})}
    posted = await http.post("/v1/availability/query", json=body)
    assert posted.json() == got.json()
    items: list[dict[str, Any]] = got.json()["items"]
    return items


async def promise(http: httpx.AsyncClient, *lines: tuple[str, int], **changes: Any) -> list[dict[str, Any]]:
    basket = {"channel": "web", "ship_to": LEEDS, "lines": [{"sku": s, "quantity": q} for s, q in lines], **changes}
    answer = await http.post("/v1/availability/promise", json=basket)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
