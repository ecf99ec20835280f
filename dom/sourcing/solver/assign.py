"""Who gives what, once it is known which sources take part.

Items that can come from one source only are given to it. For the rest (the choices) the bound of `bounds` is
compared with a greedy answer improved by single moves; where the two differ, branch and bound decides, over the real
freight with its weight breaks, as long as there are trials left.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dom.sourcing.solver.bounds import Measure
from dom.sourcing.solver.fares import Fares
from dom.sourcing.solver.floors import Floors
from dom.sourcing.solver.problem import Item, Share, SolverPlan, SolverProblem, plan_of
from dom.sourcing.solver.ways import Split, ways_to_give


class Choice(NamedTuple):
    """An item that the set can give in several ways, and what its units cost each way."""

    item: int
    ways: tuple[Split, ...]
    costs: dict[Split, int]


@dataclass(slots=True)
class Loads:
    """What each member of a set has to carry so far, and what it costs."""

    indices: tuple[int, ...]
    fares: Fares
    fixed: int
    """What the members cost whatever they carry."""
    grams: list[int]
    mm3: list[int]
    units_cost: int = 0
    """What the units given so far cost besides freight."""

    def add(self, item: Item, way: Split, cost: int) -> None:
        """Give an item this way, at a cost of its units."""
        for place, count in way:
            self.grams[place] += count * item.grams
            self.mm3[place] += count * item.mm3
        self.units_cost += cost

    def take_back(self, item: Item, way: Split, cost: int) -> None:
        """Undo `add`."""
        for place, count in way:
            self.grams[place] -= count * item.grams
            self.mm3[place] -= count * item.mm3
        self.units_cost -= cost

    def cost(self) -> int:
        """What the shipments of all members cost, without split penalty."""
        cost = self.fixed + self.units_cost
        for index, grams, mm3 in zip(self.indices, self.grams, self.mm3, strict=True):
            cost += self.fares.freight(index, grams, mm3)
        return cost

    def difference(self, item: Item, way: Split, other: Split) -> int:
        """The freight it would cost more to give an item the other way."""
        changes = {place: -count for place, count in way}
        for place, count in other:
            changes[place] = changes.get(place, 0) + count
        more = 0
        for place, change in changes.items():
            index, grams, mm3 = self.indices[place], self.grams[place], self.mm3[place]
            more += self.fares.freight(index, grams + change * item.grams, mm3 + change * item.mm3)
            more -= self.fares.freight(index, grams, mm3)
        return more


@dataclass(frozen=True, slots=True)
class BestAssignment:
    """The best plan found for a set (None if every plan costs more than the limit, or leaves a member idle).

    No plan of the set that uses all its members costs less than `floor`.
    """

    plan: SolverPlan | None
    floor: int


@dataclass(slots=True)
class Assignment:
    """A set of sources and what they could give, being worked out."""

    problem: SolverProblem
    indices: tuple[int, ...]
    floors: Floors
    limit: int
    """Plans that cost more are of no interest; minor units, split penalty included."""
    trials: int
    """Partial assignments that may still be looked at."""
    loads: Loads = field(init=False)
    settled: list[tuple[int, Split]] = field(init=False, default_factory=list)
    choices: list[Choice] = field(init=False, default_factory=list)
    total: int = field(init=False, default=0)
    least_units_cost: list[int] = field(init=False, default_factory=list)
    """The units of the choices from a position on cost no less."""
    ways_left_out: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        members = [self.problem.sources[index] for index in self.indices]
        fixed = sum([member.tally.fixed for member in members])
        self.loads = Loads(self.indices, self.floors.fares, fixed, [0] * len(members), [0] * len(members))
        for index, item in enumerate(self.problem.items):
            if not item.units:
                continue
            ways, complete = ways_to_give(item.units, [member.stock[index] for member in members])
            self.ways_left_out |= not complete
            self.total += self.floors.measure.of(item) * sum([count for _, count in ways[0]])
            each = [member.unit_costs[index] for member in members]
            costs = {way: sum([each[place] * count for place, count in way]) for way in ways}
            if len(ways) == 1:
                self.settled.append((index, ways[0]))
                self.loads.add(item, ways[0], costs[ways[0]])
            else:
                self.choices.append(Choice(index, ways, costs))
        self.choices.sort(key=self._size, reverse=True)
        self.least_units_cost = [0]
        for choice in reversed(self.choices):
            self.least_units_cost.append(self.least_units_cost[-1] + min(choice.costs.values()))
        self.least_units_cost.reverse()

    def answer(self) -> BestAssignment:
        """The best way to part the items among the set's sources."""
        floor = self.floor(0)
        if floor > self.limit and not self.ways_left_out:
            return BestAssignment(None, floor)
        chosen, cost = self._improved(self._greedy())
        proven = True
        if cost > floor and self.choices:
            search = _Branching(self, chosen, cost, floor)
            proven = search.run()
            chosen, cost = search.best, search.cost
        if self.ways_left_out:
            floor = 0
        elif proven:
            floor = min(cost, self.limit + 1)
        return BestAssignment(self._plan(chosen), floor)

    def floor(self, decided: int) -> int:
        """No way to give the choices from `decided` on costs less, whatever the loads hold already."""
        loads = self.loads
        sizes = loads.grams if self.floors.measure is Measure.WEIGHT else loads.mm3
        freight = self.floors.of_loads(self.indices, sizes, self.total)
        return self.penalty + freight + loads.units_cost + self.least_units_cost[decided]

    @property
    def penalty(self) -> int:
        """The split penalty of the whole plan."""
        return self.problem.split_penalty * (len(self.indices) - 1)

    def _item(self, choice: Choice) -> Item:
        return self.problem.items[choice.item]

    def _size(self, choice: Choice) -> int:
        item = self._item(choice)
        return item.units * self.floors.measure.of(item)

    def _greedy(self) -> list[Split]:
        """Everything that can come from one member does; the member with which that costs least."""
        attempts = [self._favouring(place) for place in range(len(self.indices))]
        return min(attempts, key=self._cost_of)

    def _favouring(self, place: int) -> list[Split]:
        return [max(choice.ways, key=lambda way: dict(way).get(place, 0)) for choice in self.choices]

    def _cost_of(self, chosen: Sequence[Split]) -> int:
        self._add(chosen)
        cost = self.loads.cost() + self.penalty
        self._take_back(chosen)
        return cost

    def _add(self, chosen: Iterable[Split]) -> None:
        for choice, way in zip(self.choices, chosen, strict=True):
            self.loads.add(self._item(choice), way, choice.costs[way])

    def _take_back(self, chosen: Iterable[Split]) -> None:
        for choice, way in zip(self.choices, chosen, strict=True):
            self.loads.take_back(self._item(choice), way, choice.costs[way])

    def _improved(self, chosen: list[Split]) -> tuple[list[Split], int]:
        """Give one item another way as long as that makes the plan cheaper; the loads stay as they were."""
        self._add(chosen)
        loads, moved = self.loads, True
        while moved:
            moved = False
            for position, choice in enumerate(self.choices):
                item = self._item(choice)
                for way in choice.ways:
                    old = chosen[position]
                    if way == old:
                        continue
                    if loads.difference(item, old, way) + choice.costs[way] - choice.costs[old] < 0:
                        loads.take_back(item, old, choice.costs[old])
                        loads.add(item, way, choice.costs[way])
                        chosen[position], moved = way, True
        cost = loads.cost() + self.penalty
        self._take_back(chosen)
        return chosen, cost

    def _plan(self, chosen: Sequence[Split]) -> SolverPlan | None:
        given = [[0] * len(self.problem.items) for _ in self.indices]
        ways = [*self.settled, *((choice.item, way) for choice, way in zip(self.choices, chosen, strict=True))]
        for item, way in ways:
            for place, count in way:
                given[place][item] += count
        if not all(any(units) for units in given):
            return None
        return plan_of(
            self.problem, [Share(index, tuple(units)) for index, units in zip(self.indices, given, strict=True)]
        )


