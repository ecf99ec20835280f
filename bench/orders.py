"""Real orders of the sample, walked through the HTTP API by a driver that does no more than it must."""

from __future__ import annotations

import asyncio
import itertools
import json
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from temporalio.client import Client

from bench.looking import Looking
from dom import ids
from dom.status import CarrierEventKind, FulfilmentStatus, FulfilmentStep, OrderStatus

STEPS_BEFORE_BOOKING = (FulfilmentStep.ACCEPT, FulfilmentStep.PICK, FulfilmentStep.PACK)
SIGNALS_BEFORE_BOOKING = len(STEPS_BEFORE_BOOKING)
STEP_SECONDS = 0.05
"""Between two signals to one order, real or no-op: long enough for each to find the workflow idle, as it does in life."""

_SEEN = (
    FulfilmentStatus.RELEASED,
    FulfilmentStatus.ACCEPTED,
    FulfilmentStatus.PICKED,
    FulfilmentStatus.PACKED,
    FulfilmentStatus.BOOKED,
)
_PLENTY = 100_000
_PAGE = 200

Json = dict[str, Any]
WorkList = Mapping[str, list[Json]]
"""Fulfilments that are not handed over, by order."""


@dataclass(frozen=True, slots=True)
class Walked:
    """An order that came to its end; seconds to the answer, and to the end."""

    workflow_id: str
    accept_seconds: float
    seconds: float
    fulfilments: int = 1


class RefusedError(Exception):
    """The API did not do what the bench asked for."""


class Door:
    """The API, as a channel, a node and a carrier see it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, parameters: Iterable[tuple[str, str]] = ()) -> Json:
        """Reads; raises RefusedError."""
        return _answer(await self._client.get(path, params=list(parameters)))

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """Asks for something to be done; raises RefusedError."""
        return _answer(await self._client.post(path, json=body))

    async def put(self, path: str, body: Mapping[str, Any]) -> Json:
        """Replaces; raises RefusedError."""
        return _answer(await self._client.put(path, json=body))

    async def work_list(self) -> WorkList:
        """Everybody's open work in one call; raises RefusedError when it does not fit on a page."""
        page = await self.get("/fulfilments", [*(("status", status) for status in _SEEN), ("limit", str(_PAGE))])
        if page["next_cursor"]:
            raise RefusedError(f"more than {_PAGE} fulfilments are open; fewer orders at once are needed")
        found: defaultdict[str, list[Json]] = defaultdict(list)
        for item in page["items"]:
            found[item["order_id"]].append(item)
        return found


@asynccontextmanager
async def door(api_url: str, at_once: int) -> AsyncIterator[Door]:
    """The API at this address."""
    limits = httpx.Limits(max_connections=at_once + 1, max_keepalive_connections=at_once + 1)
    async with httpx.AsyncClient(base_url=f"{api_url}/v1", limits=limits, timeout=60, trust_env=False) as client:
        yield Door(client)


def _answer(response: httpx.Response) -> Json:
    if not response.is_success:
        raise RefusedError(f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text}")
    body: Json = response.json()
    return body


class Sample:
    """Real orders of so many lines, shipped within Great Britain, given out again and again under new numbers."""

    def __init__(self, folder: Path, lines: int, most: int) -> None:
        with lzma.open(folder / "sample" / "orders.jsonl.xz", "rt") as file:
            orders = (json.loads(line) for line in file)
            fitting = (order for order in orders if len(order["lines"]) == lines and _is_shipped_at_home(order))
            self.orders: list[Json] = list(itertools.islice(fitting, most))
        self._numbers = itertools.count(1)
        self._tag = f"{lines}L"

    @property
    def skus(self) -> set[str]:
        """What the orders are for."""
        return {line["sku"] for order in self.orders for line in order["lines"]}

    def next(self) -> Json:
        """An order that nobody has handed over yet."""
        number = next(self._numbers)
        order = self.orders[number % len(self.orders)]
        return {
            **order,
            "external_id": f"{order['external_id']}-{self._tag}{number}",
            "placed_at": datetime.now(UTC).isoformat(),
            "requested_by": None,
        }


