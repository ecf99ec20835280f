"""The sourcing question as a mixed-integer program, answered by HiGHS: for what is too big to enumerate.

The program says what `problem` says, of plans with two shipments and more (those with one are few enough to be
looked at one by one). Its variables, of a source s, an item i and a step k of the freight from s:

- used[s], step[s, k]: s ships, at the price of that step; exactly one step of a source that ships.
- whole[i, s]: all of i comes from s, which holds it whole.
- emptied[i, s], opened[i, s], some[i, s]: s gives all it holds of i, or `some` of it.
- parted[i]: nobody in the plan holds i whole. Only then may it be emptied anywhere, and opened at one place.
- short[i]: units left out.

A step is a weight break of some carrier, of the last of several parcels: its price, and the most grams and mm3 for it.
What is asked for comes in turn (lexicographic): first the fewest pieces left out, then the least cost at that.

HiGHS (https://highs.dev; Huangfu and Hall, "Parallelizing the dual revised simplex method", Mathematical Programming
Computation 10, 2018) runs on one thread with a fixed seed. The planner runs inside an event loop that waits meanwhile,
so its questions end early: after so many of the points at which HiGHS asks whether to go on, which come in the same
place however fast the machine is. The limit in seconds is a safety net behind that. Where it is met, what was found is
thrown away: the same question has the same answer on a slow machine, or the search's own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import highspy
import numpy as np

from dom.sourcing.costs import Load, Offer
from dom.sourcing.solver.bounds import Measure, goods_up_to
from dom.sourcing.solver.problem import (
    Item,
    Share,
    SolverPlan,
    SolverProblem,
    Source,
    alone,
    is_large_enough,
    plan_of,
    wanted_pieces,
)

SECONDS: Final = 0.25
"""How long the planner may hold up the event loop for one question at the very most."""
WORK: Final = 8_000
"""Points at which HiGHS asks whether to go on, times columns, after which the planner says no. About 0.1 seconds."""
COLUMNS_AT_MOST: Final = 3_000
"""A larger program is not begun within the planner's time."""
_ROOM: Final = 0.5
"""Added to limits in whole grams, so that the tolerance of floating point does not matter."""
_CM3: Final = 1000


@dataclass(frozen=True, slots=True)
class Effort:
    """How far to go; without limits of work and columns, until the time is up."""

    seconds: float
    work: int | None = None
    columns: int = 2**31 - 1


LIVE: Final = Effort(SECONDS, WORK, COLUMNS_AT_MOST)


@dataclass(frozen=True, slots=True)
class MilpSolution:
    """A plan better than the one in hand, None if none was found; and whether nothing is better than the two.

    No plan of two shipments and more that leaves out no more than `short` pieces costs less than `floor`, where that is
    known.
    """

    plan: SolverPlan | None
    proven: bool
    short: int = 0
    floor: int | None = None


def solve_exactly(
    problem: SolverProblem, seconds: float, known: SolverPlan | None = None
) -> tuple[SolverPlan | None, bool]:
    """The best plan, ties apart, and whether that is proven; without any of the search's own reasoning.

    With a plan that is known already only better ones are looked for, which takes much less time to rule out.
    """
    best = known
    for place, source in enumerate(problem.sources):
        plan = alone(problem, place)
        if not any(source.stock) or (source.alone_only and plan.short) or not is_large_enough(problem, plan):
            continue
        if best is None or plan < best:
            best = plan
    answer = better(problem, best, Effort(seconds))
    return answer.plan or best, answer.proven


def better(problem: SolverProblem, best: SolverPlan | None, effort: Effort) -> MilpSolution:
    """A plan of two shipments and more that is better than the best so far."""
    program = _Program(problem)
    if len(program.sources) < 2 or problem.maximum_shipments < 2:  # noqa: PLR2004
        return MilpSolution(None, proven=True)
    program.write()
    if program.columns > effort.columns:
        return MilpSolution(None, proven=False)
    return program.answer(best, effort)


