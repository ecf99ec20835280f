"""Demand as it was recorded, and the baskets that are expected of it.

A region is a node: that of the active node nearest to the customer, so that nothing has to be set up for it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dom.network import Node
from dom.sourcing.distance import great_circle_km
from dom.sourcing.models import Place
from dom.sourcing.valuation.forecast import DemandRate, regional, shares, smoothed
from dom.sourcing.valuation.ways import LINES_AT_MOST, Basket

TRUST_DAYS: Final = 14.0
"""What a SKU's rate over all regions, times a region's part, is worth against days of watching the region itself."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What one order asked for of the SKUs looked at: how many days ago, to which region, and lines it had in all."""

    days_ago: int
    region: int
    lines: tuple[tuple[int, int], ...]
    lines_in_order: int


@dataclass(frozen=True, slots=True)
class Expected:
    """Baskets with the belief of how many come a day, and the units a day by (SKU, region)."""

    baskets: tuple[Basket, ...]
    rates: tuple[DemandRate, ...]
    daily: dict[tuple[int, int], float]


def region_of(nodes: Sequence[Node], country: str, place: Place | None) -> int:
    """The number of the node nearest to a customer; where the place is not known, the first one of the country."""
    if place is not None:
        far = [great_circle_km(node.latitude, node.longitude, place) for node in nodes]
        return far.index(min(far))
    return next((number for number, node in enumerate(nodes) if node.address.country == country), 0)


def expected(history: Iterable[Bought], skus: int, regions: int, days: int) -> Expected:
    """The forecast of what will be asked for, from the orders of the last `days`, by SKUs and regions of their numbers.

    Each (SKU, region) has a rate drawn towards the SKU's own (`valuation.forecast`). The part of it that was seen is
    expected in the baskets it was seen in; the rest, which nobody saw yet, by the unit.
    """
    orders = [cut for bought in history for cut in _cut(bought)]
    seen = Counter[tuple[int, int]]()
    by_day = [[0.0] * days for _ in range(skus)]
    part, lines = [0.0] * skus, [0] * skus
    for order in orders:
        for sku, units in order.lines:
            seen[sku, order.region] += units
            by_day[sku][max(0, days - 1 - order.days_ago)] += units
            part[sku] += 1 / order.lines_in_order
            lines[sku] += 1
    totals = [smoothed(each) for each in by_day]
    parts = shares(_by_region(seen, regions))
    baskets, rates = _observed(orders, days)
    daily = {}
    for sku in range(skus):
        for region in range(regions if totals[sku] else 0):
            own = seen[sku, region]
            rate = regional(totals[sku], parts[region], own, days, TRUST_DAYS)
            daily[sku, region] = rate.mean
            baskets.append(Basket(region, ((sku, 1),), part[sku] / lines[sku]))
            rates.append(DemandRate(rate.count - own, rate.days))
    return Expected(tuple(baskets), tuple(rates), daily)


def _by_region(seen: Counter[tuple[int, int]], regions: int) -> list[float]:
    counts = [0.0] * regions
    for (_, region), units in seen.items():
        counts[region] += units
    return counts


def _observed(orders: Sequence[Bought], days: int) -> tuple[list[Basket], list[DemandRate]]:
    """The baskets that were seen, each with its part of the regional rates."""
    found: dict[tuple[int, tuple[tuple[int, int], ...]], list[float]] = defaultdict(list)
    for order in orders:
        found[order.region, order.lines].append(len(order.lines) / order.lines_in_order)
    baskets = [Basket(region, lines, sum(part) / len(part)) for (region, lines), part in sorted(found.items())]
    rates = [DemandRate(len(part), days + TRUST_DAYS) for _, part in sorted(found.items())]
    return baskets, rates


def _cut(bought: Bought) -> list[Bought]:
    """An order in pieces of no more lines than can be looked at together."""
    lines = sorted(bought.lines)
    return [
        Bought(bought.days_ago, bought.region, tuple(lines[start : start + LINES_AT_MOST]), bought.lines_in_order)
        for start in range(0, len(lines), LINES_AT_MOST)
    ]
