"""What sets of sources cost at least."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Final

from dom.sourcing.solver.bounds import (
    BoundPrices,
    Measure,
    Steps,
    cover,
    deciding_measure,
    price_ladder,
    priced,
    steps_of,
    unpriced,
)
from dom.sourcing.solver.fares import Fares
from dom.sourcing.solver.problem import SolverProblem

STEPS_COVERED_AT_MOST: Final = 300
"""With more steps than this the bound by pairs of steps costs more than it brings."""
_OUT_OF_REACH: Final = 1 << 40

Members = tuple[int, ...]
"""A set of sources by their places in the problem, ascending."""


@dataclass(slots=True)
class Floors:
    """What sets of sources cost at least. The steps are laid out only when the cheap bound does not decide."""

    problem: SolverProblem
    fares: Fares
    least_of_all: int = field(init=False)
    """What all units cost at least, each from where it is cheapest."""
    least_of_some: int = field(init=False)
    """What any part of them costs at least."""
    empty: BoundPrices = field(init=False)
    """Bound for any set: each shipment carries no less than the least item."""
    units: tuple[int, ...] = field(init=False)
    everything: int = field(init=False)
    """All items, as bits."""
    where_held: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """By source, as far as asked: what a unit of each item costs, out of reach where it holds none."""
    loads: dict[int, tuple[int, int]] = field(default_factory=dict)
    measure: Measure = Measure.WEIGHT
    steps: tuple[Steps, ...] = ()
    ladder: tuple[BoundPrices, ...] = ()

    def __post_init__(self) -> None:
        sources = self.problem.sources
        items = self.problem.items
        least = [min(costs) for costs in zip(*[source.unit_costs for source in sources], strict=True)]
        costs = [item.units * each for item, each in zip(items, least, strict=True)]
        self.least_of_all, self.least_of_some = sum(costs), sum([min(0, cost) for cost in costs])
        grams, mm3 = min([item.grams for item in items], default=0), min([item.mm3 for item in items], default=0)
        self.empty = unpriced(
            [source.tally.fixed + self.fares.freight(place, grams, mm3) for place, source in enumerate(sources)]
        )

        self.units = tuple([item.units for item in items])
        self.everything = (1 << len(items)) - 1

    def lay_out(self) -> None:
        """Work out the steps and the bounds for several prices, once."""
        if self.steps:
            return
        problem = self.problem
        self.measure = deciding_measure(problem)
        total = sum([item.units * self.measure.of(item) for item in problem.items])
        known: dict[tuple[tuple[int, int], ...], Steps] = {}
        steps = []
        for source, group in zip(problem.sources, self.fares.groups, strict=True):
            if group not in known:
                known[group] = steps_of(source.tally.offers, self.measure, total)
            steps.append(known[group])
        fixed = [source.tally.fixed for source in problem.sources]
        self.steps = tuple(steps)
        self.ladder = tuple([priced(steps, fixed, total, price) for price in price_ladder(steps, total)])

    def besides(self, size: int, short: int) -> int:
        """Split penalty and least cost of the units of a plan with so many shipments that leaves out so many pieces."""
        return self.problem.split_penalty * (size - 1) + (self.least_of_some if short else self.least_of_all)

    def of_set(self, members: Members, short: int, enough: int) -> int:
        """No plan of this set that leaves out so many pieces costs less; above `enough` it may be higher still."""
        floor = self._by_what_must_be(members, short)
        if short == 0 and self.ladder and floor <= enough:
            by_price = max([prices.floor(members) for prices in self.ladder]) + self.besides(len(members), 0)
            floor = max(floor, by_price)
        return floor

    def _by_what_must_be(self, members: Members, short: int) -> int:
        """Each member carries what no other member could, and each unit costs what it costs at the cheapest."""
        sources = self.problem.sources
        cost = self.problem.split_penalty * (len(members) - 1)
        if short == 0:
            cost += sum(map(mul, self.units, map(min, *[self._costs_where_held(member) for member in members])))
        once = twice = 0
        for member in members:
            whole = sources[member].whole
            twice |= once & whole
            once |= whole
        must = {member: self._load(sources[member].whole & ~twice) for member in members}
        if parted := self.everything & ~once:
            cost += self._parted(members, parted, must, short)
        for member in members:
            cost += sources[member].tally.fixed + self.fares.freight(member, *must[member])
        return cost

    def _costs_where_held(self, place: int) -> tuple[int, ...]:
        known = self.where_held.get(place)
        if known is None:
            source = self.problem.sources[place]
            pairs = zip(source.stock, source.unit_costs, strict=True)
            known = self.where_held[place] = tuple([each if held else _OUT_OF_REACH for held, each in pairs])
        return known

    def _load(self, items: int) -> tuple[int, int]:
        """Grams and mm3 of these items, given as bits."""
        load = self.loads.get(items)
        if load is None:
            chosen = [item for index, item in enumerate(self.problem.items) if items >> index & 1]
            load = self.loads[items] = (
                sum([item.units * item.grams for item in chosen]),
                sum([item.units * item.mm3 for item in chosen]),
            )
        return load

    def _parted(self, members: Members, parted: int, must: dict[int, tuple[int, int]], short: int) -> int:
        """Add what each member must give of items that none of them holds whole.

        Answers what all units cost at least where some are left out, nothing otherwise.
        """
        sources, cost = self.problem.sources, 0
        for index, item in enumerate(self.problem.items):
            if short:
                each = [sources[m].unit_costs[index] for m in members if sources[m].stock[index]]
                held = min(item.units, sum([sources[m].stock[index] for m in members]))
                cost += held * min(each, default=0)
            if not parted >> index & 1:
                continue
            rest = sum([sources[member].stock[index] for member in members])
            together = min(item.units, rest)
            for member in members:
                least = together - rest + sources[member].stock[index]
                if least > 0:
                    grams, mm3 = must[member]
                    must[member] = (grams + least * item.grams, mm3 + least * item.mm3)
        return cost

    def of_loads(self, members: Members, sizes: Sequence[int], total: int) -> int:
        """Sources that carry these sizes already cannot take the rest of `total` for less; the units' costs apart."""
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

    def of_size(self, size: int) -> tuple[int, BoundPrices]:
        """No plan with so many shipments that fills everything costs less; and the prices that prove it."""
        floors = [(prices.floor(prices.cheapest(size)), prices) for prices in (self.empty, *self.ladder)]
        floor, prices = max(floors, key=lambda pair: pair[0])
        return floor + self.besides(size, 0), prices