class SolverStep(NamedTuple):
    """Freight of one price: the most grams and mm3 that are moved for it."""

    price: int
    grams: int
    mm3: int


def steps_of(offers: Iterable[Offer], most: Load) -> list[SolverStep]:
    """The prices at which loads up to `most` can be moved, cheapest first; none that a cheaper one makes needless."""
    found: set[SolverStep] = set()
    for offer in offers:
        found.update(_steps(offer, most))
    kept: list[SolverStep] = []
    for step in sorted(found, key=lambda step: (step.price, -step.grams, -step.mm3)):
        if not any(other.grams >= step.grams and other.mm3 >= step.mm3 for other in kept):
            kept.append(step)
    return kept or [SolverStep(0, most.grams, most.mm3)]


def _steps(offer: Offer, most: Load) -> Iterable[SolverStep]:
    rate, full = offer.lane.rate, 0
    while True:
        for limit in (*[limit for limit in rate.limits if limit < rate.max_parcel_grams], rate.max_parcel_grams):
            grams = goods_up_to(offer.lane, Measure.WEIGHT, full + limit)
            mm3 = goods_up_to(offer.lane, Measure.VOLUME, full + limit)
            if grams < 0 or mm3 < 0:
                continue
            yield SolverStep(offer.cost(grams, 0), min(grams, most.grams), min(mm3, most.mm3))
            if grams >= most.grams and mm3 >= most.mm3:
                return
        full += rate.max_parcel_grams


