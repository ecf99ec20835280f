"""Lower bounds on freight: what goods would cost at least if they could be parted at will.

Freight rises in steps with weight, so a bound has to know the steps. `Steps` lays a source's freight out over one
measure of the goods, weight or volume, whichever decides the price of the whole order; ignoring the other can only make
it cheaper. Two bounds are made of it:

- `cover`: the cheapest pair of steps at two sources that together take all goods. Exact for goods that can be parted at
  will.
- `BoundPrices`: Lagrangian (H. Everett, "Generalized Lagrange Multiplier Method", Operations Research 11, 1963): every
  gram is sold at a fixed price and each source decides for itself; a sum of one number a source, to rule out sets in
  bulk.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from dom.delivery.parcels import PACKING_GRAMS, PACKING_SHARE
from dom.sourcing.costs import Offer, PricedLane
from dom.sourcing.solver.problem import Item, SolverProblem

PARCELS_IN_DETAIL: Final = 24
"""Of so many parcels every weight break is laid out; of more only whole parcels, at the price of the lightest."""
_SCALE: Final = 1 << 20


class Measure(StrEnum):
    """What is laid along the axis: grams or cubic millimetres."""

    WEIGHT = "weight"
    VOLUME = "volume"

    def of(self, item: Item) -> int:
        """The size of one unit."""
        return item.grams if self is Measure.WEIGHT else item.mm3


@dataclass(frozen=True, slots=True)
class Steps:
    """A source's freight: up to `ends[i]` of goods it is at least `prices[i]`."""

    ends: tuple[int, ...]
    prices: tuple[int, ...]


def deciding_measure(problem: SolverProblem) -> Measure:
    """Weight or volume: which of them a carrier would charge the whole order by."""
    grams = sum([item.units * item.grams for item in problem.items])
    mm3 = sum([item.units * item.mm3 for item in problem.items])
    offers = problem.sources[0].tally.offers
    if offers and offers[0].lane.chargeable(grams, 0) < offers[0].lane.chargeable(0, mm3):
        return Measure.VOLUME
    return Measure.WEIGHT


def steps_of(offers: Sequence[Offer], measure: Measure, total: int) -> Steps:
    """The cheapest freight and lateness of the offers over 0 to `total` of goods."""
    if not offers:
        return Steps((total,), (0,))
    ends = sorted({end for offer in offers for end in _ends(offer.lane, measure, total)} | {total})
    starts = [0, *[end + 1 for end in ends[:-1]]]
    prices = [min([_cost(offer, measure, start) for offer in offers]) for start in starts]
    last = [i for i, price in enumerate(prices) if i == len(prices) - 1 or prices[i + 1] > price]
    return Steps(tuple([ends[i] for i in last]), tuple([prices[i] for i in last]))


def cover(first: Steps, second: Steps, at_least: tuple[int, int], total: int) -> int:
    """The least freight at which two sources can take `total` of goods, each no less than its share of `at_least`."""
    floor = second.prices[bisect_left(second.ends, at_least[1])]
    best = -1
    for i in range(bisect_left(first.ends, at_least[0]), len(first.ends)):
        if 0 <= best <= first.prices[i] + floor:
            break
        rest = max(total - first.ends[i], at_least[1])
        cost = first.prices[i] + second.prices[bisect_left(second.ends, rest)]
        if best < 0 or cost < best:
            best = cost
        if rest == at_least[1]:
            break
    return best


