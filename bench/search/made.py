"""Orders as they stand after a year of business, with all that search asks of what belongs to them.

Nineteen of twenty are delivered. The open ones are of the last days, but for those that wait, are lost or were
forgotten. Everything is counted back from the hour it is made in: what is late or stuck depends on the time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bench.search.people import person
from dom.orders import searching
from dom.orders.order import Order
from dom.orders.status import FINAL_ORDER
from dom.shared import ids

CHANNELS = ("web", "marketplace", "store", "social", "b2b")
_CHANNEL_SHARES = (600, 250, 100, 47, 3)
NODES = tuple(f"node-{number:02d}" for number in range(40))
_NODE_SHARES = tuple(max(1, round(1000 / (number + 1) ** 1.5)) for number in range(len(NODES)))
SKUS = 20_000
CARRIERS = ("parcelo", "northline", "swiftly")
DAYS = 365
_FRESH_DAYS = 5
_SPREAD = 736_338_717
"""Odd and not divisible by 5: its multiples, as tracking numbers of nine digits, repeat after a thousand million."""
_EVENTS = (
    "accepted",
    "sourced",
    "fulfilment_accepted",
    "fulfilment_picked",
    "fulfilment_packed",
    "fulfilment_handed_over",
)
_DELIVERED = "fulfilment_delivered"
Row = tuple[Any, ...]

COLUMNS = {
    "orders": "id, channel, external_id, customer_id, status, currency, goods_total, document, content_hash, "
    "placed_at, captured_at, promise_earliest, promise_latest, finished_at",
    "order_search": "order_id, text, postal_code",
    "order_lines": "order_id, line_id, position, sku, quantity, unit_price, backordered",
    "fulfilments": "id, order_id, node_id, status, method, carrier, ship_day, cost, ship_by, promise_earliest, "
    "promise_latest, released_at",
    "shipments": "id, carrier, method, tracking_number, status, parcels, weight_grams, price, currency, booking, "
    "booked_at",
    "shipment_fulfilments": "shipment_id, fulfilment_id",
    "carrier_events": "carrier, event_id, tracking_number, kind, occurred_at, recorded_at",
    "timeline": "order_id, kind, business_key, actor, data, occurred_at, recorded_at",
    "exceptions": "order_id, kind, business_key, detail, status, opened_at",
    "returns": "id, order_id, node_id, status, number, reason, content_hash, requested_at",
    "order_holds": "id, order_id, type, blocks, placed_by, placed_at, released_by, released_at",
}
"""The tables that are filled, parents first, and the columns of their rows."""


def sku(number: int) -> str:
    """The code of a SKU."""
    return f"{20_000 + number}{'ABCDE'[number % 5]}"


@dataclass
class _Life:
    """How far an order has come."""

    status: str
    work: str | None
    shipped: bool
    quiet_since: datetime


class Maker:
    """Rows of so many orders, by table; the same seed and hour give the same rows."""

    def __init__(self, orders: int, seed: int = 1, now: datetime | None = None) -> None:
        self._orders, self._random, self._shipments = orders, Random(seed), 0
        self.now = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)

    def batches(self, size: int = 5000) -> Iterator[dict[str, list[Row]]]:
        """The rows of so many orders at a time, oldest first."""
        made: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        for number in range(self._orders):
            self._order(number, made)
            if (number + 1) % size == 0:
                yield made
                made = {table: [] for table in COLUMNS}
        yield made

    def _order(self, number: int, made: dict[str, list[Row]]) -> None:
        random = self._random
        age = timedelta(days=DAYS) * (1 - number / self._orders)
        captured = self.now - age
        channel = random.choices(CHANNELS, _CHANNEL_SHARES)[0]
        external = str(536_000 + number) if channel != "marketplace" else f"{random.randrange(10**10):010d}-{number}"
        customer, ship_to = person(random, number)
        tags = ("gift",) if random.random() < 0.05 else ("vip",) if random.random() < 0.002 else ()
        order = Order.model_construct(
            channel=channel, external_id=external, customer=customer, ship_to=ship_to, tags=tags, placed_at=captured,
            currency="GBP", lines=(),
        )  # fmt: skip
        life = self._life(age, captured)
        promise = captured + timedelta(days=random.choice((2, 3, 3, 4)))
        finished = promise - timedelta(hours=random.randint(1, 30)) if life.status in FINAL_ORDER else None
        earliest, latest = (None, None) if life.status == "backordered" else (promise - timedelta(hours=12), promise)
        order_id = order.order_id
        document: dict[str, Any] = {
            "channel": channel, "external_id": external, "tags": tags, "currency": "GBP", "lines": [],
            "customer": dict(customer), "ship_to": dict(ship_to), "shipping_method": "standard",
        }  # fmt: skip
        placed = captured - timedelta(minutes=random.randint(0, 90))
        made["orders"].append(
            (order_id, channel, external, customer.id, life.status, "GBP", random.randint(500, 20_000),
             json.dumps(document, ensure_ascii=False), f"{number:064x}", placed, captured, earliest, latest, finished)
        )  # fmt: skip
        text, code = searching.search_text(order), searching.code(ship_to.postal_code)
        made["order_search"].append((order_id, text, code))
        for line in range(1, random.choice((1, 1, 2, 2, 3, 5)) + 1):
            goods = sku(int(SKUS * random.random() ** 2.5))
            waits = int(life.status == "backordered")
            made["order_lines"].append((order_id, str(line), line, goods, 1, 1000, waits))
        self._work(order_id, captured, promise, life, made)

    def _life(self, age: timedelta, captured: datetime) -> _Life:
        random = self._random
        drawn = random.random()
        if age < timedelta(days=60) and drawn < 0.01:
            return _Life("backordered", None, shipped=False, quiet_since=captured)
        if drawn > 0.97:
            return _Life("cancelled", None, shipped=False, quiet_since=captured)
        days = age / timedelta(days=1)
        if days > _FRESH_DAYS and drawn < 0.996 * 0.97:
            return _Life("delivered", "delivered", shipped=True, quiet_since=captured + timedelta(days=3))
        if days > 1.5:
            done = days > 3 and random.random() < 0.7 and days <= _FRESH_DAYS
            if done:
                return _Life("delivered", "delivered", shipped=True, quiet_since=captured + timedelta(days=3))
            return _Life("shipped", "handed_over", shipped=True, quiet_since=captured + timedelta(days=1))
        step = random.choice(("released", "accepted", "picked", "packed"))
        status = "accepted" if step == "released" else "in_fulfilment"
        return _Life(status, step, shipped=False, quiet_since=captured + age / 3)

    def _work(
        self, order_id: str, captured: datetime, promise: datetime, life: _Life, made: dict[str, list[Row]]
    ) -> None:
        random = self._random
        steps = _EVENTS if life.shipped else _EVENTS[: 2 if life.work in {None, "released"} else 4]
        kinds = (*steps, _DELIVERED) if life.status == "delivered" else steps
        for index, kind in enumerate(kinds):
            at = captured + (life.quiet_since - captured) * index / len(kinds)
            made["timeline"].append((order_id, kind, f"{kind}:{index}", "system:ofl", "{}", at, at))
        if random.random() < (0.0005 if life.status == "delivered" else 0.02):
            status = "closed" if life.status == "delivered" else "open"
            row = (order_id, "message_given_up", f"x:{order_id}", "the mail server refused it", status, captured)
            made["exceptions"].append(row)
        if captured.second == 0:
            released = ("pat", captured) if life.status == "delivered" else (None, None)
            hold = (ids.hold_id(order_id, 1), order_id, "manual", ["release"], "kim", captured, *released)
            made["order_holds"].append(hold)
        if life.work is None:
            return
        node = random.choices(NODES, _NODE_SHARES)[0]
        fulfilment, carrier = ids.fulfilment_id(order_id, 1), random.choice(CARRIERS)
        ship_by = promise - timedelta(days=1, hours=random.randint(0, 12))
        made["fulfilments"].append(
            (fulfilment, order_id, node, life.work, "standard", carrier, ship_by.date(), 350, ship_by,
             promise - timedelta(hours=12), promise, captured)
        )  # fmt: skip
        if life.shipped:
            self._shipment(fulfilment, carrier, captured, life, made)
        if life.status == "delivered" and random.random() < 0.05:
            rma = ids.return_id(order_id, f"{order_id}/r")
            made["returns"].append((rma, order_id, node, "refunded", 3, "too small", "", promise))

    def _shipment(
        self, fulfilment: str, carrier: str, captured: datetime, life: _Life, made: dict[str, list[Row]]
    ) -> None:
        random = self._random
        self._shipments += 1
        tracking = f"{random.choice(('BV', 'NL', 'SW'))}{self._shipments * _SPREAD % 10**9:09d}GB"
        shipment, booked = ids.booking_key(fulfilment, 1), captured + timedelta(hours=20)
        status = "delivered" if life.status == "delivered" else "in_transit"
        made["shipments"].append(
            (shipment, carrier, "standard", tracking, status, 1, 800, 355, "GBP", "{}", booked)
        )  # fmt: skip
        made["shipment_fulfilments"].append((shipment, fulfilment))
        on_its_way = status == "in_transit" and random.random() < 0.8
        last = max(booked, self.now - timedelta(hours=random.randint(1, 30))) if on_its_way else booked
        made["carrier_events"].append((carrier, f"{shipment}:1", tracking, "picked_up", booked, booked))
        if on_its_way:
            made["carrier_events"].append((carrier, f"{shipment}:2", tracking, "in_transit", last, last))
