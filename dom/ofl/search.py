"""The search for the best plan: which sources take part.

Every source alone is costed first. Larger sets are then ruled out in bulk, by what they fill and by what they cost at
least; what is left is worked out in the order of that bound by `dom.ofl.assign`, until the bound passes the best plan
found. The answer is exact unless a limit (`SETS_AT_MOST`, `ITEMS_WEIGHED_AT_MOST`, `TRIALS_AT_MOST`) was met while
something that might be cheaper, or fill more, was left.
"""

from dataclasses import dataclass, field
from typing import Final

from dom.ofl.assign import Assignment
from dom.ofl.problem import Plan, Problem, alone
from dom.ofl.sets import Floors, Members, SetBuilder, covering_set, shortage

ITEMS_WEIGHED_AT_MOST: Final = 600
"""Items times members of the sets worked out in full before the search gives up being exact; one set always is."""
TRIALS_AT_MOST: Final = 200
"""Partial assignments looked at, over all sets, before the search gives up being exact."""
TRIALS_A_SET: Final = 100
"""Of these, those spent on one set."""
_ANY_COST: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan, the best one seen with other sources that fills as much, and how far the search went.

    `alone` has each source giving all it holds of what is wanted, in the order of the problem's sources.
    """

    best: Plan | None
    runner_up: Plan | None
    exact: bool
    compared: int
    alone: tuple[Plan, ...]


def search(problem: Problem) -> Found:
    """The best plan under the rules of `dom.ofl.problem`; without sources there is none."""
    if not problem.sources:
        return Found(None, None, exact=True, compared=0, alone=())
    singles = tuple([alone(problem, index) for index in range(len(problem.sources))])
    hunt = _Hunt(problem, singles[0])
    for plan in singles:
        hunt.note(plan)
    largest = min(problem.maximum_shipments, len(problem.sources))
    if hunt.best.short and largest > 1:
        hunt.add(covering_set(problem))
    for size in range(2, largest + 1):
        hunt.gather(size)
        if hunt.least_short == 0 or size == largest:
            hunt.work_out()
    return Found(hunt.best, hunt.comparable_runner_up(), hunt.exact, hunt.compared, singles)


@dataclass(slots=True)
class _Hunt:
    """The best plan so far, the sets that wait to be worked out, and what was left open."""

    problem: Problem
    best: Plan
    runner_up: Plan | None = None
    compared: int = 0
    least_short: int = field(init=False)
    waiting: set[Members] = field(default_factory=set)
    floors: Floors = field(init=False)
    builder: SetBuilder = field(init=False)
    trials: int = TRIALS_AT_MOST
    items_weighed: int = 0
    left_open: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.least_short = self.best.short
        self.floors = Floors(self.problem)
        self.builder = SetBuilder(self.problem)

    @property
    def exact(self) -> bool:
        """Whether nothing that was left open could be better."""
        return not self.builder.ran_out and all(floor >= self.best.cost for floor in self.left_open)

    def note(self, plan: Plan) -> None:
        """Compare a plan with the best."""
        self.compared += 1
        self.least_short = min(self.least_short, plan.short)
        if plan < self.best:
            if plan.node_ids != self.best.node_ids:
                self.runner_up = self.best
            self.best = plan
        elif plan.node_ids != self.best.node_ids and (self.runner_up is None or plan < self.runner_up):
            self.runner_up = plan

    def comparable_runner_up(self) -> Plan | None:
        """The runner-up, if it fills as much as the best."""
        return self.runner_up if self.runner_up and self.runner_up.short == self.best.short else None

    def gather(self, size: int) -> None:
        """Find the sets of a size that fill as much as any and might be cheaper than the best plan."""
        complete = self.best.short == 0
        if complete and self._size_is_out(size):
            return
        self.floors.lay_out()
        if complete and self._size_is_out(size):
            return
        _, prices = self.floors.of_size(size)
        bar = prices.room(self.best.cost - self.floors.besides(size, 0)) if complete else None
        for members in self.builder.sets(size, prices, bar, self.problem.units - self.least_short):
            self.add(members)

    def add(self, members: Members) -> None:
        """Let a set wait if it fills as much as any."""
        short = shortage(self.problem, members, self.least_short)
        if short > self.least_short or len(members) < 2:  # noqa: PLR2004
            return
        if short < self.least_short:
            self.least_short = short
            self.waiting.clear()
        self.waiting.add(members)

    def work_out(self) -> None:
        """Work out the waiting sets, most promising first, until none can beat the best plan."""
        ranked = sorted(
            [(self.floors.of_set(members, self.least_short), len(members), members) for members in self.waiting]
        )
        self.waiting.clear()
        for floor, size, members in ranked:
            if self.best.short == self.least_short and (floor, size) > (self.best.cost, self.best.shipments):
                return
            if self.items_weighed >= ITEMS_WEIGHED_AT_MOST:
                self.left_open.append(floor)
                return
            self.items_weighed += size * len(self.problem.items)
            self._work_out(members)

    def _work_out(self, members: Members) -> None:
        self.floors.lay_out()
        limit = self.best.cost if self.best.short == self.least_short else _ANY_COST
        assignment = Assignment(self.problem, members, self.floors, limit, min(self.trials, TRIALS_A_SET))
        allowed = assignment.trials
        answer = assignment.answer()
        self.trials -= allowed - assignment.trials
        self.left_open.append(answer.floor)
        if answer.plan is not None:
            self.note(answer.plan)
        else:
            self.compared += 1

    def _size_is_out(self, size: int) -> bool:
        floor, _ = self.floors.of_size(size)
        return (floor, size) > (self.best.cost, self.best.shipments)
