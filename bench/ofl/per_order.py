"""Per order: how long the solver takes, and how far from the proven optimum its plans and greedy ones are.

The optimum is that of the mixed-integer program (`solve_exactly`), which shares none of the search's reasoning; it is
solved in the same process, after the clock has stopped, and gets the seconds of `Effort`. Gaps are over the instances
it proved. Times are the processor's, of the one thread that does it all: what a clock shows where nothing else runs. A
plan that fills less than the optimum is counted apart: its cost says nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import mean
from time import perf_counter, thread_time

from rich.table import Table

from bench.measure import MILLISECONDS, percentile
from bench.ofl.greedy import greedy
from bench.ofl.instances import POLICY, Instance, drawn
from dom.sourcing.planner import plan
from dom.sourcing.planning.candidate_plan import draft
from dom.sourcing.policy.strategy import Rules
from dom.sourcing.solver.milp import solve_exactly
from dom.sourcing.solver.problem import SolverPlan, SolverProblem
from dom.sourcing.solver.search import search

CELLS = ((10, 3), (50, 8), (200, 5), (200, 10), (1000, 5))
AIM_P50_MS, AIM_P95_MS, AIM_GAP_PERCENT = 2.0, 5.0, 0.1
AIMED_AT = ((10, 3), (50, 8), (200, 5))
"""The cells the aims of time are for."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many instances a cell has, how often each is timed (the least counts), and how long each may be proved."""

    instances: int
    times: int
    seconds: float


FULL = Effort(40, 3, 0.75)
QUICK = Effort(6, 1, 0.25)


@dataclass(slots=True)
class Row:
    """What was found in one cell. Seconds by instance; gaps in percent of the optimum, over the proven instances."""

    nodes: int
    lines: int
    solver: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    oracle: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    greedy_gaps: list[float] = field(default_factory=list)
    filled_less: int = 0
    greedy_filled_less: int = 0
    beaten: int = 0
    """Instances in which the program, out of its time, still had a better plan than the solver."""
    exact: int = 0
    proven: int = 0
    split: int = 0


def measure(quick: bool = False) -> list[Row]:
    """A row for each cell."""
    effort = QUICK if quick else FULL
    return [_cell(nodes, lines, effort) for nodes, lines in CELLS]


def _cell(nodes: int, lines: int, effort: Effort) -> Row:
    row = Row(nodes, lines)
    for seed in range(effort.instances):
        _one(row, drawn(seed, nodes, lines), effort)
    return row


def _one(row: Row, instance: Instance, effort: Effort) -> None:
    demand, snapshot = instance.demand, instance.snapshot
    problem = draft(demand, snapshot, Rules(POLICY, POLICY.strategies[0])).problem
    row.solver.append(_least(lambda: search(problem), effort.times))
    row.whole.append(_least(lambda: plan(demand, snapshot, POLICY, 1), effort.times))
    found = search(problem)
    row.exact += found.exact
    row.split += found.best is not None and found.best.shipments > 1
    began = perf_counter()
    # It knows the solver's plan: whatever is better it would still find, and it has the longer to prove there is none.
    best, proven = solve_exactly(problem, effort.seconds, found.best)
    row.oracle.append(perf_counter() - began)
    if best is None or found.best is None:
        return
    row.proven += proven
    if proven:
        row.filled_less += found.best.short > best.short
        if found.best.short == best.short:
            row.gaps.append(_gap(found.best, best))
        _compare_greedy(row, problem, best)
    else:
        row.beaten += best[:2] < found.best[:2]


def _compare_greedy(row: Row, problem: SolverProblem, best: SolverPlan) -> None:
    simple = greedy(problem)
    if simple is None or simple.short > best.short:
        row.greedy_filled_less += 1
    else:
        row.greedy_gaps.append(_gap(simple, best))


def _gap(plan: SolverPlan, best: SolverPlan) -> float:
    return 100 * (plan.cost - best.cost) / best.cost


def _least(work: Callable[[], object], times: int) -> float:
    gc.collect()
    seconds = []
    for _ in range(times):
        began = thread_time()
        work()
        seconds.append(thread_time() - began)
    return min(seconds)


def table(rows: Sequence[Row]) -> Table:
    """A row for each cell."""
    shown = Table(title="per order: the solver against the proven optimum, and greedy")
    for heading in (
        "nodes x lines", "solver p50 / p95 ms", "plan() p50 / p95 ms", "gap mean / worst %", "exact", "MIP proved",
        "MIP p50 ms", "greedy gap mean / worst %", "greedy fills less", "split",
    ):  # fmt: skip
        shown.add_column(heading, justify="right")
    for row in rows:
        count = len(row.solver)
        shown.add_row(
            f"{row.nodes} x {row.lines}",
            _times(row.solver),
            _times(row.whole),
            _gaps(row.gaps),
            f"{row.exact} of {count}",
            f"{row.proven} of {count}",
            f"{percentile(row.oracle, 0.5) * MILLISECONDS:.0f}",
            _gaps(row.greedy_gaps),
            f"{row.greedy_filled_less} of {row.proven}",
            f"{row.split} of {count}",
        )
    return shown


def aims(rows: Sequence[Row]) -> list[str]:
    """What was aimed at, what came out, and whether that is enough."""
    found = []
    for row in rows:
        name = f"{row.nodes} x {row.lines}"
        if (row.nodes, row.lines) in AIMED_AT:
            p50, p95 = (percentile(row.solver, share) * MILLISECONDS for share in (0.5, 0.95))
            met = _met(p50 < AIM_P50_MS and p95 < AIM_P95_MS)
            found.append(f"{name}: solver p50 {p50:.2f} ms, p95 {p95:.2f} ms, aim < 2 and < 5: {met}")
        if not row.gaps:
            found.append(f"{name}: no optimum was proven, so nothing can be said of the gap")
            continue
        gap, worse = mean(row.gaps), row.filled_less + row.beaten
        met = _met(gap <= AIM_GAP_PERCENT and not worse)
        found.append(
            f"{name}: mean gap {gap:.3f} % to {len(row.gaps)} proven optima, fills less or is beaten in {worse}, "
            f"aim <= {AIM_GAP_PERCENT} % and none: {met}"
        )
    return found


def _met(enough: bool) -> str:
    return "reached" if enough else "MISSED"


def _times(seconds: Sequence[float]) -> str:
    return " / ".join([f"{percentile(seconds, share) * MILLISECONDS:.2f}" for share in (0.5, 0.95)])


def _gaps(gaps: Sequence[float]) -> str:
    return f"{mean(gaps):.3f} / {max(gaps):.2f}" if gaps else ""
