"""The search for the best plan: which sources take part.

Every source alone is costed first. What the fewest pieces are that must be left out is settled next. Then sets of
two, three and more sources that leave out no more are built (`sets`) and worked out in the order of what they
cost at least (`assign`), until that passes the best plan found. The answer is exact unless a limit
(`SETS_AT_MOST`, `ITEMS_WEIGHED_AT_MOST`, `TRIALS_AT_MOST`) was met while something that might be better was left. In
that case, and where the best plan has a shipment that is too small, the question goes to `milp` as a whole,
with the best plan so far in hand.
"""

from dataclasses import dataclass, field
from operator import mul
from typing import Final

from dom.sourcing.solver.assign import Assignment
from dom.sourcing.solver.bounds import BoundPrices
from dom.sourcing.solver.dominance import useful
from dom.sourcing.solver.fares import Fares
from dom.sourcing.solver.floors import Floors, Members
from dom.sourcing.solver.problem import Share, SolverPlan, SolverProblem, has_minimums, is_large_enough, wanted_pieces
from dom.sourcing.solver.sets import SetBuilder, covering_set, shortage

ITEMS_WEIGHED_AT_MOST: Final = 4_000
"""Items times members of the sets worked out in full before the search gives up being exact; one set always is."""
TRIALS_AT_MOST: Final = 2_000
"""Partial assignments looked at, over all sets, before the search gives up being exact."""
TRIALS_A_SET: Final = 400
"""Of these, those spent on one set."""
_ANY_COST: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best plan, the best one seen with other sources that fills as much, and how far the search went.

    `alone` has each source giving all it holds of what is wanted, in the order of the problem's sources, whether or not
    the minimums let it. Where the search is not `exact`, no plan that fills as much costs less than the best by more
    than the share `gap` of the best plan's cost.
    """

    best: SolverPlan | None
    runner_up: SolverPlan | None
    exact: bool
    compared: int
    alone: tuple[SolverPlan, ...]
    gap: float = 0.0


def search(problem: SolverProblem) -> SearchResult:
    """The best plan under the rules of `dom.sourcing.solver.problem`; without sources there is none."""
    if not problem.sources:
        return SearchResult(None, None, exact=True, compared=0, alone=())
    fares = Fares(problem)
    wanted = wanted_pieces(problem)
    singles = tuple([_alone(problem, fares, place, wanted) for place in range(len(problem.sources))])
    hunt = _Hunt(problem, fares, singles)
    hunt.run()
    if hunt.exact and hunt.best is hunt.best_allowed:
        return SearchResult(hunt.best, hunt.comparable_runner_up(), exact=True, compared=hunt.compared, alone=singles)
    return _as_a_program(problem, hunt)


def _as_a_program(problem: SolverProblem, hunt: "_Hunt") -> SearchResult:
    from dom.sourcing.solver import milp  # it takes long to import, and most questions do without

    floor = hunt.floor()
    answer = milp.better(problem, hunt.best_allowed, milp.LIVE)
    if answer.plan is not None:
        hunt.note(answer.plan)
    best = hunt.best_allowed
    gap = 0.0
    if best is not None and not answer.proven:
        floors = [
            each for each, short in (floor, (answer.floor, answer.short)) if each is not None and short == best.short
        ]
        gap = min(1.0, max(0.0, 1 - max(floors) / best.cost)) if floors and best.cost > 0 else 1.0
    return SearchResult(best, hunt.comparable_runner_up(), answer.proven, hunt.compared, hunt.singles, gap)


def _alone(problem: SolverProblem, fares: Fares, place: int, wanted: int) -> SolverPlan:
    """`dom.sourcing.solver.problem.alone`, quickly: there are as many of these as there are nodes."""
    source = problem.sources[place]
    load = source.all_it_holds
    cost = source.tally.fixed + fares.freight(place, load.grams, load.mm3)
    cost += sum(map(mul, source.stock, source.unit_costs))
    return SolverPlan(wanted - load.units, cost, source.ties, 1, (source.node_id,), (Share(place, source.stock),))


@dataclass(slots=True)
class _Hunt:
    """The best plan so far, the sets that wait to be worked out, and what was left open."""

    problem: SolverProblem
    fares: Fares
    singles: tuple[SolverPlan, ...]
    best: SolverPlan | None = None
    best_allowed: SolverPlan | None = None
    """The best whose shipments are large enough."""
    runner_up: SolverPlan | None = None
    compared: int = 0
    minimums: bool = False
    floors: Floors = field(init=False)
    builder: SetBuilder = field(init=False)
    least_short: int = 0
    waiting: list[tuple[int, Members]] = field(default_factory=list)
    """Sets with what they cost at least."""
    record: int = _ANY_COST
    """The least that any set of the size looked at costs at least."""
    trials: int = TRIALS_AT_MOST
    items_weighed: int = 0
    left_open: list[int] = field(default_factory=list)
    """What the sets that were not worked out to the end cost at least."""

    def __post_init__(self) -> None:
        self.minimums = has_minimums(self.problem)
        self.least_short = wanted_pieces(self.problem)
        self.floors = Floors(self.problem, self.fares)
        self.builder = SetBuilder(self.problem, (), self._add)

    def run(self) -> None:
        """Alone, then together."""
        sources = self.problem.sources
        for source, plan in zip(sources, self.singles, strict=True):
            if any(source.stock) and (not source.alone_only or plan.short == 0):
                self.note(plan)
        places = [place for place, source in enumerate(sources) if any(source.stock) and not source.alone_only]
        largest = min(self.problem.maximum_shipments, len(places))
        if largest > 1 and (self.least_short or not self._all_sizes_are_out(largest)):
            self.builder.places = useful(self.problem, self.fares, places)
            for size in range(self._settle_shortage(largest), largest + 1):
                self._look_at(size)

    @property
    def exact(self) -> bool:
        """Whether nothing that was left open could be better."""
        left_open = min(self.left_open, default=_ANY_COST)
        return not self.builder.ran_out and (self.best is None or left_open >= self.best.cost)

    def floor(self) -> tuple[int | None, int]:
        """No plan that leaves out so many pieces costs less, minimums or not; None if that is not known."""
        if self.best is None or self.best.short > self.least_short or (self.builder.ran_out and self.least_short):
            return None, self.least_short
        if not self.builder.ran_out:
            return min([self.best.cost, *self.left_open]), self.least_short
        singles = [plan.cost for plan in self.singles if plan.short == 0]
        sizes = range(2, self.problem.maximum_shipments + 1)
        return min([self._floor_of_size(size)[0] for size in sizes] + singles), 0

    def note(self, plan: SolverPlan) -> None:
        """Compare a plan with the best."""
        self.compared += 1
        self.least_short = min(self.least_short, plan.short)
        if self.best is None or plan < self.best:
            self.best = plan
        if self.minimums and not is_large_enough(self.problem, plan):
            return
        best = self.best_allowed
        if best is None or plan < best:
            if best is not None and plan.node_ids != best.node_ids:
                self.runner_up = best
            self.best_allowed = plan
        elif plan.node_ids != best.node_ids and (self.runner_up is None or plan < self.runner_up):
            self.runner_up = plan

    def comparable_runner_up(self) -> SolverPlan | None:
        """The runner-up, if it fills as much as the best."""
        best, second = self.best_allowed, self.runner_up
        return second if best and second and second.short == best.short else None

    def _settle_shortage(self, largest: int) -> int:
        """Find out how few pieces have to be left out; answers the smallest size of a set that may be best."""
        if self.least_short == 0:
            return 2
        for size in range(2, largest + 1):
            if self._found_any(size, 0):
                return size
        greedy = covering_set(self.problem, self.builder.places, largest)
        if len(greedy) > 1:
            self._take_first(greedy, shortage(self.problem, greedy))
        while self._found_any(largest, self.least_short - 1):
            pass
        return 2

    def _found_any(self, size: int, budget: int) -> bool:
        """Look for one set that leaves out no more than so many pieces, and work it out."""
        if self.builder.ran_out:
            return False
        self.builder.taken = self._take_first
        self.builder.sets(size, self.floors.empty, None, budget)
        return self.builder.enough

    def _take_first(self, members: Members, short: int) -> None:
        self.builder.enough = True
        if short < self.least_short:
            self.least_short = short
            self._work_out(members)

    def _look_at(self, size: int) -> None:
        """Build the sets of a size that leave out no more than need be and might be better, and work them out."""
        best, short = self.best, self.least_short
        prices, bar = self.floors.empty, None
        if best is not None and best.short == short:
            if short == 0:
                floor, prices = self._floor_of_size(size)
                if floor > best.cost:
                    return
            bar = prices.room(best.cost - self.floors.besides(size, short))
        self.record = _ANY_COST
        self.builder.taken = self._add
        self.builder.sets(size, prices, bar, short)
        self._work_out_waiting()

    def _all_sizes_are_out(self, largest: int) -> bool:
        """Whether the best source alone, which fills everything, is cheaper than anything larger can be."""
        cost = self.best.cost if self.best else 0
        return all(self._floor_of_size(size)[0] > cost for size in range(2, largest + 1))

    def _floor_of_size(self, size: int) -> tuple[int, BoundPrices]:
        floor, prices = self.floors.of_size(size)
        if self.best is None or floor > self.best.cost or self.floors.ladder:
            return floor, prices
        self.floors.lay_out()
        return self.floors.of_size(size)

    def _add(self, members: Members, short: int) -> None:
        """Let a set wait; one that promises more than any before is worked out at once, for the sake of the bar."""
        if short > self.least_short:
            return
        enough = self.best.cost if self.best is not None and self.best.short == short else _ANY_COST
        floor = self.floors.of_set(members, short, enough)
        if floor > enough:
            return
        if floor >= self.record or self.items_weighed >= ITEMS_WEIGHED_AT_MOST:
            self.waiting.append((floor, members))
            return
        self.record = floor
        self._work_out(members)
        best, builder = self.best, self.builder
        if best is not None and best.short == short:
            room = builder.prices.room(best.cost - self.floors.besides(len(members), short))
            builder.bar = room if builder.bar is None else min(builder.bar, room)

    def _work_out_waiting(self) -> None:
        """Work out the waiting sets, most promising first, until none can beat the best plan."""
        self.waiting.sort()
        for floor, members in self.waiting:
            if self._is_beaten(floor, members):
                continue
            if self.items_weighed >= ITEMS_WEIGHED_AT_MOST and self.best and self.best.short == self.least_short:
                self.left_open.append(floor)
                break
            self._work_out(members)
        self.waiting.clear()

    def _is_beaten(self, floor: int, members: Members) -> bool:
        best = self.best
        if best is None or best.short > self.least_short or floor < best.cost:
            return False
        if floor > best.cost:
            return True
        ties = [sum(column) for column in zip(*[self.problem.sources[place].ties for place in members], strict=True)]
        return (tuple(ties), len(members), members) >= (
            best.ties,
            best.shipments,
            tuple([share.source for share in best.shares]),
        )

    def _work_out(self, members: Members) -> None:
        self.floors.lay_out()
        self.items_weighed += len(members) * len(self.problem.items)
        limit = self.best.cost if self.best and self.best.short == self.least_short else _ANY_COST
        assignment = Assignment(self.problem, members, self.floors, limit, min(self.trials, TRIALS_A_SET))
        allowed = assignment.trials
        answer = assignment.answer()
        self.trials -= allowed - assignment.trials
        self.left_open.append(answer.floor)
        if answer.plan is not None:
            self.note(answer.plan)
        else:
            self.compared += 1