@dataclass(slots=True)
class _Program:
    """The columns and rows, being written down."""

    problem: SolverProblem
    sources: list[int] = field(init=False)
    costs: list[float] = field(default_factory=list)
    uppers: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    used: dict[int, int] = field(default_factory=dict)
    gives: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    """By source: (column, item, units that one of the column gives)."""
    short: list[int] = field(default_factory=list)
    out_of_time: bool = False

    def __post_init__(self) -> None:
        self.sources = [
            place for place, source in enumerate(self.problem.sources) if any(source.stock) and not source.alone_only
        ]

    @property
    def columns(self) -> int:
        """How many variables there are."""
        return len(self.costs)

    def write(self) -> None:
        """Write the whole program."""
        problem = self.problem
        parted = [self._column(0) for _ in problem.items]
        self.short = [self._column(0, item.units) for item in problem.items]
        for place in self.sources:
            source = problem.sources[place]
            self.used[place] = self._column(source.tally.fixed + problem.split_penalty)
            self.gives[place] = []
        for index, item in enumerate(problem.items):
            self._part(index, item, parted[index])
        known: dict[tuple[tuple[int, int], ...], list[SolverStep]] = {}
        for place in self.sources:
            source = problem.sources[place]
            key = tuple([(id(offer.lane), offer.lateness) for offer in source.tally.offers])
            if key not in known:
                units = [item.units for item in problem.items]
                known[key] = steps_of(source.tally.offers, _weighed(units, problem.items))
            self._carry(place, source, known[key])
            self._be_large_enough(place, source)
        count = [(column, 1.0) for column in self.used.values()]
        self._row(count, 2, problem.maximum_shipments)

    def _part(self, index: int, item: Item, parted: int) -> None:
        """Who gives how much of an item."""
        total = [(self.short[index], 1.0)]
        wholes, opened = [], []
        for place in self.sources:
            source = self.problem.sources[place]
            held, each, used = source.stock[index], source.unit_costs[index], self.used[place]
            if not held:
                continue
            if held == item.units:
                column = self._give(place, index, held, each)
                wholes.append(column)
                total.append((column, held))
                self._row([(parted, 1), (used, 1)], -np.inf, 1)
                self._row([(column, 1), (used, -1)], -np.inf, 0)
                continue
            emptied = self._give(place, index, held, each)
            total.append((emptied, held))
            either = [(emptied, 1.0), (used, -1.0)]
            self._row([(emptied, 1), (parted, -1)], -np.inf, 0)
            if held > 1:
                some = self._give(place, index, 1, each, held - 1)
                is_opened = self._column(0)
                opened.append(is_opened)
                total.append((some, 1))
                either.append((is_opened, 1))
                self._row([(some, 1), (is_opened, 1 - held)], -np.inf, 0)
                self._row([(is_opened, 1), (some, -1)], -np.inf, 0)
            self._row(either, -np.inf, 0)
        self._row(total, item.units, item.units)
        self._row([(parted, 1), *[(column, 1.0) for column in wholes]], 0, 1)
        if opened:
            self._row([*[(column, 1.0) for column in opened], (parted, -1)], -np.inf, 0)

    def _give(self, place: int, index: int, units: int, each: int, upper: int = 1) -> int:
        column = self._column(units * each, upper)
        self.gives[place].append((column, index, units))
        return column

    def _carry(self, place: int, source: Source, steps: list[SolverStep]) -> None:
        """One step for a source that ships, which takes all it gives."""
        items, load = self.problem.items, source.all_it_holds
        reach = next(i for i, step in enumerate(steps) if step.grams >= load.grams and step.mm3 >= load.mm3)
        steps = steps[: reach + 1]
        columns = [self._column(step.price) for step in steps]
        self._row([*[(column, 1.0) for column in columns], (self.used[place], -1)], 0, 0)
        gives = self.gives[place]
        if any(step.grams < load.grams for step in steps):
            limits = [(column, -step.grams - _ROOM) for column, step in zip(columns, steps, strict=True)]
            self._row([*limits, *[(c, float(n * items[i].grams)) for c, i, n in gives]], -np.inf, 0)
        if any(step.mm3 < load.mm3 for step in steps):
            room = [(column, -(step.mm3 + _ROOM) / _CM3) for column, step in zip(columns, steps, strict=True)]
            self._row([*room, *[(c, n * items[i].mm3 / _CM3) for c, i, n in gives]], -np.inf, 0)
        self._row([*[(c, 1.0) for c, _, _ in gives], (self.used[place], -1)], 0, np.inf)
        for column, index, units in gives:
            item = items[index]
            able = [
                (c, -1.0)
                for c, step in zip(columns, steps, strict=True)
                if step.grams >= units * item.grams and step.mm3 >= units * item.mm3
            ]
            if len(able) < len(columns) and self.uppers[column] == 1:
                self._row([(column, 1), *able], -np.inf, 0)

    def _be_large_enough(self, place: int, source: Source) -> None:
        items, used = self.problem.items, self.used[place]
        value = max(source.minimum_value, self.problem.minimum_value)
        if value:
            self._row([*[(c, float(n * items[i].value)) for c, i, n in self.gives[place]], (used, -value)], 0, np.inf)
        pieces = self.problem.minimum_units
        if pieces:
            self._row([*[(c, float(n * items[i].pieces)) for c, i, n in self.gives[place]], (used, -pieces)], 0, np.inf)

    def answer(self, best: SolverPlan | None, effort: Effort) -> MilpSolution:
        """First the fewest pieces left out, then the least cost."""
        pieces = np.zeros(self.columns)
        pieces[self.short] = [item.pieces for item in self.problem.items]
        solver = self._solver(effort)
        fewest, proven, spent = 0, True, 0.0
        found: SolverPlan | None = None
        if best is None or best.short:
            solver.changeColsCost(self.columns, np.arange(self.columns, dtype=np.int32), pieces)
            found, bound, proven = self._run(solver, 0)
            spent = solver.getRunTime()
            if proven and found is None:
                return MilpSolution(None, proven=True)
            fewest = min([plan.short for plan in (found, best) if plan], default=wanted_pieces(self.problem))
            proven = proven or (bound is not None and bound >= fewest)
            solver.changeColsCost(self.columns, np.arange(self.columns, dtype=np.int32), np.array(self.costs))
            solver.setOptionValue("time_limit", max(0.01, effort.seconds - spent))
        columns = np.array(self.short, dtype=np.int32)
        solver.addRow(-np.inf, fewest + 0.01, len(columns), columns, pieces[self.short])
        incumbent = min([plan for plan in (found, best) if plan and plan.short == fewest], default=None)
        penalty = self.problem.split_penalty
        if incumbent is not None:
            solver.setOptionValue("objective_bound", incumbent.cost + penalty - _ROOM)
        cheaper, floor, ended = self._run(solver, penalty)
        if self.out_of_time and effort.work is not None:
            return MilpSolution(None, proven=False)
        candidates = [plan for plan in (found, cheaper) if plan and (best is None or plan < best)]
        return MilpSolution(min(candidates, default=None), proven and ended, fewest, floor)

    def _run(self, solver: Any, too_much: int) -> tuple[SolverPlan | None, int | None, bool]:
        """The best plan found, what none can be better than, and whether that is settled.

        The objective has `too_much` in it for every plan.
        """
        solver.run()
        status, info = solver.getModelStatus(), solver.getInfo()
        self.out_of_time |= status == highspy.HighsModelStatus.kTimeLimit
        settled = status in (
            highspy.HighsModelStatus.kOptimal,
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kObjectiveBound,
        )
        bound = None
        if np.isfinite(info.mip_dual_bound):
            bound = int(np.ceil(info.mip_dual_bound - 1e-6)) - too_much
        plan = None
        if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
            plan = self._read(np.rint(np.asarray(solver.getSolution().col_value)))
        return plan, bound, settled

    def _read(self, values: Any) -> SolverPlan:
        shares = []
        for place in self.sources:
            if values[self.used[place]]:
                units = [0] * len(self.problem.items)
                for column, index, each in self.gives[place]:
                    units[index] += int(values[column]) * each
                shares.append(Share(place, tuple(units)))
        return plan_of(self.problem, shares)

    def _solver(self, effort: Effort) -> Any:
        make_solver: Any = highspy.Highs  # it has no annotations
        solver = make_solver()
        for option, value in {
            "output_flag": False,
            "threads": 1,
            "random_seed": 1,
            "time_limit": effort.seconds,
            "presolve": "off",  # takes longer than it saves once a good plan is in hand
            "mip_detect_symmetry": False,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": 0.99,
        }.items():
            solver.setOptionValue(option, value)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = self.columns, len(self.least)
        program.col_cost_ = np.array(self.costs, dtype=np.double)
        program.col_lower_ = np.zeros(self.columns)
        program.col_upper_ = np.array(self.uppers, dtype=np.double)
        program.row_lower_ = np.array(self.least, dtype=np.double)
        program.row_upper_ = np.array(self.most, dtype=np.double)
        program.integrality_ = [highspy.HighsVarType.kInteger] * self.columns
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.array([*self.starts, len(self.indices)], dtype=np.int32)
        program.a_matrix_.index_ = np.array(self.indices, dtype=np.int32)
        program.a_matrix_.value_ = np.array(self.factors, dtype=np.double)
        solver.passModel(program)
        if effort.work is not None:
            solver.cbMipInterrupt.subscribe(_until(max(2, effort.work // self.columns)))
        return solver

    def _column(self, cost: int, upper: int = 1) -> int:
        self.costs.append(cost)
        self.uppers.append(upper)
        return len(self.costs) - 1

    def _row(self, entries: Iterable[tuple[int, float]], least: float, most: float) -> None:
        self.starts.append(len(self.indices))
        for column, factor in entries:
            self.indices.append(column)
            self.factors.append(factor)
        self.least.append(least)
        self.most.append(most)


def _until(times: int) -> Callable[[Any], None]:
    """Tells HiGHS to stop when it has asked so many times."""
    asked = 0

    def answer(event: Any) -> None:
        nonlocal asked
        asked += 1
        if asked > times:
            event.interrupt()

    return answer


def _weighed(units: list[int], items: tuple[Item, ...]) -> Load:
    grams = sum([count * item.grams for count, item in zip(units, items, strict=True)])
    mm3 = sum([count * item.mm3 for count, item in zip(units, items, strict=True)])
    return Load(sum(units), grams, mm3)
