"""The world of the horizon experiment: five fulfilment centres, ten metros, twenty items, twenty-five kinds of order.

After S. Jasin and A. Sinha (Operations Research 63(6), 2015) and W. Ma (M&SOM 25(4), 2023): five kinds of order of each
size from one to five items; the sizes' and kinds' chances are drawn at random and normalised, as is the chance that
nothing is ordered in a period; metros order in proportion to their population (US Census 2020, urban areas). Each
centre carries an item with a chance of 75 %. The fluid plan of the stock sends each metro to the nearest centre that
carries the item, which gives each centre its share d of an item's demand; it starts with T d + 0.5 sqrt(T d (1-d)).
"""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

import numpy as np

from dom.sourcing.valuation.transport import Freight
from dom.sourcing.valuation.ways import Basket, Numbers, Places

ITEMS, SIZES, KINDS, CARRIED = 20, 5, 5, 0.75
SHIPMENT, UNIT, MILE, UNFILLED = 875.9, 42.3, 0.0541, 2.0
"""Cents: of a shipment, a unit, a unit's mile; and how many times as much it costs not to fill an item."""
EARTH_MILES = 3958.7613
CENTRES = ((37.74, -121.40), (39.98, -86.38), (41.28, -75.50), (33.91, -81.05), (32.97, -97.33))
"""Tracy, Whitestown, Hazle, West Columbia, Haslet, by latitude and longitude."""
METROS = (
    (40.69, -73.92, 18680025),
    (34.11, -118.41, 12531334),
    (41.84, -87.69, 8586888),
    (25.78, -80.21, 6076316),
    (32.79, -96.77, 5910669),
    (29.79, -95.39, 5724418),
    (40.01, -75.13, 5540199),
    (33.76, -84.42, 5151496),
    (38.90, -77.02, 5066973),
    (42.32, -71.09, 4465966),
)
"""New York, Los Angeles, Chicago, Miami, Dallas, Houston, Philadelphia, Atlanta, Washington, Boston; last, people."""


def _miles(a: tuple[float, float], b: tuple[float, float]) -> float:
    across, up = sin(radians(b[1] - a[1]) / 2), sin(radians(b[0] - a[0]) / 2)
    return 2 * EARTH_MILES * asin(sqrt(up * up + cos(radians(a[0])) * cos(radians(b[0])) * across * across))


DISTANCES: Numbers = np.array([[_miles(centre, metro[:2]) for metro in METROS] for centre in CENTRES])
PER_UNIT: Numbers = UNIT + MILE * DISTANCES
"""Cents, by (centre, metro)."""
PENALTY: Numbers = UNFILLED * PER_UNIT.max(axis=0)
FREIGHT = Freight(
    fixed=np.full(DISTANCES.shape, SHIPMENT),
    unit=np.repeat(PER_UNIT[:, None, :], ITEMS, axis=1),
    penalty=np.tile(PENALTY, (ITEMS, 1)),
    penalty_fixed=np.full(len(METROS), UNFILLED * SHIPMENT),
)


@dataclass(frozen=True, slots=True)
class Season:
    """One instance: what may be ordered, how often, what stock there is, and what was ordered, period by period.

    A class is a kind of order from a metro: `orders` has the class of each period, or -1 where nothing was ordered;
    `rates` are by class, orders a period. `stock` is by (centre, item).
    """

    periods: int
    baskets: tuple[Basket, ...]
    rates: Numbers
    stock: Places
    orders: Places

    def counted(self) -> Numbers:
        """Orders of each class."""
        return np.bincount(self.orders[self.orders >= 0], minlength=len(self.baskets)).astype(np.float64)


def season(seed: int, periods: int) -> Season:
    """The instance of a seed."""
    chance = np.random.default_rng(seed)
    sizes = chance.random(SIZES + 1)
    sizes /= sizes.sum()
    people = np.array([metro[2] for metro in METROS], np.float64)
    people /= people.sum()
    baskets: list[Basket] = []
    rates: list[float] = []
    for size in range(1, SIZES + 1):
        kinds = chance.random(KINDS)
        for kind in kinds / kinds.sum():
            items = tuple((int(item), 1) for item in sorted(chance.permutation(ITEMS)[:size]))
            baskets += [Basket(metro, items) for metro in range(len(METROS))]
            rates += [float(sizes[size] * kind * share) for share in people]
    stock = _stock(chance, baskets, rates, periods)
    likely = np.array([*rates, sizes[0]])
    orders = chance.choice(len(likely), size=periods, p=likely / likely.sum())
    return Season(periods, tuple(baskets), np.array(rates), stock, np.where(orders < len(rates), orders, -1))


def _stock(chance: np.random.Generator, baskets: list[Basket], rates: list[float], periods: int) -> Places:
    carried = chance.random((len(CENTRES), ITEMS)) < CARRIED
    share = np.zeros(carried.shape)
    for basket, rate in zip(baskets, rates, strict=True):
        for item, _ in basket.lines:
            far = np.where(carried[:, item], DISTANCES[:, basket.region], np.inf)
            if np.isfinite(far).any():
                share[far.argmin(), item] += rate
    return np.rint(periods * share + 0.5 * np.sqrt(periods * share * (1 - share))).astype(np.int64)
