"""One plan an order, so that all of them fit into the pool: set partitioning, solved by HiGHS.

    minimise   sum of cost[i, c] x[i, c]  +  toll * (orders whose plan changes)
    such that  each order has one plan, and of no balance and no node's day more is taken than there is.

The toll is what a change must save at least: of two independent changes each must be worth it, and a swap of two orders
must be worth it twice. One thread and a limit on nodes instead of time: the same question has the same answer.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from dom.sourcing.reoptimisation.models import Balance, Day
from dom.sourcing.reoptimisation.options import Option
from dom.sourcing.reoptimisation.pool import Pool

NODES_AT_MOST: Final = 20_000
"""Nodes of the search tree; beyond them the best choice so far counts."""
_SETTINGS: Final[Mapping[str, bool | int | float]] = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 1,
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.5,
    "mip_max_nodes": NODES_AT_MOST,
}


class Resource(NamedTuple):
    """Something that can run short: a balance (for one channel, or for all), or a node's day."""

    balance: Balance | None = None
    day: Day | None = None
    channel: str | None = None


class ChoiceRow(NamedTuple):
    """At least `low` and at most `high` of the columns' entries."""

    low: float
    high: float
    entries: Mapping[int, int]

    def holds(self, chosen: Iterable[int]) -> bool:
        """Whether these columns together keep to it."""
        return self.low <= sum([self.entries.get(i, 0) for i in chosen]) <= self.high


Column = tuple[str, Option]
"""An order's id and one of its plans."""


def choose(options: Mapping[str, Sequence[Option]], pool: Pool, toll: int) -> dict[str, Option]:
    """The option of each order; the first of each is its present plan, and all of these together always fit."""
    present = {order_id: plans[0] for order_id, plans in sorted(options.items())}
    columns = [(order_id, option) for order_id in present for option in options[order_id]]
    if len(columns) == len(present):
        return present
    scale = 2 * len(present)
    # Amounts are whole, so that all tolls together may lie half a minor unit below theirs: what saves just enough wins.
    costs = [
        float(option.cost * scale + (0 if option is present[order_id] else toll * scale - 1))
        for order_id, option in columns
    ]
    rows = _one_each(columns) + _what_there_is(columns, present, pool)
    start = [1.0 if option is present[order_id] else 0.0 for order_id, option in columns]
    chosen = solved(costs, rows, start)
    return present if chosen is None else dict([columns[i] for i in chosen])


def _one_each(columns: Sequence[Column]) -> list[ChoiceRow]:
    places: dict[str, dict[int, int]] = {}
    for i, (order_id, _) in enumerate(columns):
        places.setdefault(order_id, {})[i] = 1
    return [ChoiceRow(1.0, 1.0, entries) for entries in places.values()]


def _what_there_is(columns: Sequence[Column], present: Mapping[str, Option], pool: Pool) -> list[ChoiceRow]:
    """A row for everything that could run short: balances, a channel's own limit on one, and nodes' days.

    What the present plans take together is never too much: a limit that was lowered since does not undo them.
    """
    taking: dict[Resource, dict[int, int]] = {}
    for i, (order_id, option) in enumerate(columns):
        for resource, count in _takes(pool.channel_of(order_id), option, pool):
            taking.setdefault(resource, {})[i] = count
    supply = _Supply(pool)
    rows = []
    for resource in sorted(taking, key=repr):
        entries, there_is = taking[resource], supply.of(resource)
        most: dict[str, int] = {}
        for i, count in entries.items():
            most[columns[i][0]] = max(most.get(columns[i][0], 0), count)
        if there_is is not None and sum(most.values()) > there_is:
            now = sum([count for i, count in entries.items() if columns[i][1] is present[columns[i][0]]])
            rows.append(ChoiceRow(float("-inf"), float(max(there_is, now)), entries))
    return rows


def _takes(channel: str, option: Option, pool: Pool) -> Iterator[tuple[Resource, int]]:
    for balance, units in option.use.units.items():
        yield Resource(balance), units
        if pool.is_limited(channel, balance):
            yield Resource(balance, channel=channel), units
    for day, places in option.use.days.items():
        yield Resource(day=day), places


class _Supply:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._units: dict[str | None, Counter[Balance]] = {}

    def of(self, resource: Resource) -> int | None:
        """How much of it the orders can have together; None for no limit."""
        if resource.day is not None:
            return self._pool.capacity(resource.day)
        if resource.balance is None:
            return None
        if resource.channel not in self._units:
            self._units[resource.channel] = self._pool.supply(resource.channel)
        return self._units[resource.channel][resource.balance]


def solved(costs: Sequence[float], rows: Sequence[ChoiceRow], start: Sequence[float]) -> list[int] | None:
    """The columns of the best solution found; None if the solver has none."""
    import highspy  # it takes a while to load, and is needed seldom
    import numpy as np

    ends = np.cumsum([0, *(len(row.entries) for row in rows)])
    model: Any = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(costs), len(rows)
    model.col_cost_ = np.array(costs)
    model.col_lower_, model.col_upper_ = np.zeros(len(costs)), np.ones(len(costs))
    model.row_lower_ = np.array([row.low for row in rows])
    model.row_upper_ = np.array([row.high for row in rows])
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(costs)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = ends.astype(np.int32)
    model.a_matrix_.index_ = np.array([i for row in rows for i in row.entries], dtype=np.int32)
    model.a_matrix_.value_ = np.array([float(n) for row in rows for n in row.entries.values()])
    make_solver: Any = highspy.Highs
    solver = make_solver()
    for name, value in _SETTINGS.items():
        solver.setOptionValue(name, value)
    solver.passModel(model)
    known: Any = highspy.HighsSolution()
    known.col_value = list(start)
    solver.setSolution(known)
    solver.run()
    values = list(solver.getSolution().col_value)
    chosen = [i for i, value in enumerate(values) if value > 0.5]  # noqa: PLR2004
    return chosen if len(values) == len(costs) and all(row.holds(chosen) for row in rows) else None