@dataclass(frozen=True, slots=True)
class BoundPrices:
    """At one price for all goods: what each source costs at least beyond the price of what it takes. Scaled.

    `tails[s][i]` is the part of it that is freight once source s has taken more than the steps before i, `fixed[s]` the
    rest of it.
    """

    price: int
    total: int
    sources: tuple[int, ...]
    fixed: tuple[int, ...]
    tails: tuple[tuple[int, ...], ...]

    def floor(self, members: Sequence[int]) -> int:
        """The least cost, in minor units, of these sources taking all goods together; rounded down."""
        return (self.price * self.total + sum([self.sources[member] for member in members])) // _SCALE

    def floor_from(self, members: Sequence[int], reached: Sequence[int], total: int) -> int:
        """The same for `total` of goods where each member has reached a step already."""
        tails, fixed = self.tails, self.fixed
        parts = [fixed[m] + tails[m][i] for m, i in zip(members, reached, strict=True)]
        return (self.price * total + sum(parts)) // _SCALE

    def cheapest(self, size: int) -> Sequence[int]:
        """The members of the set of a size whose floor is lowest."""
        return sorted(range(len(self.sources)), key=self.sources.__getitem__)[:size]

    def room(self, cost: int) -> int:
        """What the scaled values of a set may sum up to at most if its floor is to be no more than a cost."""
        return (cost + 1) * _SCALE - 1 - self.price * self.total


def priced(steps: Sequence[Steps], fixed: Sequence[int], total: int, price: int) -> BoundPrices:
    """Bounds for one price, in scaled minor units per gram or mm3; `fixed` is what each source costs besides."""
    known: dict[int, tuple[int, ...]] = {}
    tails = []
    for own in steps:
        tail = known.get(id(own))
        if tail is None:
            values = [cost * _SCALE - price * end for cost, end in zip(own.prices, own.ends, strict=True)]
            tail = known[id(own)] = tuple(accumulate(reversed(values), min))[::-1]
        tails.append(tail)
    scaled = tuple([cost * _SCALE for cost in fixed])
    sources = tuple([base + tail[0] for base, tail in zip(scaled, tails, strict=True)])
    return BoundPrices(price, total, sources, scaled, tuple(tails))


def unpriced(least: Sequence[int]) -> BoundPrices:
    """The bound that knows no more than what each source costs at least."""
    return BoundPrices(0, 0, tuple([cost * _SCALE for cost in least]), (), ())


def price_ladder(steps: Sequence[Steps], total: int) -> list[int]:
    """Prices worth trying, low to high: nothing, and the slopes of the steps where the goods travel cheapest."""
    own = min(steps, key=lambda candidate: candidate.prices[-1])
    start, floor = own.ends[0], own.prices[0]
    rises = [(price - floor) * _SCALE // (end - start) for end, price in zip(own.ends[1:], own.prices[1:], strict=True)]
    if not rises:
        return [0]
    return sorted({0, min(rises), rises[-1], own.prices[-1] * _SCALE // total})


def _cost(offer: Offer, measure: Measure, goods: int) -> int:
    grams, mm3 = (goods, 0) if measure is Measure.WEIGHT else (0, goods)
    return offer.cost(grams, mm3)


def _ends(lane: PricedLane, measure: Measure, total: int) -> list[int]:
    """Sizes below `total` at which the lane's freight rises; of very many parcels only whole multiples."""
    heaviest = lane.rate.max_parcel_grams
    limits = [limit for limit in lane.rate.limits if limit < heaviest] + [heaviest]
    found: list[int] = []
    parcels, stride = 0, 1
    while True:
        for limit in limits:
            end = goods_up_to(lane, measure, (parcels + stride - 1) * heaviest + limit)
            if end >= total:
                return found
            if end >= 0:
                found.append(end)
        parcels += stride
        if parcels >= PARCELS_IN_DETAIL:
            limits, stride = [heaviest], 1 + parcels // PARCELS_IN_DETAIL


def goods_up_to(lane: PricedLane, measure: Measure, chargeable: int) -> int:
    """The most goods, without packaging, that are charged as so many grams."""
    if measure is Measure.WEIGHT:
        return chargeable - PACKING_GRAMS
    cm3 = ((chargeable + 1) * lane.divisor - 1) // 1000
    mm3 = int(cm3 * 1000 / PACKING_SHARE)
    while lane.chargeable(0, mm3 + 1) <= max(chargeable, PACKING_GRAMS):
        mm3 += 1
    while mm3 >= 0 and lane.chargeable(0, mm3) > max(chargeable, PACKING_GRAMS):
        mm3 -= 1
    return mm3
