"""`python -m bench.substitution [--quick]`: a day with scarce stock, with approved substitutes and without any.

Orders come in one by one over five nodes until there is nothing left of many SKUs. Each scarce SKU has (with
substitutes) two that may be sent in its place, one or two units for one, at one of the three prices; these are ordered
for themselves as well, so that a substitute may be missing where it was wanted. Four customers of five allow them.

Counted is which orders can be sent whole, and what customers pay. The second table sets what was ordered against what
stands for it, line by line: the price of each is worked out once more here by its rule (`keep`, `lower`,
`difference`), and every order must come to what was ordered and the differences of its lines. All prices divide, so
that `keep` has to be the same to the cent.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final, NamedTuple

from rich.console import Console
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.ofl.__main__ import table
from bench.scarce import SITES, node, tariff
from bench.stock import server
from dom.network import Sku, Substitute, SubstitutePrice
from dom.orders.intake import OrderRequest
from dom.orders.order import Order
from dom.sourcing.policy.document import Policy, Strategy
from services.capture import capture
from services.database import Database
from store import reconcile, stock
from store.database import engine as store_engine
from store.enums import LedgerKind
from store.network import reference
from store.policy import policies

ALLOWED: Final = 0.8
"""Share of the customers who allow substitutes."""
_POLICY: Final = Policy(name="substitution", strategies=(Strategy(name="everything"),))


class DayRow(NamedTuple):
    """One way of one day. `rescued`: whole with substitutes, and not without; `harmed`: the other way round."""

    seed: int
    substitutes: str
    orders: int
    whole: int
    rescued: int
    harmed: int
    units_waiting: int
    seconds: float


class PriceRow(NamedTuple):
    """What customers pay for replaced lines of a rule, in pence, and in how many lines or orders it is another sum than
    the rule gives.
    """

    seed: int
    rule: str
    lines: int
    units_replaced: int
    units_sent: int
    ordered_for: int
    sent_for: int
    by_the_rule: int
    differ: int


@dataclass(frozen=True, slots=True)
class Day:
    """What a day is made of. `substitutes` are by SKU."""

    start: datetime
    orders: list[Order]
    stock: dict[tuple[str, str], int]
    prices: dict[str, int]
    substitutes: Mapping[str, tuple[Substitute, ...]]

    def skus(self, *, approved: bool) -> list[Sku]:
        """The catalogue, with approved substitutes or without."""
        size: dict[str, Any] = {"weight_grams": 400, "length_mm": 50, "width_mm": 50, "height_mm": 50}
        return [
            Sku(id=code, list_price=price, substitutes=self.substitutes.get(code, ()) if approved else (), **size)
            for code, price in sorted(self.prices.items())
        ]


def drawn(random: Random, orders: int, skus: int) -> Day:
    """A day on which some two thirds of what is asked for of the scarce SKUs is there."""
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=7 - today.weekday())
    start = datetime.combine(monday, time(9), UTC)
    prices = {f"{kind}{n}": 2 * random.randint(500, 2000) for kind in "sa" for n in range(skus)}
    substitutes = {f"s{n}": _approved(random, skus) for n in range(skus)}
    asked = [_order(random, number, skus, start, prices) for number in range(orders)]
    wanted: Counter[str] = Counter()
    for order in asked:
        for line in order.lines:
            wanted[line.sku] += line.quantity
    there: Counter[tuple[str, str]] = Counter()
    for code in sorted(prices):
        share = random.uniform(0.5, 0.8) if code.startswith("s") else random.uniform(1.0, 2.5)
        for _ in range(round(max(wanted[code], 2) * share)):
            there[f"n{random.choice(range(len(SITES)))}", code] += 1
    return Day(start, asked, dict(there), prices, substitutes)


def _approved(random: Random, skus: int) -> tuple[Substitute, ...]:
    rules = random.sample(list(SubstitutePrice), 2)
    codes = random.sample(range(skus), 2)
    return tuple(
        Substitute(sku=f"a{code}", units=random.choice((1, 1, 2)), price=rule)
        for code, rule in zip(codes, rules, strict=True)
    )


def _order(random: Random, number: int, skus: int, start: datetime, prices: dict[str, int]) -> Order:
    codes = [f"{random.choice('ssssa')}{n}" for n in random.sample(range(skus), random.choice((1, 1, 2, 3)))]
    body: dict[str, Any] = {
        "channel": "web",
        "external_id": f"{number}",
        "placed_at": start + timedelta(seconds=number),
        "currency": "GBP",
        "customer": {"id": f"C{number}", "name": "Ada", "email": "ada@customer.example"},
        "ship_to": {"name": "Ada", "lines": ["1 Road"], "city": "York", "postal_code": "YO1 7EP", "country": "GB"},
        "allow_substitutes": random.random() < ALLOWED,
        "lines": [
            {"line_id": str(n), "sku": code, "quantity": random.choice((1, 1, 2)), "unit_price": prices[code]}
            for n, code in enumerate(codes, 1)
        ],
    }
    return OrderRequest.model_validate(body)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order as it stands after the day."""

    order_id: str
    line_id: str
    sku: str
    quantity: int
    cancelled: int
    waiting: int
    unit_price: int

    @property
    def paid(self) -> int:
        """What the customer pays for it, in pence."""
        return (self.quantity - self.cancelled) * self.unit_price


_LINES: Final = """
SELECT order_id, line_id, sku, quantity, cancelled, backordered, unit_price FROM order_lines ORDER BY order_id, position
"""