def _is_shipped_at_home(order: Json) -> bool:
    return order["shipping_method"] != "pickup" and order["ship_to"]["country"] == "GB"


async def make_plenty(door: Door, skus: Iterable[str]) -> int:
    """Fills up the nodes that hold the SKUs and lifts their daily capacity, so that no order waits; answers receipts."""
    items = [
        item
        for some in _batches(sorted(skus), 50)
        for item in (await door.get("/availability", [("sku", sku) for sku in some]))["items"]
    ]
    places = [(node["node_id"], item["sku"]) for item in items for node in item["nodes"]]
    for node_id in sorted({node_id for node_id, _ in places}):
        node = await door.get(f"/nodes/{node_id}")
        await door.put(f"/nodes/{node_id}", {**node, "daily_capacity": _PLENTY})
    for some in _batches(places, 1000):
        receipts = [_receipt(node_id, sku) for node_id, sku in some]
        results = (await door.post("/inventory/adjustments", {"adjustments": receipts}))["results"]
        if any(result["status"] != "applied" for result in results):
            raise RefusedError(f"stock was not taken in: {results}")
    return len(places)


def _receipt(node_id: str, sku: str) -> Json:
    return {
        "node_id": node_id,
        "sku": sku,
        "quantity": _PLENTY,
        "reason": "receipt for the bench",
        "idempotency_key": f"bench-{node_id}-{sku}",
    }


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


@dataclass(frozen=True, slots=True)
class OrderWalker:
    """Takes orders from hand-over to delivery."""

    door: Door
    looking: Looking[WorkList]
    temporal: Client
    step_seconds: float = STEP_SECONDS

    async def capture(self, order: Json) -> tuple[str, float]:
        """Hands an order over; its id, and seconds to the answer. Raises RefusedError, also for a backorder."""
        began = perf_counter()
        answer = await self.door.post("/orders", order)
        seconds = perf_counter() - began
        if answer["status"] != OrderStatus.ACCEPTED:
            raise RefusedError(f"order {answer['order_id']} is {answer['status']}")
        return answer["order_id"], seconds

    async def walk(self, order: Json) -> Walked:
        """The whole way of an order."""
        began = perf_counter()
        order_id, accept_seconds = await self.capture(order)
        fulfilments = await self.deliver(order_id)
        workflow_id = ids.order_workflow_id(order_id)
        return Walked(workflow_id, accept_seconds, perf_counter() - began, fulfilments)

    async def deliver(self, order_id: str) -> int:
        """Everything after the answer; how many fulfilments it took."""
        released = await self.looking.until(lambda seen: seen.get(order_id))
        for fulfilment in released:
            for step in STEPS_BEFORE_BOOKING:
                await self._report(fulfilment["id"], step)
        for fulfilment in await self.looking.until(lambda seen: _all_booked(seen.get(order_id, []))):
            await self._report(fulfilment["id"], FulfilmentStep.HAND_OVER)
            await self._delivered(fulfilment)
        await self.temporal.get_workflow_handle(ids.order_workflow_id(order_id)).result()
        return len(released)

    async def _report(self, fulfilment_id: str, step: FulfilmentStep) -> None:
        await self.door.post(f"/fulfilments/{fulfilment_id}/{step}", {})
        await asyncio.sleep(self.step_seconds)

    async def _delivered(self, fulfilment: Json) -> None:
        event = {
            "event_id": f"{fulfilment['tracking_number']}-delivered",
            "tracking_number": fulfilment["tracking_number"],
            "kind": CarrierEventKind.DELIVERED,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        answer = await self.door.post(f"/carriers/{fulfilment['carrier']}/events", {"events": [event]})
        if answer["results"][0]["status"] != "recorded":
            raise RefusedError(f"the delivery of {fulfilment['id']} was not recorded: {answer}")


def _all_booked(fulfilments: list[Json]) -> list[Json] | None:
    booked = [fulfilment for fulfilment in fulfilments if fulfilment["status"] == FulfilmentStatus.BOOKED]
    return booked if booked and len(booked) == len(fulfilments) else None
