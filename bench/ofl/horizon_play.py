"""A season played order by order: each is planned on what is left, at the prices that stock has at that moment."""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from bench.ofl.horizon_world import CENTRES, FREIGHT, ITEMS, PENALTY, PER_UNIT, SHIPMENT, UNFILLED, Season
from dom.sourcing.valuation.decay import Priced, decayed
from dom.sourcing.valuation.forecast import DemandRate
from dom.sourcing.valuation.scenarios import scenarios
from dom.sourcing.valuation.transport import Market
from dom.sourcing.valuation.ways import Basket, Numbers, Places

REPRICED: Final = 50
"""How often stock is priced over the season."""
LIFETIME: Final = 36.0
"""Of a price, in intervals between two pricings: as the settings' defaults have it (360 minutes, every 10)."""
FORECAST_ERROR: Final = 0.53
"""Relative standard error the forecast is believed to have, whether it has it or not: that of sigma 0.5."""
_SETS: Final = np.array([[held >> k & 1 for k in range(len(CENTRES))] for held in range(1, 1 << len(CENTRES))], bool)
_PARCELS: Final = SHIPMENT * _SETS.sum(axis=1)


class Prices(Protocol):
    """What stock is worth in a period."""

    def of(self, period: int, stock: Places, items: list[int], /) -> Numbers:
        """Cents by (centre, item)."""
        ...

    def note(self, order: int, /) -> None:
        """An order of this class was placed."""


def planned(basket: Basket, stock: Places, worth: Numbers) -> Places:
    """The centre of each item (or the number of centres: nowhere) in the cheapest plan that fills all that can be.

    All sets of centres are looked at, so this is the planner's optimum under its rules.
    """
    items = [item for item, _ in basket.lines]
    cost = np.where(stock[:, items] > 0, PER_UNIT[:, basket.region, None] + worth, np.inf)
    some = np.isfinite(cost).any(axis=0)
    cost = np.where(some, cost, 0.0)
    by_set = np.where(_SETS[:, :, None], cost, np.inf).min(axis=1)
    best = int((by_set.sum(axis=1) + _PARCELS).argmin())
    at = np.where(_SETS[best][:, None], cost, np.inf).argmin(axis=0)
    return np.where(some, at, len(CENTRES))


def cost_of(basket: Basket, at: Places) -> float:
    """What a plan costs in cents."""
    filled = at[at < len(CENTRES)]
    missing = len(at) - len(filled)
    cost = float(PER_UNIT[filled, basket.region].sum()) + SHIPMENT * len(set(filled.tolist()))
    return cost + (float(PENALTY[basket.region]) * missing + UNFILLED * SHIPMENT if missing else 0.0)


def play(season: Season, prices: Prices) -> float:
    """The cost of the whole season, in cents."""
    stock, cost = season.stock.copy(), 0.0
    for period, order in enumerate(season.orders.tolist()):
        if order < 0:
            continue
        basket = season.baskets[order]
        items = [item for item, _ in basket.lines]
        at = planned(basket, stock, prices.of(period, stock, items))
        cost += cost_of(basket, at)
        for item, centre in zip(items, at.tolist(), strict=True):
            if centre < len(CENTRES):
                stock[centre, item] -= 1
        prices.note(order)
    return cost


class Greedy:
    """No prices: every order goes the way that is cheapest now."""

    def of(self, _period: int, _stock: Places, items: list[int], /) -> Numbers:
        """Nothing."""
        return np.zeros((len(CENTRES), len(items)))

    def note(self, order: int, /) -> None:
        """Nothing is learned."""


@dataclass(slots=True)
class Static:
    """The duals of the fluid problem under the forecast, worked out once and believed to the end."""

    season: Season
    forecast: Numbers
    _price: Numbers = field(init=False)

    def __post_init__(self) -> None:
        """Price the stock."""
        expected = (self.forecast * self.season.periods)[:, None]
        self._price = Market(self.season.baskets, FREIGHT).prices(self.season.stock.astype(float), expected).price

    def of(self, _period: int, _stock: Places, items: list[int], /) -> Numbers:
        """What was worked out before the season."""
        return self._price[:, items]

    def note(self, order: int, /) -> None:
        """Nothing is learned."""


@dataclass(slots=True)
class Ours:
    """Prices as the system works them out: again and again, on what is left and what was seen, faded in between."""

    season: Season
    forecast: Numbers
    _market: Market = field(init=False)
    _seen: Numbers = field(init=False)
    _price: Numbers = field(init=False)
    _outflow: Numbers = field(init=False)
    _units: Places = field(init=False)
    _priced_at: int = -1

    def __post_init__(self) -> None:
        """Nothing is priced yet, and nothing seen."""
        self._market = Market(self.season.baskets, FREIGHT)
        self._seen = np.zeros(len(self.season.baskets))
        self._price = self._outflow = np.zeros((len(CENTRES), ITEMS))
        self._units = self.season.stock

    def of(self, period: int, stock: Places, items: list[int], /) -> Numbers:
        """The prices of the last pricing, as far as they still have force."""
        interval = self.season.periods / REPRICED
        if self._priced_at < 0 or period - self._priced_at >= interval:
            self._reprice(period, stock)
        return np.array([[self._now(k, i, stock, period, interval) for i in items] for k in range(len(CENTRES))])

    def note(self, order: int, /) -> None:
        """Count it."""
        self._seen[order] += 1

    def _reprice(self, period: int, stock: Places) -> None:
        believed = [DemandRate.believed(mean, FORECAST_ERROR) for mean in self.forecast.tolist()]
        rates = [rate.seen(seen, period) for rate, seen in zip(believed, self._seen.tolist(), strict=True)]
        left = self.season.periods - period
        solved = self._market.prices(stock.astype(float), scenarios(rates, left))
        self._price, self._outflow = np.rint(solved.price), solved.taken / left
        self._units, self._priced_at = stock.copy(), period

    def _now(self, centre: int, item: int, stock: Places, period: int, interval: float) -> int:
        price = int(self._price[centre, item])
        if not price:
            return 0
        priced = Priced(price, int(self._units[centre, item]), float(self._outflow[centre, item]))
        return decayed(priced, int(stock[centre, item]), period - self._priced_at, LIFETIME * interval)
