"""`python -m bench.scarce [--quick]`: a day with scarce stock, with re-allocation and without it.

Orders of three customer classes come in one by one over five nodes and are planned as they come, until there is
nothing left of many SKUs; the rest is on its way, and of one delivery in five comes a day later than it is due. One
carrier is cheap and promises two to five working days, one is dear and takes one. Then (with re-allocation) runs are
made until nothing is found, the nodes accept their work, and day after day goods come in, are dealt out in the sequence
of the queue, and who waits is sourced. All of it by the system's own use cases, on PostgreSQL.

Counted is what customers see: who gets his goods after the day he wanted them by, and who later than he was told. What
a late day costs is what the policy says it does: its `lateness_per_day`, weighed by class; two weeks are the most.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final, NamedTuple

from rich.console import Console
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.ofl.__main__ import table
from bench.stock import server
from dom.delivery.tariffs import Break, Lane, Tariff, TariffService
from dom.network import HandlingCost, Node, NodeAddress, NodeKind, ShippingMethod, Sku
from dom.orders.intake import OrderRequest
from dom.orders.order import Order
from dom.orders.status import SourcingCause
from dom.sourcing.policy.document import Policy, Strategy
from dom.sourcing.policy.stock_terms import ReallocationTerms
from services import backorder_allocation, reallocation, stock_updates
from services.capture import capture
from services.database import Database
from services.sourcing_again import source_waiting
from store import inbound, reconcile, stock
from store.database import engine as store_engine
from store.enums import InboundKind, LedgerKind
from store.inbound import Announcement, Arrived, Receipt
from store.network import reference
from store.policy import policies

WEIGHTS: Final = {"vip": 5.0, "trade": 2.0}
PER_DAY: Final = 400
MOST_DAYS: Final = 14


class CustomerClass(NamedTuple):
    """Its orders of a hundred, their place in the queue, and the days after which their goods are wanted."""

    name: str
    share: int
    priority: int
    soonest: int
    latest: int


CLASSES: Final = (
    CustomerClass("vip", 10, 50, 2, 3),
    CustomerClass("trade", 25, 80, 3, 6),
    CustomerClass("", 65, 100, 6, 12),
)
SITES: Final = ((51.5, -0.1), (53.8, -1.5), (52.5, -1.9), (55.9, -3.2), (51.5, -2.6))
DAYS: Final = 12


class Row(NamedTuple):
    """One way of one day. Late are orders; costs are in pounds, of lateness weighed by class."""

    seed: int
    reallocated: str
    orders: int
    late: int
    late_vip: int
    late_trade: int
    late_other: int
    lateness: float
    transport: float
    changes: int
    broken: int
    units_differ: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Due:
    """Goods on their way: when they are due, and when they come."""

    reference: str
    node: str
    sku: str
    units: int
    due: date
    comes: date


@dataclass(slots=True)
class Day:
    """What a day is made of."""

    start: datetime
    stock: Counter[tuple[str, str]] = field(default_factory=Counter)
    orders: list[Order] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)


def drawn(random: Random, orders: int, skus: int) -> Day:
    """A day on which some two thirds of what is asked for is there, and the rest is on its way."""
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=7 - today.weekday())
    day = Day(datetime.combine(monday, time(9), UTC))
    asked: Counter[str] = Counter()
    for number in range(orders):
        order = _order(random, number, skus, day.start)
        day.orders.append(order)
        for line in order.lines:
            asked[line.sku] += line.quantity
    for sku, units in sorted(asked.items()):
        there = round(units * random.uniform(0.5, 0.8))
        for _ in range(there):
            day.stock[f"n{random.choice(range(len(SITES)))}", sku] += 1
        coming, number = round((units - there) * random.uniform(0.9, 1.3)), 0
        while coming > 0:
            part = min(coming, random.randint(2, 8))
            due = monday + timedelta(days=random.randint(1, 6))
            late = timedelta(days=random.random() < 0.2)
            node = f"n{random.choice(range(len(SITES)))}"
            day.due.append(Due(f"PO-{sku}-{number}", node, sku, part, due, due + late))
            coming, number = coming - part, number + 1
    return day


def _order(random: Random, number: int, skus: int, start: datetime) -> Order:
    kind = random.choices(CLASSES, [each.share for each in CLASSES])[0]
    lines = random.sample(range(skus), random.choice((1, 1, 1, 2)))
    body: dict[str, Any] = {
        "channel": "web",
        "external_id": f"{number}",
        "placed_at": start + timedelta(seconds=number),
        "currency": "GBP",
        "customer": {"id": f"C{number}", "name": "Ada", "email": "ada@customer.example", "customer_class": kind.name},
        "ship_to": {"name": "Ada", "lines": ["1 Road"], "city": "York", "postal_code": "YO1 7EP", "country": "GB"},
        "requested_by": datetime.combine(
            start.date() + timedelta(days=random.randint(kind.soonest, kind.latest)), time(20), UTC
        ),
        "priority": kind.priority,
        "lines": [
            {"line_id": str(n), "sku": f"s{sku}", "quantity": random.choice((1, 1, 1, 2)), "unit_price": 2500}
            for n, sku in enumerate(lines, 1)
        ],
    }
    return OrderRequest.model_validate(body)


def tariff(carrier: str, days: tuple[int, int], pence: int) -> Tariff:
    """A carrier at home, with so many working days and pence for a light parcel."""
    lane = Lane(
        origins=("GB",),
        destinations=("GB",),
        zone="home",
        transit_days_min=days[0],
        transit_days_max=days[1],
        breaks=tuple(Break(grams, pence * times) for grams, times in ((2_000, 1), (10_000, 2), (20_000, 4))),
    )
    service = TariffService(method=ShippingMethod.STANDARD, max_parcel_grams=20_000, lanes=(lane,))
    return Tariff(carrier=carrier, name=carrier.title(), currency="GBP", divisor=5000, services=(service,))


class _Play:
    """A day and those after it, on a database of its own."""

    def __init__(self, engine: AsyncEngine, day: Day, *, reallocates: bool) -> None:
        self._engine, self._day, self._reallocates = engine, day, reallocates
        self.clock = day.start
        self._database = Database(engine=engine, now=lambda: self.clock)
        self._told: dict[str, datetime] = {}
        self.changes = 0

    async def run(self) -> None:
        """Play it."""
        await self._open()
        for order in self._day.orders:
            self.clock = order.placed_at
            await capture(self._database, order)
        self.clock = self._day.start + timedelta(hours=3)
        query = """SELECT id, promise_latest FROM orders o WHERE NOT EXISTS (
            SELECT FROM order_lines l WHERE l.order_id = o.id AND l.backordered > 0)"""
        self._told = {str(order_id): told for order_id, told in await self._rows(query)}
        while self._reallocates and (made := (await reallocation.run(self._database, self.clock)).made):
            self.changes += len(made)
        await self._execute("UPDATE fulfilments SET status = 'accepted' WHERE status = 'released'")
        for number in range(1, DAYS):
            self.clock = datetime.combine(self._day.start.date() + timedelta(days=number), time(7), UTC)
            await self._goods_come()
            await self._source()

    async def _open(self) -> None:
        async with self._engine.begin() as connection:
            for number, (lat, lon) in enumerate(SITES):
                await reference.put_node(connection, node(number, lat, lon))
            skus = {line.sku for order in self._day.orders for line in order.lines}
            await reference.put_skus(connection, [_sku(code) for code in sorted(skus)])
            await reference.put_tariffs(connection, [tariff("slow", (2, 5), 350), tariff("quick", (1, 1), 650)])
            await policies.publish_policy(connection, _POLICY, "bench")
        for (place, sku), units in sorted(self._day.stock.items()):
            async with self._engine.begin() as connection:
                opening = stock.Movement(place, sku, units, LedgerKind.OPENING, "opening", "opening")
                await stock.move(connection, opening, actor="bench", at=self.clock)
        for each in self._day.due:
            async with self._engine.begin() as connection:
                kind, lines = InboundKind.PURCHASE_ORDER, ((each.sku, each.units),)
                said = Announcement(each.reference, kind, each.node, None, each.due, 100, lines)
                await inbound.announce(connection, said, "bench")

    async def _goods_come(self) -> None:
        for each in self._day.due:
            if each.comes == self.clock.date():
                lines = (Arrived(each.sku, each.units),)
                receipt = Receipt(each.reference, "all", lines, closed=True, actor="bench", occurred_at=self.clock)
                async with self._engine.begin() as connection:
                    await stock_updates.receive(connection, receipt)

    async def _source(self) -> None:
        """Who was given units takes them, as its process would."""
        ready = await self._rows("SELECT backorder_of FROM soft_reservations WHERE ready AND status = 'active'")
        for (order_id,) in sorted(ready):
            async with self._engine.begin() as connection:
                await source_waiting(self._database, connection, str(order_id), SourcingCause.STOCK_ARRIVED, self.clock)
        async with self._engine.begin() as connection:
            skus = [str(sku) for (sku,) in await self._rows("SELECT DISTINCT sku FROM stock")]
            await backorder_allocation.allocate(connection, skus)

    # --- what came of it ---------------------------------------------------------------------------------------------

    async def row(self, seed: int, seconds: float) -> Row:
        """What customers see."""
        late, lateness, broken = Counter[str](), 0.0, 0
        query = """
            SELECT o.id, o.document->'customer'->>'customer_class', (o.document->>'requested_by')::timestamptz,
                   (SELECT max(promise_latest) FROM fulfilments f WHERE f.order_id = o.id AND f.status <> 'recalled'),
                   EXISTS (SELECT FROM order_lines l WHERE l.order_id = o.id AND l.backordered > 0)
            FROM orders o"""
        for order_id, name, wanted, arrives, waits in await self._rows(query):
            days = MOST_DAYS if waits else min(max(ceil((arrives - wanted) / timedelta(days=1)), 0), MOST_DAYS)
            late[name] += days > 0
            lateness += days * PER_DAY * WEIGHTS.get(name, 1.0) / 100
            broken += order_id in self._told and (waits or arrives > self._told[order_id])
        ((transport,),) = await self._rows(_FREIGHT)
        return Row(
            seed=seed,
            reallocated="with" if self._reallocates else "without",
            orders=len(self._day.orders),
            late=sum(late.values()),
            late_vip=late["vip"],
            late_trade=late["trade"],
            late_other=late[""],
            lateness=lateness,
            transport=(transport or 0) / 100,
            changes=self.changes,
            broken=broken,
            units_differ=await self._differ(),
            seconds=seconds,
        )

    async def _differ(self) -> int:
        """Balances that differ from ledger or reservations, and lines whose units are not each in one place."""
        async with self._engine.connect() as connection:
            _, differences = await reconcile.check(connection)
        lines = await self._rows(
            """SELECT FROM order_lines l WHERE l.quantity <> l.cancelled + l.backordered + coalesce((
                SELECT sum(fl.quantity) FROM fulfilment_lines fl JOIN fulfilments f ON f.id = fl.fulfilment_id
                WHERE f.order_id = l.order_id AND fl.line_id = l.line_id AND f.status <> 'recalled'), 0)"""
        )
        return len(differences) + len(lines)

    async def _rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def _execute(self, query: str) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(text(query))


_FREIGHT: Final = """
SELECT sum(CASE carrier WHEN 'quick' THEN 650 ELSE 350 END)::int FROM fulfilments WHERE status <> 'recalled'
"""
_POLICY: Final = Policy(
    name="scarce",
    strategies=(Strategy(name="everything"),),
    reallocation=ReallocationTerms(enabled=True, classes=WEIGHTS),
)


def node(number: int, lat: float, lon: float) -> Node:
    """A warehouse at a place."""
    return Node(
        id=f"n{number}",
        name=f"Node {number}",
        kind=NodeKind.WAREHOUSE,
        address=NodeAddress(lines=("1 Yard",), city="Town", country="GB"),
        latitude=lat,
        longitude=lon,
        time_zone="Europe/London",
        opening_hours="Mo-Sa 08:00-18:00",
        cut_off=time(16),
        handling_cost=HandlingCost(fixed=80, per_unit=20),
        daily_capacity=10_000,
    )


def _sku(code: str) -> Sku:
    return Sku(id=code, weight_grams=400, length_mm=50, width_mm=50, height_mm=50)


async def played(url: str, day: Day, seed: int, *, reallocates: bool) -> Row:
    """One way of one day, on a new database."""
    engine = store_engine.create(server.database(url, f"scarce_{seed}_{'with' if reallocates else 'without'}"), 4)
    try:
        began = perf_counter()
        play = _Play(engine, day, reallocates=reallocates)
        await play.run()
        return await play.row(seed, perf_counter() - began)
    finally:
        await engine.dispose()


def measure(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Each seed's day, without and with."""
    with server.running(folder) as url:
        for seed in range(1, 2 if quick else 4):
            day = drawn(Random(seed), 60 if quick else 250, 12 if quick else 30)
            for reallocates in (False, True):
                yield asyncio.run(played(url, day, seed, reallocates=reallocates))


def main() -> int:
    """Measures and prints; 1 if a promise was broken, or units are not where they should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.scarce", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test: its figures say nothing")
    options = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False, width=180)
    with tempfile.TemporaryDirectory(prefix="bench-scarce-") as folder:
        rows = list(measure(Path(folder), quick=options.quick))
    console.print(table("scarce stock", rows))
    return 1 if any(row.units_differ or (row.broken and row.reallocated == "with") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
