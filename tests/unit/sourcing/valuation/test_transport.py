"""Shadow prices: what they mean, tried against every way to ship and against what one unit more or less is worth."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.sourcing.valuation.transport import Freight, Market
from dom.sourcing.valuation.ways import Basket, WayCosts, laid_out, planned

NODES, SKUS, REGIONS = 3, 3, 2


def freight(fixed: list[list[float]], unit: list[list[float]], penalty: float = 100.0) -> Freight:
    """WayCosts by (node, region), the same for every SKU; an unfilled unit costs the same everywhere."""
    each = np.array(unit)
    return Freight(
        fixed=np.array(fixed),
        unit=np.repeat(each[:, None, :], SKUS, axis=1),
        penalty=np.full((SKUS, each.shape[1]), penalty),
        penalty_fixed=np.zeros(each.shape[1]),
    )


def of(*units: list[float]) -> np.ndarray:
    """Supply by (node, SKU)."""
    return np.array(units, float)


amounts = st.integers(0, 20).map(float)
tables = st.lists(st.lists(amounts, min_size=REGIONS, max_size=REGIONS), min_size=NODES, max_size=NODES)
lines = st.lists(
    st.tuples(st.integers(0, SKUS - 1), st.integers(1, 2)), min_size=1, max_size=3, unique_by=lambda x: x[0]
)
baskets = st.builds(Basket, st.integers(0, REGIONS - 1), lines.map(lambda found: tuple(sorted(found))), st.just(1.0))
questions = st.tuples(
    st.lists(baskets, min_size=1, max_size=5, unique_by=lambda basket: (basket.region, basket.lines)),
    tables,
    tables,
    st.lists(st.lists(st.integers(0, 6).map(float), min_size=SKUS, max_size=SKUS), min_size=NODES, max_size=NODES),
    st.lists(st.integers(0, 4).map(float), min_size=5, max_size=5),
)


class TestWays:
    @given(baskets, tables, tables)
    def test_the_cheapest_of_all_ways_is_found(
        self, basket: Basket, fixed: list[list[float]], unit: list[list[float]]
    ) -> None:
        kind = laid_out([(0, basket)])
        ship = np.array(fixed)[:, basket.region]
        each = np.array(unit)[:, basket.region]
        goods = np.outer(each, [units for _, units in basket.lines])
        found = planned(kind, WayCosts(ship[None], goods[None], goods[None]))
        least = min(
            ship[list(set(way))].sum() + sum(goods[node, line] for line, node in enumerate(way))
            for way in product(range(NODES), repeat=len(basket.lines))
        )
        assert found.reduced[0] == pytest.approx(least)
        assert found.cost[0] <= least + 1e-9


class TestPrices:
    def test_where_there_is_enough_a_unit_is_worth_nothing(self) -> None:
        market = Market((Basket(0, ((0, 1),)),), freight([[5]], [[1]]))
        assert market.prices(of([9, 9, 9]), np.array([[3.0]])).price.tolist() == [[0, 0, 0]]

    def test_where_all_is_short_a_unit_is_worth_what_its_absence_costs(self) -> None:
        market = Market((Basket(0, ((0, 1),)),), freight([[5]], [[1]], penalty=50))
        assert market.prices(of([2, 9, 9]), np.array([[3.0]])).price.tolist() == [[50 - 6, 0, 0]]

    def test_the_node_that_another_region_needs_is_worth_the_detour(self) -> None:
        # Node 0 is near both regions; node 1 is near the second alone, and has plenty.
        two = Market(
            (Basket(0, ((0, 1),)), Basket(1, ((0, 1),))), freight([[0, 0], [0, 0]], [[1, 1], [9, 3]], penalty=50)
        )
        found = two.prices(of([4, 0, 0], [9, 0, 0]), np.array([[3.0], [3.0]]))
        assert found.price[:, 0].tolist() == [2, 0]
        assert found.taken[:, 0].tolist() == [4, 2]

    def test_what_ships_together_is_priced_together(self) -> None:
        # Alone each SKU is as well off at node 1; only node 0 has both, so that one parcel is enough there.
        both = Market((Basket(0, ((0, 1), (1, 1))),), freight([[10], [10], [10]], [[1], [1], [1]]))
        stock = of([1, 1, 0], [9, 0, 0], [0, 9, 0])
        assert both.prices(stock, np.array([[2.0]])).price[0].sum() == pytest.approx(10)
        apart = Market((Basket(0, ((0, 1),)), Basket(0, ((1, 1),))), both.freight)
        assert apart.prices(stock, np.array([[2.0], [2.0]])).price.sum() == 0

    def test_a_node_that_does_not_ship_there_changes_nothing(self) -> None:
        market = Market((Basket(0, ((0, 1),)),), freight([[5], [np.inf]], [[1], [np.inf]], penalty=50))
        assert market.prices(of([2, 0, 0], [9, 0, 0]), np.array([[3.0]])).price[:, 0].tolist() == [44, 0]

    @settings(max_examples=60, deadline=None)
    @given(questions)
    def test_a_price_lies_between_what_a_unit_more_saves_and_a_unit_less_costs(self, question) -> None:  # type: ignore[no-untyped-def]
        found, fixed, unit, stock, wanted = question
        supply, demand = np.array(stock), np.array(wanted[: len(found)])[:, None]

        def solved(units: np.ndarray):  # type: ignore[no-untyped-def]
            return Market(tuple(found), freight(fixed, unit)).prices(units, demand)

        price, cost = solved(supply).price, solved(supply).cost
        assert (price >= 0).all()
        for node, sku in product(range(NODES), range(SKUS)):
            if supply[node, sku]:
                step = np.zeros_like(supply)
                step[node, sku] = 1
                assert cost - solved(supply + step).cost <= price[node, sku] + 1e-6
                assert price[node, sku] <= solved(supply - step).cost - cost + 1e-6

    @settings(max_examples=30, deadline=None)
    @given(questions, st.lists(st.integers(0, 4).map(float), min_size=5, max_size=5))
    def test_solved_again_it_is_the_same_problem(self, question, later: list[float]) -> None:  # type: ignore[no-untyped-def]
        found, fixed, unit, stock, wanted = question
        market = Market(tuple(found), freight(fixed, unit))
        first = np.array(wanted[: len(found)])[:, None]
        market.prices(np.array(stock), first)
        moved = np.maximum(np.array(stock) - 1, 0)
        second = np.array(later[: len(found)])[:, None]
        fresh = Market(tuple(found), freight(fixed, unit)).prices(moved, second)
        assert market.prices(moved, second).cost == pytest.approx(fresh.cost)

    @settings(max_examples=20, deadline=None)
    @given(questions)
    def test_the_same_question_has_the_same_answer(self, question) -> None:  # type: ignore[no-untyped-def]
        found, fixed, unit, stock, wanted = question
        demand = np.array(wanted[: len(found)])[:, None]
        twice = [Market(tuple(found), freight(fixed, unit)).prices(np.array(stock), demand).price for _ in range(2)]
        assert (twice[0] == twice[1]).all()

    def test_scenarios_are_averaged(self) -> None:
        market = Market((Basket(0, ((0, 1),)),), freight([[5]], [[1]], penalty=50))
        assert market.prices(of([2, 0, 0]), np.array([[1.0, 9.0]])).price[0, 0] == 22

    @pytest.mark.parametrize("count", [0, 6])
    def test_a_basket_has_one_to_five_lines(self, count: int) -> None:
        with pytest.raises(ValueError, match="one to 5 lines"):
            Market((Basket(0, tuple((sku, 1) for sku in range(count))),), freight([[5]], [[1]]))
