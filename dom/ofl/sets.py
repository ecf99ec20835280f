"""Which sets of sources are worth working out: what they fill, what they cost at least, and one after the other."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from dom.ofl.bounds import Measure, Prices, Steps, cover, deciding_measure, price_ladder, priced, steps_of, unpriced
from dom.ofl.problem import Problem

SETS_AT_MOST: Final = 3_000
"""Sets looked at, sets being built included, before the search gives up being exact."""

STEPS_COVERED_AT_MOST: Final = 300
"""With more steps than this the bound by pairs of steps costs more than it brings."""

Members = tuple[int, ...]
"""A set of sources by their places in the problem, ascending."""


@dataclass(slots=True)
class Floors:
    """What sets of sources cost at least. The steps are laid out only when the cheap bound does not decide."""

    problem: Problem
    least_per_unit: int = field(init=False)
    empty: Prices = field(init=False)
    """Bound for sets that leave something out, whose total is not known: shipments with next to nothing in them."""
    measure: Measure = Measure.WEIGHT
    steps: tuple[Steps, ...] = ()
    ladder: tuple[Prices, ...] = ()

    def __post_init__(self) -> None:
        tallies = [source.tally for source in self.problem.sources]
        self.least_per_unit = min([tally.handling_per_unit for tally in tallies])
        self.empty = unpriced([tally.total(0, 0, 0) for tally in tallies])

    def lay_out(self) -> None:
        """Work out the steps and the bounds for several prices, once."""
        if self.steps:
            return
        problem = self.problem
        self.measure = deciding_measure(problem)
        total = sum([item.units * self.measure.of(item) for item in problem.items])
        known: dict[tuple[tuple[int, int, int, float], ...], Steps] = {}
        steps = []
        for source in problem.sources:
            offers = source.tally.offers
            key = tuple([(id(o.lane.rate), o.lateness, o.lane.divisor, o.lane.worth) for o in offers])
            if key not in known:
                known[key] = steps_of(offers, self.measure, total)
            steps.append(known[key])
        fixed = [source.tally.fixed for source in problem.sources]
        self.steps = tuple(steps)
        self.ladder = tuple([priced(steps, fixed, total, price) for price in price_ladder(steps, total)])

    def besides(self, size: int, short: int) -> int:
        """Split penalty and least handling of a plan with so many shipments that leaves out so many units."""
        return self.problem.split_penalty * (size - 1) + self.least_per_unit * (self.problem.units - short)

    def of_set(self, members: Members, short: int) -> int:
        """No plan of this set costs less."""
        tables = self.ladder if short == 0 and self.ladder else (self.empty,)
        return max([prices.floor(members) for prices in tables]) + self.besides(len(members), short)

    def of_loads(self, members: Members, sizes: Sequence[int], total: int) -> int:
        """Sources that carry these sizes already cannot take the rest of `total` for less; handling of units apart."""
        steps = self.steps
        reached = [bisect_left(steps[member].ends, size) for member, size in zip(members, sizes, strict=True)]
        floor = max([prices.floor_from(members, reached, total) for prices in self.ladder])
        if len(members) != 2:  # noqa: PLR2004
            return floor
        first, second = members
        if len(steps[first].ends) > STEPS_COVERED_AT_MOST:
            return floor
        fixed = self.problem.sources[first].tally.fixed + self.problem.sources[second].tally.fixed
        return max(floor, fixed + cover(steps[first], steps[second], (sizes[0], sizes[1]), total))

    def of_size(self, size: int) -> tuple[int, Prices]:
        """No plan with so many shipments that fills everything costs less; and the prices that prove it."""
        floors = [(prices.floor(prices.cheapest(size)), prices) for prices in (self.empty, *self.ladder)]
        floor, prices = max(floors, key=lambda pair: pair[0])
        return floor + self.besides(size, 0), prices


def shortage(problem: Problem, members: Sequence[int], at_most: int) -> int:
    """Units the set leaves out; once it is more than `at_most` the count may stop."""
    sources = [problem.sources[member] for member in members]
    missing = (1 << len(problem.items)) - 1
    for source in sources:
        missing &= ~source.whole
    short = 0
    while missing and short <= at_most:
        lowest = missing & -missing
        missing ^= lowest
        index = lowest.bit_length() - 1
        short += max(0, problem.items[index].units - sum([source.stock[index] for source in sources]))
    return short


def covering_set(problem: Problem) -> Members:
    """A set that fills much: one source after the other, each the one that adds most (greedy set cover)."""
    members: list[int] = []
    short = problem.units
    while short and len(members) < problem.maximum_shipments:
        others = [i for i in range(len(problem.sources)) if i not in members]
        if not others:
            break
        after = {other: shortage(problem, [*members, other], short) for other in others}
        best = min(others, key=lambda other: after[other])
        if after[best] >= short:
            break
        members.append(best)
        short = after[best]
    return tuple(sorted(members))


@dataclass(slots=True)
class SetBuilder:
    """Builds sets member by member, the ones with the lowest bound first, and leaves out what cannot be of use.

    `allowance` is the number of steps it may still take; `ran_out` says that it did not come to its end.
    """

    problem: Problem
    allowance: int = SETS_AT_MOST
    ran_out: bool = False

    def sets(self, size: int, prices: Prices, bar: int | None, least_units: int) -> Iterator[Members]:
        """Sets of a size whose scaled bound is within `bar` and that might fill `least_units`."""
        order = sorted(range(len(self.problem.sources)), key=lambda place: (prices.sources[place], place))
        most = max([source.all_it_holds.units for source in self.problem.sources])
        yield from self._extended((), size, order, prices.sources, bar, least_units, most)

    def _extended(
        self,
        members: Members,
        missing: int,
        order: Sequence[int],
        values: Sequence[int],
        bar: int | None,
        least_units: int,
        most: int,
    ) -> Iterator[Members]:
        for position in range(len(order) - missing + 1):
            place = order[position]
            if bar is not None and missing * values[place] > bar:
                return
            if self.allowance <= 0:
                self.ran_out = True
                return
            self.allowance -= 1
            units = least_units - self.problem.sources[place].all_it_holds.units
            if units > (missing - 1) * most:
                continue
            if missing == 1:
                yield tuple(sorted((*members, place)))
            else:
                left = None if bar is None else bar - values[place]
                yield from self._extended(
                    (*members, place), missing - 1, order[position + 1 :], values, left, units, most
                )
