"""Which sets of sources are worth working out: those that fill enough.

Sets are built as covers: of the items that are still lacking the one that fewest sources hold comes first, and one of
its holders has to join. Holders that were tried are barred from then on, so each set is met once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from dom.sourcing.solver.bounds import BoundPrices, unpriced
from dom.sourcing.solver.floors import Members
from dom.sourcing.solver.problem import SolverProblem

SETS_AT_MOST: Final = 20_000
"""Sets looked at, sets being built included, before the search gives up being exact."""

_NO_PRICES: Final = unpriced(())


def shortage(problem: SolverProblem, members: Sequence[int]) -> int:
    """Pieces the set leaves out."""
    sources = [problem.sources[member] for member in members]
    whole = short = 0
    for source in sources:
        whole |= source.whole
    for index, item in enumerate(problem.items):
        if not whole >> index & 1:
            lack = item.units - sum([source.stock[index] for source in sources])
            short += max(0, lack) * item.pieces
    return short


def covering_set(problem: SolverProblem, places: Sequence[int], largest: int) -> Members:
    """A set that fills much: one source after the other, each the one that adds most (greedy set cover)."""
    members: list[int] = []
    short = shortage(problem, ())
    while short and len(members) < largest:
        after = {place: shortage(problem, [*members, place]) for place in places if place not in members}
        best = min(after, key=after.__getitem__, default=None)
        if best is None or after[best] >= short:
            break
        members.append(best)
        short = after[best]
    return tuple(sorted(members))


Taken = Callable[[Members, int], None]
"""Hears of each set that was found, and of the pieces it leaves out."""


@dataclass(slots=True)
class SetBuilder:
    """Builds sets of sources that fill enough, the ones with the lowest bound first.

    `allowance` is the number of steps it may still take; `ran_out` says that it did not come to its end. `bar` may be
    lowered and `budget` (the pieces that may be left out) changed while sets are being built.
    """

    problem: SolverProblem
    places: Sequence[int]
    """The sources that may take part."""
    taken: Taken
    allowance: int = SETS_AT_MOST
    ran_out: bool = False
    enough: bool = False
    """Set by the one who is told when no more sets are wanted."""
    size: int = 0
    bar: int | None = None
    """What the scaled values of a set may sum up to; None for anything."""
    budget: int = 0
    prices: BoundPrices = _NO_PRICES
    values: Sequence[int] = ()
    least: int = 0
    order: list[int] = field(default_factory=list)
    holders: list[list[int]] = field(default_factory=list)
    holder_bits: list[int] = field(default_factory=list)
    rarest: list[int] = field(default_factory=list)
    most: int = 0
    covering: dict[int, list[int]] = field(default_factory=dict)

    def sets(self, size: int, prices: BoundPrices, bar: int | None, budget: int) -> None:
        """Tell of the sets of a size whose values are within `bar` and that leave out no more than `budget` pieces."""
        if len(self.places) < size:
            return
        self.size, self.bar, self.budget, self.enough = size, bar, budget, False
        if self.prices is not prices:
            self.prices = prices
            self._put_in_order(prices.sources)
        self._descend((), 0, 0, 0, 0, 0)

    def _put_in_order(self, values: Sequence[int]) -> None:
        sources = self.problem.sources
        self.values = values
        self.order = sorted(self.places, key=lambda place: (values[place], place))
        self.least = values[self.order[0]]
        count = len(self.problem.items)
        self.holders = [[place for place in self.order if sources[place].stock[item]] for item in range(count)]
        self.holder_bits = [sum([1 << place for place in holders]) for holders in self.holders]
        self.rarest = sorted(range(count), key=lambda item: (len(self.holders[item]), item))
        self.most = max([sources[place].all_it_holds.units for place in self.places])
        self.covering = {}

    def _descend(self, members: Members, whole: int, barred: int, given_up: int, short: int, value: int) -> None:
        if self.allowance <= 0:
            self.ran_out = True
            return
        self.allowance -= 1
        remaining = self.size - len(members)
        lacking = self._lacking(members, whole | given_up)
        items = self.problem.items
        lack = short + sum([units * items[item].pieces for item, units in lacking])
        if lack - remaining * self.most > self.budget:
            return
        if remaining == 0:
            self.taken(tuple(sorted(members)), lack)
            return
        if not lacking:
            self._join(members, whole, barred, given_up, short, value, self.order)
            return
        if remaining == 1 and short == self.budget:
            self._close(members, barred, value, lacking, short)
            return
        item, units = lacking[0]
        self._join(members, whole, barred, given_up, short, value, self.holders[item])
        short += units * items[item].pieces
        if short <= self.budget and not self.enough:
            bit = 1 << item
            self._descend(members, whole, barred | self.holder_bits[item], given_up | bit, short, value)

    def _join(
        self,
        members: Members,
        whole: int,
        barred: int,
        given_up: int,
        short: int,
        value: int,
        candidates: Sequence[int],
    ) -> None:
        sources, values = self.problem.sources, self.values
        others = (self.size - len(members) - 1) * self.least
        for place in candidates:
            bit = 1 << place
            if barred & bit:
                continue
            if self.bar is not None and value + values[place] + others > self.bar:
                return
            barred |= bit
            self._descend(
                (*members, place), whole | sources[place].whole, barred, given_up, short, value + values[place]
            )
            if self.ran_out or self.enough:
                return

    def _close(self, members: Members, barred: int, value: int, lacking: list[tuple[int, int]], short: int) -> None:
        """The last member has to bring all that is lacking."""
        sources, values, items = self.problem.sources, self.values, self.problem.items
        rest = [(item, units) for item, units in lacking if units < items[item].units]
        mask = sum([1 << item for item, units in lacking if units == items[item].units])
        if mask not in self.covering:
            self.covering[mask] = [place for place in self.order if sources[place].whole & mask == mask]
        for place in self.covering[mask]:
            if self.bar is not None and value + values[place] > self.bar:
                return
            if barred >> place & 1 or any(sources[place].stock[item] < units for item, units in rest):
                continue
            if self.allowance <= 0:
                self.ran_out = True
                return
            self.allowance -= 1
            self.taken(tuple(sorted((*members, place))), short)
            if self.enough:
                return

    def _lacking(self, members: Members, passed_over: int) -> list[tuple[int, int]]:
        """Items and the units of them that the members do not hold, the rarest first."""
        sources, items = self.problem.sources, self.problem.items
        found = []
        for item in self.rarest:
            if passed_over >> item & 1:
                continue
            units = items[item].units
            for member in members:
                units -= sources[member].stock[item]
            if units > 0:
                found.append((item, units))
        return found
