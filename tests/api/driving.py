"""Helpers that speak to the API as channels, nodes and carriers do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared import ids

NODE = "dc-daventry"
PROBLEM = "application/problem+json"
_numbers = count(1)
_run = uuid4().hex[:6]


def new_number() -> str:
    """A channel's order number nobody used."""
    return f"{_run}-{next(_numbers)}"


def order(sku: str, quantity: int = 2, **changes: Any) -> dict[str, Any]:
    """An order of one line to Leeds."""
    return {
        "channel": "web",
        "external_id": new_number(),
        "placed_at": "2026-03-02T09:26:00Z",
        "currency": "GBP",
        "customer": {"id": f"C-{sku}", "name": "Ada Byrne", "email": "ada@customer.example", "phone": "+447700900123"},
        "ship_to": {"name": "Ada Byrne", "lines": ["12 Mill Lane"], "city": "Leeds", "postal_code": "LS1 4AP",
                    "country": "GB"},
        "lines": [{"line_id": "1", "sku": sku, "quantity": quantity, "unit_price": 255}],
    } | changes  # fmt: skip


def problem(response: httpx.Response, status: int, kind: str, field: str | None = None) -> dict[str, Any]:
    """The problem answered; fails if it is another one."""
    assert response.headers["content-type"] == PROBLEM, response.text
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["type"], body["status"]) == (status, f"/problems/{kind}", status), body
    assert body.get("field") == field, body
    assert "Traceback" not in response.text
    return body


async def until(ask: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """What `ask` answers as soon as it is something."""
    async with asyncio.timeout(seconds):
        while not (found := await ask()):
            await asyncio.sleep(0.05)
    return found


@dataclass(frozen=True, slots=True)
class Channel:
    """Hands orders over and follows them."""

    http: httpx.AsyncClient

    async def stocked_sku(self, units: int, node: str = NODE) -> str:
        """A SKU nobody else uses, with so many units at a node."""
        sku = f"T-{new_number()}"
        document = {"id": sku, "weight_grams": 300, "length_mm": 100, "width_mm": 80, "height_mm": 60}
        assert (await self.http.put(f"/v1/skus/{sku}", json=document)).status_code == 201
        if units:
            await self.receive(sku, units, node)
        return sku

    async def receive(self, sku: str, units: int, node: str = NODE) -> None:
        """Stock comes in."""
        change = {"node_id": node, "sku": sku, "quantity": units, "reason": "receipt", "idempotency_key": new_number()}
        answer = await self.http.post("/v1/inventory/adjustments", json={"adjustments": [change]})
        assert answer.json()["results"][0]["status"] == "applied", answer.text

    async def place(self, document: dict[str, Any]) -> str:
        """Hand an order over; answers its id."""
        answer = await self.http.post("/v1/orders", json=document)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["order_id"])

    async def get(self, order_id: str) -> dict[str, Any]:
        """The order as people see it."""
        answer = await self.http.get(f"/v1/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until_order(self, order_id: str, status: str) -> dict[str, Any]:
        """The order, once it has the status."""

        async def look() -> dict[str, Any] | None:
            found = await self.get(order_id)
            return found if found["status"] == status else None

        found: dict[str, Any] = await until(look)
        return found

    async def step(self, fulfilment_id: str, step: str, **report: Any) -> httpx.Response:
        """A node reports a step; it hears the customer's code from the customer."""
        if step == "collect" and "code" not in report:
            shown = (await self.http.get(f"/v1/orders/{ids.order_of(fulfilment_id)}")).json()["fulfilments"]
            code = next((each["collection_code"] for each in shown if each["id"] == fulfilment_id), None)
            report |= {"code": code} if code else {}
        return await self.http.post(f"/v1/fulfilments/{fulfilment_id}/{step}", json=report)

    async def until_work(self, fulfilment_id: str, status: str) -> dict[str, Any]:
        """The fulfilment in the work list, once it has the status."""
        order_id = fulfilment_id.rpartition("-")[0]

        async def look() -> dict[str, Any] | None:
            answer = await self.http.get("/v1/fulfilments", params={"order": order_id, "status": status})
            return next((item for item in answer.json()["items"] if item["id"] == fulfilment_id), None)

        found: dict[str, Any] = await until(look)
        return found

    async def deliver(self, order_id: str) -> dict[str, Any]:
        """Everything a node and a carrier do for the order's first fulfilment."""
        fulfilment_id = f"{order_id}-F1"
        assert (await self.step(fulfilment_id, "pack")).status_code == 200
        item = await self.until_work(fulfilment_id, "booked")
        assert (await self.step(fulfilment_id, "hand-over")).status_code == 200
        await self.until_work(fulfilment_id, "handed_over")
        await self.scan(item, "delivered")
        return await self.until_order(order_id, "delivered")

    async def scan(self, item: dict[str, Any], kind: str, event_id: str | None = None) -> dict[str, Any]:
        """The carrier scans the parcel; answers what became of it."""
        event = {
            "event_id": event_id or new_number(),
            "tracking_number": item["tracking_number"],
            "kind": kind,
            "occurred_at": "2026-03-04T11:02:00Z",
            "place": "Leeds",
        }
        answer = await self.http.post(f"/v1/carriers/{item['carrier']}/events", json={"events": [event]})
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()["results"][0]
        return result


async def booked(channel: Channel, units: int = 3, stock: int = 10) -> tuple[str, str, dict[str, Any]]:
    """An order whose first fulfilment is packed and booked: SKU, order, and the work with its tracking number."""
    sku = await channel.stocked_sku(stock)
    order_id = await channel.place(order(sku, units))
    await channel.step(f"{order_id}-F1", "pack")
    return sku, order_id, await channel.until_work(f"{order_id}-F1", "booked")


async def on_hand(engine: AsyncEngine, sku: str) -> tuple[int, int]:
    """Units on hand and reserved of a SKU at the node."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text("SELECT on_hand, reserved FROM stock WHERE sku = :sku AND node_id = :node"),
                {"sku": sku, "node": NODE},
            )
        ).one()
    return row.on_hand, row.reserved