@dataclass(slots=True)
class _Branching:
    """Depth-first branch and bound over the choices of one assignment."""

    work: Assignment
    best: list[Split]
    cost: int
    floor: int
    path: list[Split] = field(default_factory=list)

    def run(self) -> bool:
        """Look at every way that could be cheaper; False if the trials ran out before that."""
        self._descend()
        return self.work.trials > 0 or self.cost <= self.floor

    def _descend(self) -> None:
        work, depth = self.work, len(self.path)
        if depth == len(work.choices):
            self.cost, self.best = work.loads.cost() + work.penalty, list(self.path)
            return
        choice = work.choices[depth]
        item = work.problem.items[choice.item]
        for way in self._cheapest_first(choice):
            if work.trials <= 0 or self.cost <= self.floor:
                return
            work.trials -= 1
            work.loads.add(item, way, choice.costs[way])
            self.path.append(way)
            if self._promises(depth + 1):
                self._descend()
            self.path.pop()
            work.loads.take_back(item, way, choice.costs[way])

    def _promises(self, decided: int) -> bool:
        bar = min(self.cost - 1, self.work.limit)
        real = self.work.loads.cost() + self.work.penalty + self.work.least_units_cost[decided]
        return real <= bar and self.work.floor(decided) <= bar

    def _cheapest_first(self, choice: Choice) -> Iterator[Split]:
        item, loads = self.work.problem.items[choice.item], self.work.loads

        def cost(way: Split) -> int:
            loads.add(item, way, choice.costs[way])
            value = loads.cost()
            loads.take_back(item, way, choice.costs[way])
            return value

        return iter(sorted(choice.ways, key=cost))
