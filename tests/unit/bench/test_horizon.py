"""The horizon experiment plans single orders as the house does, and its bounds are bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.ofl import horizon
from bench.ofl.horizon_bound import hindsight
from bench.ofl.horizon_play import Greedy, Ours, Static, cost_of, planned, play
from bench.ofl.horizon_world import CENTRES, FREIGHT, ITEMS, PER_UNIT, SHIPMENT, season
from dom.sourcing.costs import CostTally
from dom.sourcing.solver.problem import Item, SolverProblem, Source, source
from dom.sourcing.solver.search import search
from dom.sourcing.valuation.transport import Market
from dom.sourcing.valuation.ways import Basket

SEASON = season(seed=3, periods=300)


def as_the_house_plans(basket: Basket, stock: np.ndarray, worth: np.ndarray) -> int:
    """The cost of the planner's plan, prices included, in hundredths of a cent."""
    items = tuple(Item(str(item), 1, 1, 1) for item, _ in basket.lines)
    held = tuple(item for n, item in enumerate(items) if stock[:, basket.lines[n][0]].any())
    at = [n for n, item in enumerate(items) if item in held]
    sources: list[Source] = []
    for centre in range(len(CENTRES)):
        own = [int(stock[centre, basket.lines[n][0]] > 0) for n in at]
        if any(own):
            each = tuple(round(100 * (PER_UNIT[centre, basket.region] + worth[centre, n])) for n in at)
            tally = CostTally(round(100 * SHIPMENT))
            sources.append(source(f"c{centre}", own, tally, held, unit_costs=each))
    problem = SolverProblem(held, tuple(sources), 5, 0, len(held))
    best = search(problem).best
    return best.cost if best else 0


class TestPlanned:
    @settings(max_examples=150, deadline=None)
    @given(st.integers(0, len(SEASON.baskets) - 1), st.integers(0, 2**32 - 1))
    def test_it_costs_what_the_planners_own_plan_does(self, number: int, seed: int) -> None:
        basket, chance = SEASON.baskets[number], np.random.default_rng(seed)
        stock = chance.integers(0, 2, (len(CENTRES), ITEMS))
        worth = chance.integers(0, 900, (len(CENTRES), len(basket.lines))).astype(float)
        at = planned(basket, stock, worth)
        own = sum(
            round(100 * (PER_UNIT[centre, basket.region] + worth[centre, line]))
            for line, centre in enumerate(at.tolist())
            if centre < len(CENTRES)
        ) + round(100 * SHIPMENT) * len({centre for centre in at.tolist() if centre < len(CENTRES)})
        assert own == pytest.approx(as_the_house_plans(basket, stock, worth), abs=5)

    def test_what_nobody_has_costs_twice_as_much(self) -> None:
        basket = Basket(0, ((0, 1), (1, 1)))
        at = planned(basket, np.zeros((len(CENTRES), ITEMS), np.int64), np.zeros((len(CENTRES), 2)))
        assert at.tolist() == [len(CENTRES)] * 2
        assert cost_of(basket, at) == pytest.approx(2 * SHIPMENT + 2 * 2 * PER_UNIT[:, 0].max())


class TestSeason:
    def test_no_policy_beats_the_bounds(self) -> None:
        whole = Market(SEASON.baskets, FREIGHT).prices(SEASON.stock.astype(float), SEASON.counted()[:, None]).cost
        bound = hindsight(SEASON)
        assert bound <= whole + 1e-6
        for prices in (Greedy(), Static(SEASON, SEASON.rates), Ours(SEASON, SEASON.rates)):
            assert play(SEASON, prices) >= whole - 1e-6

    def test_it_is_the_same_for_the_same_seed(self) -> None:
        again = season(seed=3, periods=300)
        assert (again.orders == SEASON.orders).all()
        assert (again.stock == SEASON.stock).all()
        assert play(again, Ours(again, again.rates)) == play(SEASON, Ours(SEASON, SEASON.rates))

    def test_stock_and_demand_are_what_the_paper_says(self) -> None:
        long = season(seed=3, periods=10_000)
        assert len(long.baskets) == 250
        wanted = sum(rate * len(basket.lines) for basket, rate in zip(long.baskets, long.rates, strict=True)) * 10_000
        assert 0.9 < long.stock.sum() / wanted < 1.1
        assert long.counted().sum() == pytest.approx(long.rates.sum() * 10_000, rel=0.05)

    def test_the_report_names_every_setting_and_aim(self) -> None:
        rows = [horizon.played(horizon.Setting(60, wrong, 45), 1) for wrong in (False, True)]
        assert horizon.table(rows).row_count == 2
        assert [line.rsplit(", ", 1)[1] for line in list(horizon.aims(rows))[:2]] == ["aim >= 45 %"] * 2
