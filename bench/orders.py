"""Real orders of the sample, walked through the HTTP API by a driver that does no more than it must."""

from __future__ import annotations

import asyncio
import itertools
import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from temporalio.client import Client

from bench.door import Door, Json, RefusedError, WorkList
from bench.looking import Looking
from dom.network import ShippingMethod
from dom.orders.status import CarrierEventKind, FulfilmentStatus, FulfilmentStep, OrderStatus
from dom.shared import ids

STEPS_BEFORE_BOOKING = (FulfilmentStep.ACCEPT, FulfilmentStep.PICK, FulfilmentStep.PACK)
STEP_SECONDS = 0.05
"""Between two signals to one order, real or no-op: enough for each to find the workflow idle, as in life."""

_PLENTY = 100_000


@dataclass(frozen=True, slots=True)
class Walked:
    """An order that came to its end; seconds to the answer, and to the end."""

    workflow_id: str
    accept_seconds: float
    seconds: float
    fulfilments: int = 1


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
    return bool(order["shipping_method"] != ShippingMethod.PICKUP and order["ship_to"]["country"] == "GB")


async def make_plenty(door: Door, skus: Iterable[str]) -> None:
    """Fills up the nodes that hold the SKUs and lifts their daily capacity, so that no order waits."""
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
