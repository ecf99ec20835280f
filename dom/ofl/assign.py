"""Who gives what, once it is known which sources take part.

Items that can come from one source only are given to it. For the rest (the choices) the bound of `dom.ofl.bounds` is
compared with a greedy answer improved by single moves; where the two differ, branch and bound decides, over the real
freight with its weight breaks, as long as there are trials left.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dom.ofl.bounds import Measure
from dom.ofl.problem import Item, Plan, Problem, Share, Source, plan_of
from dom.ofl.sets import Floors
from dom.ofl.ways import Split, ways_to_give

NOTHING: Final = Item("", 0, 0, 0)


class Choice(NamedTuple):
    """An item that the set can give in several ways."""

    item: int
    ways: tuple[Split, ...]


@dataclass(slots=True)
class Loads:
    """What each member of a set has to carry so far, and what it costs."""

    members: tuple[Source, ...]
    units: list[int]
    grams: list[int]
    mm3: list[int]

    def add(self, item: Item, way: Split, sign: int = 1) -> None:
        """Give an item this way; a negative sign takes it back."""
        for place, count in way:
            self.units[place] += sign * count
            self.grams[place] += sign * count * item.grams
            self.mm3[place] += sign * count * item.mm3

    def cost(self) -> int:
        """What the shipments of all members cost, without split penalty."""
        return sum([self._cost_at(place) for place in range(len(self.members))])

    def difference(self, item: Item, way: Split, other: Split) -> int:
        """What it would cost more to give an item the other way."""
        changes = {place: -count for place, count in way}
        for place, count in other:
            changes[place] = changes.get(place, 0) + count
        return sum([self._cost_at(place, item, change) - self._cost_at(place) for place, change in changes.items()])

    def _cost_at(self, place: int, item: Item = NOTHING, change: int = 0) -> int:
        return self.members[place].tally.total(
            self.units[place] + change,
            self.grams[place] + change * item.grams,
            self.mm3[place] + change * item.mm3,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The best plan found for a set (None if every plan costs more than the limit, or leaves a member idle).

    No plan of the set that uses all its members costs less than `floor`.
    """

    plan: Plan | None
    floor: int


@dataclass(slots=True)
class Assignment:
    """A set of sources and what they could give, being worked out."""

    problem: Problem
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
    least_handling: list[int] = field(init=False, default_factory=list)
    """Handling of the choices from a position on costs no less."""
    ways_left_out: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        members = tuple(self.problem.sources[index] for index in self.indices)
        size = len(members)
        self.loads = Loads(members, [0] * size, [0] * size, [0] * size)
        for index, item in enumerate(self.problem.items):
            ways, complete = ways_to_give(item.units, [member.stock[index] for member in members])
            self.ways_left_out |= not complete
            self.total += self.floors.measure.of(item) * sum([count for _, count in ways[0]])
            if len(ways) == 1:
                self.settled.append((index, ways[0]))
                self.loads.add(item, ways[0])
            else:
                self.choices.append(Choice(index, ways))
        self.choices.sort(key=self._size, reverse=True)
        self.least_handling = self._handling_from_each_on([member.tally.handling_per_unit for member in members])

    def answer(self) -> Answer:
        """The best way to part the items among the set's sources."""
        floor = self.floor(0)
        if floor > self.limit and not self.ways_left_out:
            return Answer(None, floor)
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
        return Answer(self._plan(chosen), floor)

    def floor(self, decided: int) -> int:
        """No way to give the choices from `decided` on costs less, whatever the loads hold already."""
        loads = self.loads
        sizes = loads.grams if self.floors.measure is Measure.WEIGHT else loads.mm3
        cost = self.penalty + self.floors.of_loads(self.indices, sizes, self.total) + self.least_handling[decided]
        for place, member in enumerate(loads.members):
            cost += member.tally.handling_per_unit * loads.units[place]
        return cost

    @property
    def penalty(self) -> int:
        """The split penalty of the whole plan."""
        return self.problem.split_penalty * (len(self.indices) - 1)

    def _handling_from_each_on(self, per_unit: Sequence[int]) -> list[int]:
        found = [0]
        for choice in reversed(self.choices):
            least = min([sum([per_unit[place] * count for place, count in way]) for way in choice.ways])
            found.append(found[-1] + least)
        return found[::-1]

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
        self._add(chosen, -1)
        return cost

    def _add(self, chosen: Iterable[Split], sign: int = 1) -> None:
        for choice, way in zip(self.choices, chosen, strict=False):
            self.loads.add(self._item(choice), way, sign)

    def _improved(self, chosen: list[Split]) -> tuple[list[Split], int]:
        """Give one item another way as long as that makes the plan cheaper; the loads stay as they were."""
        self._add(chosen)
        moved = True
        while moved:
            moved = False
            for position, choice in enumerate(self.choices):
                item = self._item(choice)
                for way in choice.ways:
                    if way != chosen[position] and self.loads.difference(item, chosen[position], way) < 0:
                        self.loads.add(item, chosen[position], -1)
                        self.loads.add(item, way)
                        chosen[position], moved = way, True
        cost = self.loads.cost() + self.penalty
        self._add(chosen, -1)
        return chosen, cost

    def _plan(self, chosen: Sequence[Split]) -> Plan | None:
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
        item = work.problem.items[work.choices[depth].item]
        for way in self._cheapest_first(work.choices[depth]):
            if work.trials <= 0 or self.cost <= self.floor:
                return
            work.trials -= 1
            work.loads.add(item, way)
            self.path.append(way)
            if self._promises(depth + 1):
                self._descend()
            self.path.pop()
            work.loads.add(item, way, -1)

    def _promises(self, decided: int) -> bool:
        bar = min(self.cost - 1, self.work.limit)
        real = self.work.loads.cost() + self.work.penalty + self.work.least_handling[decided]
        return real <= bar and self.work.floor(decided) <= bar

    def _cheapest_first(self, choice: Choice) -> Iterator[Split]:
        item, loads = self.work.problem.items[choice.item], self.work.loads

        def cost(way: Split) -> int:
            loads.add(item, way)
            value = loads.cost()
            loads.add(item, way, -1)
            return value

        return iter(sorted(choice.ways, key=cost))
