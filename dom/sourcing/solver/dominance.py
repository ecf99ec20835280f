"""Sources that no plan with several shipments needs, because another source would do as well.

Source b can stand in for a where it holds whole whatever a holds any of and asks no more for it in any part: the same
carriers' offers, no later; fixed costs, unit costs and tie-breaks no higher. Two things are easily overlooked:

- Goods may only be parted where no source of the plan has them whole. A b that holds whole what others give in part,
  a perhaps among them, would put an end to that parting, and the plan might cost more. Such a b cannot stand in for a.
- Where b is in the plan already it has to carry a's goods on top of its own, and freight that rises in steps may rise
  by more than a's shipment costs. So either that cannot be, or there must be as many sources that can stand in for a as
  a plan has shipments: one of them is then not in the plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import gt

from dom.sourcing.solver.fares import Fares
from dom.sourcing.solver.problem import SolverProblem


def useful(problem: SolverProblem, fares: Fares, places: Sequence[int]) -> list[int]:
    """The sources among `places` that a best plan may need, in their order."""
    comparison = _Comparison(problem, fares)
    ranked = sorted(places, key=lambda place: (problem.sources[place].tally.fixed, place))
    rivals: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for place in ranked:
        rivals.setdefault(comparison.lanes[place], []).append((problem.sources[place].whole, place))
    rivals_of: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    kept = []
    for place in ranked:
        source, lanes = problem.sources[place], comparison.lanes[place]
        if place in comparison.parting:
            kept.append(place)
            continue
        if (source.whole, lanes) not in rivals_of:
            parts = comparison.parted & ~source.whole
            rivals_of[source.whole, lanes] = [
                other for whole, other in rivals[lanes] if not source.whole & ~whole and not whole & parts
            ]
        if not comparison.is_dispensable(place, rivals_of[source.whole, lanes]):
            kept.append(place)
    return sorted(kept)


@dataclass(slots=True)
class _Comparison:
    problem: SolverProblem
    fares: Fares
    parted: int = field(init=False, default=0)
    """Bit i is set where somebody holds a part of item i."""
    parting: set[int] = field(init=False, default_factory=set)
    """Sources that hold a part of some item."""
    grams: int = field(init=False, default=0)
    mm3: int = field(init=False, default=0)
    lanes: tuple[tuple[int, ...], ...] = field(init=False)
    """By source: its lanes, whatever their lateness."""

    def __post_init__(self) -> None:
        items = self.problem.items
        self.grams = sum([item.units * item.grams for item in items])
        self.mm3 = sum([item.units * item.mm3 for item in items])
        for place, source in enumerate(self.problem.sources):
            for index, units in enumerate(source.stock):
                if 0 < units < items[index].units:
                    self.parted |= 1 << index
                    self.parting.add(place)
        known = {group: tuple([lane for lane, _ in group]) for group in set(self.fares.groups)}
        self.lanes = tuple([known[group] for group in self.fares.groups])

    def is_dispensable(self, place: int, candidates: Sequence[int]) -> bool:
        """Whether enough of the candidates, which come by fixed costs, can stand in for the source."""
        count = 0
        source = self.problem.sources[place]
        for other in candidates:
            if self.problem.sources[other].tally.fixed > source.tally.fixed:
                return False
            if other != place and self._stands_in(other, place):
                count += 1
                if count >= self.problem.maximum_shipments or self._could_carry_both(other, place):
                    return True
        return False

    def _stands_in(self, other: int, place: int) -> bool:
        """For one of which it holds all the other holds, and nothing that is parted anywhere."""
        ours, theirs = self.problem.sources[place], self.problem.sources[other]
        if any(map(gt, theirs.ties, ours.ties)):
            return False
        groups = self.fares.groups
        if groups[other] != groups[place] and any(
            new > old for (_, new), (_, old) in zip(groups[other], groups[place], strict=True)
        ):
            return False
        costs = zip(ours.stock, theirs.unit_costs, ours.unit_costs, strict=True)
        if any(map(gt, theirs.unit_costs, ours.unit_costs)) and any(units and new > old for units, new, old in costs):
            return False
        return other < place or (theirs.tally.fixed, theirs.ties) < (ours.tally.fixed, ours.ties)

    def _could_carry_both(self, other: int, place: int) -> bool:
        ours = self.problem.sources[place]
        rise = self.fares.freight(other, self.grams, self.mm3) - self.fares.freight(other, 0, 0)
        saved = ours.tally.fixed + self.fares.freight(place, 0, 0) + self.problem.split_penalty
        return rise <= saved and all(tie >= 0 for tie in ours.ties)