async def played(engine: AsyncEngine, day: Day, *, approved: bool) -> tuple[list[Line], int]:
    """The lines after the day, and how many balances differ from ledger or reservations."""
    clock = day.start
    database = Database(engine=engine, now=lambda: clock)
    async with engine.begin() as connection:
        for number, (lat, lon) in enumerate(SITES):
            await reference.put_node(connection, node(number, lat, lon))
        await reference.put_skus(connection, day.skus(approved=approved))
        await reference.put_tariffs(connection, [tariff("quick", (1, 1), 650)])
        await policies.publish_policy(connection, _POLICY, "bench")
        for (place, sku), units in sorted(day.stock.items()):
            opening = stock.Movement(place, sku, units, LedgerKind.OPENING, "opening", "opening")
            await stock.move(connection, opening, actor="bench", at=clock)
    for order in day.orders:
        clock = order.placed_at
        await capture(database, order)
    async with engine.connect() as connection:
        lines = [Line(*row) for row in await connection.execute(text(_LINES))]
        _, differences = await reconcile.check(connection)
    return lines, len(differences)


def whole(lines: list[Line]) -> set[str]:
    """The orders of which nothing waits."""
    return {line.order_id for line in lines} - {line.order_id for line in lines if line.waiting}


def priced(seed: int, day: Day, lines: list[Line]) -> list[PriceRow]:
    """What was replaced, by rule, with what it must cost worked out anew."""
    asked = {(order.order_id, line.line_id): line for order in day.orders for line in order.lines}
    at = {(line.order_id, line.line_id): line for line in lines}
    figures = {rule: Counter[str]() for rule in SubstitutePrice}
    due = {order.order_id: sum(line.quantity * line.unit_price for line in order.lines) for order in day.orders}
    for line in lines:
        if (line.order_id, line.line_id) in asked:
            continue
        old = at[line.order_id, line.line_id.partition("-S")[0]]
        by = next(each for each in day.substitutes[old.sku] if each.sku == line.sku)
        costs = line.quantity * _by_the_rule(by, old.unit_price, day.prices[line.sku])
        figure, was = figures[by.price], old.cancelled * old.unit_price
        due[line.order_id] += costs - was
        figure.update(lines=1, units_replaced=old.cancelled, units_sent=line.quantity)
        figure.update(ordered_for=was, sent_for=line.paid, by_the_rule=costs)
        figure["differ"] += line.paid != costs or line.quantity != old.cancelled * by.units
        figure["differ"] += by.price is SubstitutePrice.KEEP and line.paid != was
    paid: Counter[str] = Counter()
    for line in lines:
        paid[line.order_id] += line.paid
    rows = [_price_row(seed, rule, figure) for rule, figure in figures.items()]
    total = sum(figures.values(), Counter[str]())
    total["differ"] = sum(paid[order_id] != owed for order_id, owed in due.items())
    return [*rows, _price_row(seed, "all orders", total)]


def _price_row(seed: int, rule: str, figure: Counter[str]) -> PriceRow:
    return PriceRow(
        seed=seed,
        rule=rule,
        lines=figure["lines"],
        units_replaced=figure["units_replaced"],
        units_sent=figure["units_sent"],
        ordered_for=figure["ordered_for"],
        sent_for=figure["sent_for"],
        by_the_rule=figure["by_the_rule"],
        differ=figure["differ"],
    )


def _by_the_rule(by: Substitute, unit_price: int, list_price: int) -> int:
    kept = unit_price // by.units
    return {
        SubstitutePrice.KEEP: kept,
        SubstitutePrice.LOWER: min(kept, list_price),
        SubstitutePrice.DIFFERENCE: list_price,
    }[by.price]


def measure(folder: Path, *, quick: bool) -> Iterator[tuple[list[DayRow], list[PriceRow], int]]:
    """Each seed's day, without and with; and how many balances differ."""
    with server.running(folder) as url:
        for seed in range(1, 2 if quick else 4):
            day, found, took, wrong = drawn(Random(seed), 60 if quick else 400, 8 if quick else 40), {}, {}, 0
            for way in ("without", "with"):
                engine = store_engine.create(server.database(url, f"substitution_{seed}_{way}"), 4)
                began = perf_counter()
                found[way], differ = asyncio.run(_closed(engine, day, approved=way == "with"))
                took[way], wrong = perf_counter() - began, wrong + differ
            full = {way: whole(lines) for way, lines in found.items()}
            rows = [
                DayRow(
                    seed,
                    way,
                    len(day.orders),
                    len(full[way]),
                    len(full[way] - full["without"]),
                    len(full["without"] - full[way]),
                    sum(line.waiting for line in lines),
                    took[way],
                )
                for way, lines in found.items()
            ]
            yield rows, priced(seed, day, found["with"]), wrong


async def _closed(engine: AsyncEngine, day: Day, *, approved: bool) -> tuple[list[Line], int]:
    try:
        return await played(engine, day, approved=approved)
    finally:
        await engine.dispose()


def main() -> int:
    """Measures and prints; 1 if a customer pays another sum than the rule gives, or a balance is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.substitution", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test: its figures say nothing")
    options = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False, width=180)
    with tempfile.TemporaryDirectory(prefix="bench-substitution-") as folder:
        days = list(measure(Path(folder), quick=options.quick))
    console.print(table("orders", [row for rows, _, _ in days for row in rows]))
    console.print(table("pence", [row for _, rows, _ in days for row in rows]))
    differ = sum(row.differ for _, rows, _ in days for row in rows)
    wrong = sum(each for _, _, each in days)
    console.print(f"{differ} lines or orders are paid otherwise than their rule says; {wrong} balances differ")
    return 1 if differ or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
