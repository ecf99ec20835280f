"""What stock is worth: shadow prices from a transportation problem over stock and the demand that is expected.

Supply stands at nodes, demand in regions. Demand is by basket, because what is ordered together can travel in one
parcel: to use a node for a basket costs `fixed` once and `unit` for every unit; what no node gives costs `penalty`. The
shadow price of a (node, SKU) is what one unit more there would save over the horizon.

With baskets of one SKU this is the classical transportation problem whose duals J. Acimovic and S. C. Graves add to
the cost of an order ("Making Better Fulfillment Decisions on the Fly in an Online Retail Environment", M&SOM 17(1),
2015). With larger ones the ways to ship a basket are too many to write down, so they are found when they are needed
(column generation: P. C. Gilmore and R. E. Gomory, Operations Research 9(6), 1961): the linear program is solved over
the ways known so far, every basket is then planned at the prices that came out, and the plans that are better than the
known ways are added, until there are none. So prices fit the planner: they are those of whole plans, not of flows that
use half a parcel. Baskets that share no SKU do not touch each other's prices.

TransportPrices are not unique where supply just meets demand. They are the mean over scenarios of demand (one column
of `demand` each), which is the value of a unit on average over what may come, and the dual HiGHS's simplex finds in
each; its choice is the same for the same context.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dom.sourcing.valuation.ways import (
    LINES_AT_MOST,
    Basket,
    Numbers,
    WayCosts,
    WayKind,
    Ways,
    cost_of,
    laid_out,
    planned,
)

if TYPE_CHECKING:
    import highspy

_ROUNDS_AT_MOST: Final = 60
_GAIN_AT_LEAST: Final = 1e-7
"""Of what a basket costs: a way that saves less is not worth a further round."""


@dataclass(frozen=True, slots=True)
class Freight:
    """Costs in any one unit of money, by the places of nodes (k), SKUs (i) and regions (j).

    `fixed[k, j]` of a shipment, `unit[k, i, j]` of each unit in it; infinite where the node does not ship there.
    `penalty[i, j]` of each unit that is not filled, and `penalty_fixed[j]` once for a basket with such units.
    """

    fixed: Numbers
    unit: Numbers
    penalty: Numbers
    penalty_fixed: Numbers


@dataclass(frozen=True, slots=True)
class TransportPrices:
    """Means over the scenarios: shadow prices by (node, SKU), never below zero; units taken of each; the cost."""

    price: Numbers
    taken: Numbers
    cost: float


@dataclass(slots=True)
class Market:
    """A transportation problem that is solved again as stock and demand move; what it learned of ways is kept.

    Solving is quickest where little has changed since the last time.
    """

    baskets: tuple[Basket, ...]
    freight: Freight
    _kinds: list[WayKind] = field(init=False)
    _program: Any = field(init=False, default=None)
    _known: set[tuple[int, ...]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        """Lay the baskets out by their number of lines. ValueError for one with no or too many lines."""
        if any(not 1 <= len(basket.lines) <= LINES_AT_MOST for basket in self.baskets):
            raise ValueError(f"a basket has one to {LINES_AT_MOST} lines")
        self._kinds = [
            laid_out([(n, basket) for n, basket in enumerate(self.baskets) if len(basket.lines) == count])
            for count in range(1, LINES_AT_MOST + 1)
            if any(len(basket.lines) == count for basket in self.baskets)
        ]

    def prices(self, supply: Numbers, demand: Numbers) -> TransportPrices:
        """Shadow prices for free units by (node, SKU) and baskets expected, by (basket, scenario).

        A (node, SKU) without a unit has no price: nothing can be taken of it.
        """
        if not self.baskets:
            return TransportPrices(np.zeros_like(supply), np.zeros_like(supply), 0.0)
        if self._program is None:
            self._program = self._opened(supply)
        solved = [self._solved(supply, each) for each in demand.T]
        price = np.where(supply > 0, np.mean([each.price for each in solved], axis=0), 0.0)
        taken = np.mean([each.taken for each in solved], axis=0)
        return TransportPrices(price, taken, float(np.mean([each.cost for each in solved])))

    def _opened(self, supply: Numbers) -> "highspy.Highs":
        """The program with one way a basket: nothing of it is filled."""
        import highspy

        program = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 0), ("presolve", "off")):
            program.setOptionValue(option, value)
        rows = supply.size + len(self.baskets)
        program.addRows(rows, np.zeros(rows), np.zeros(rows), 0, np.zeros(0, np.int32), np.zeros(0, np.int32), [])
        nowhere = self.freight.fixed.shape[0]
        for kind in self._kinds:
            nodes = np.full(kind.skus.shape, nowhere)
            cost = cost_of(np.arange(len(kind.first)), nodes, self._costs(kind, None))
            self._add(program, kind, Ways(np.arange(len(kind.first)), nodes, cost, cost), supply.shape[1])
        return program

    def _solved(self, supply: Numbers, demand: Numbers) -> TransportPrices:
        program = self._program
        bounds = np.concatenate([supply.ravel(), demand])
        lower = np.concatenate([np.full(supply.size, -np.inf), demand])
        program.changeRowsBounds(len(bounds), np.arange(len(bounds), dtype=np.int32), lower, bounds)
        price = np.zeros(supply.shape)
        for _ in range(_ROUNDS_AT_MOST):
            program.run()
            dual = np.array(program.getSolution().row_dual)
            price = np.maximum(0.0, -dual[: supply.size]).reshape(supply.shape)
            if not self._learn(supply, price, dual[supply.size :]):
                break
        taken = np.array(program.getSolution().row_value[: supply.size]).reshape(supply.shape)
        return TransportPrices(price, taken, float(program.getInfo().objective_function_value))

    def _learn(self, supply: Numbers, price: Numbers, worth: Numbers) -> int:
        """Plan every basket at the prices; add the ways that cost less than the basket's own dual, and count them."""
        added = 0
        for kind in self._kinds:
            ways = planned(kind, self._costs(kind, np.where(supply > 0, price, np.inf)))
            better = ways.reduced < worth[kind.first] - _GAIN_AT_LEAST * (1.0 + np.abs(worth[kind.first]))
            if better.any():
                added += self._add(self._program, kind, ways.only(better), supply.shape[1])
        return added

    def _costs(self, kind: WayKind, price: Numbers | None) -> WayCosts:
        """What it costs to ship baskets of a kind, at the prices and without."""
        freight, regions = self.freight, kind.regions
        fixed = np.vstack([freight.fixed, freight.penalty_fixed])[:, regions].T * kind.shares[:, None]
        unit = np.concatenate([freight.unit, freight.penalty[None]])[:, kind.skus, regions[:, None]]
        plain = np.moveaxis(unit * kind.units, 0, 1)
        if price is None:
            return WayCosts(fixed, plain, plain)
        dear = np.vstack([price, np.zeros(price.shape[1])])[:, kind.skus] * kind.units
        return WayCosts(fixed, plain + np.moveaxis(dear, 0, 1), plain)

    def _add(self, program: "highspy.Highs", kind: WayKind, ways: Ways, skus: int) -> int:
        """Add the ways that are new; how many there were."""
        nowhere = self.freight.fixed.shape[0]
        costs: list[float] = []
        starts: list[int] = []
        index: list[int] = []
        value: list[float] = []
        for own, nodes, cost in zip(ways.baskets.tolist(), ways.nodes.tolist(), ways.cost.tolist(), strict=True):
            basket = int(kind.first[own])
            key = (basket, *nodes)
            if key in self._known:
                continue
            self._known.add(key)
            costs.append(cost)
            starts.append(len(index))
            for node, sku, units in zip(nodes, kind.skus[own].tolist(), kind.units[own].tolist(), strict=True):
                if node != nowhere:
                    index.append(node * skus + sku)
                    value.append(units)
            index.append(nowhere * skus + basket)
            value.append(1.0)
        if costs:
            count = len(costs)
            program.addCols(
                count,
                np.array(costs),
                np.zeros(count),
                np.full(count, np.inf),
                len(index),
                np.array(starts, np.int32),
                np.array(index, np.int32),
                np.array(value),
            )
        return len(costs)
