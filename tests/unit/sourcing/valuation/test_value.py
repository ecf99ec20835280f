"""What stock is worth, from a whole world: when it is priced at all, and what moves a price."""

from dataclasses import replace

import pytest

from dom.network import Node
from dom.sourcing.policy.document import Costs, DaysOfSupply
from dom.sourcing.valuation.demand import Bought
from dom.sourcing.valuation.value import ShadowPrice, ValuationInput, freight_of, pricing, shadow_prices
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import LEEDS, LONDON, NORTHLINE, PARIS, heavy_duty, node, sku

WEIGHED = policy(strategy("plain"), strategy("weighed", opportunity_weight=1, distance_per_100_km=10))
NODES: tuple[Node, ...] = (node("leeds", LEEDS), node("lille", PARIS, "FR"), node("london", LONDON))
LEEDS_REGION, LONDON_REGION = 0, 2


def outlook(leeds: float, london: float, *bought: Bought, **changes: object) -> ValuationInput:
    """Stock of A in Leeds and London, and none in France."""
    plain = ValuationInput(
        nodes=NODES,
        skus=(sku("A", list_price=2000),),
        tariffs=(NORTHLINE,),
        policy=WEIGHED,
        supply={("leeds", "A"): leeds, ("london", "A"): london},
        history=bought,
        history_days=28,
        horizon_days=14,
        margin_percent=30,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def daily(region: int, units: int = 1) -> list[Bought]:
    return [Bought(day, region, ((0, units),), 1) for day in range(28)]


def by_node(found: list[ShadowPrice]) -> dict[str, int]:
    return {each.node_id: each.opportunity for each in found}


class TestWhenItIsPriced:
    def test_no_strategy_asks_what_stock_is_worth(self) -> None:
        assert pricing(policy()) is None
        assert shadow_prices(outlook(5, 5, *daily(0), policy=policy())) == []

    def test_an_opportunity_weight_or_days_of_supply_ask(self) -> None:
        assert pricing(WEIGHED) is WEIGHED.strategies[1]
        assert pricing(policy(days_of_supply=DaysOfSupply(per_unit=100))) is not None

    def test_nothing_was_asked_for(self) -> None:
        assert [(each.opportunity, each.daily_demand) for each in shadow_prices(outlook(5, 5))] == [(0, 0), (0, 0)]


class TestPrices:
    def test_where_there_is_plenty_nothing_is_worth_keeping(self) -> None:
        assert by_node(shadow_prices(outlook(900, 900, *daily(LEEDS_REGION)))) == {"leeds": 0, "london": 0}

    def test_where_all_is_short_a_unit_is_worth_the_margin_it_would_lose(self) -> None:
        found = by_node(shadow_prices(outlook(1, 1, *daily(LEEDS_REGION, 5), *daily(LONDON_REGION, 5))))
        # 30 % of 20.00 is lost; shipping it costs 3.00; twice the dearest shipment, from France, is more than that.
        dearest = freight_of(outlook(1, 1), WEIGHED.strategies[1].cost)
        assert min(found.values()) > 600 - 300
        assert max(found.values()) <= dearest.penalty.max()

    def test_the_node_whose_own_customers_need_it_is_worth_the_detour_of_others(self) -> None:
        found = by_node(shadow_prices(outlook(10, 900, *daily(LEEDS_REGION))))
        assert 0 < found["leeds"] <= 30  # the other 270 km at 10 a 100 km
        assert found["london"] == 0

    def test_a_longer_horizon_makes_the_same_stock_scarcer(self) -> None:
        short = outlook(20, 20, *daily(LEEDS_REGION), *daily(LONDON_REGION))
        assert sum(by_node(shadow_prices(short)).values()) < sum(
            by_node(shadow_prices(replace(short, horizon_days=90))).values()
        )

    def test_it_is_worked_out_the_same_every_time(self) -> None:
        asked = outlook(10, 30, *daily(LEEDS_REGION), *daily(LONDON_REGION, 2))
        assert shadow_prices(asked) == shadow_prices(asked)


class TestDemand:
    def test_each_region_asks_the_nearest_node_that_has_some(self) -> None:
        both = {each.node_id: each.daily_demand for each in shadow_prices(outlook(50, 50, *daily(LEEDS_REGION, 2)))}
        assert both["leeds"] == pytest.approx(2, rel=0.05)
        assert both["london"] < 0.2
        gone = {each.node_id: each.daily_demand for each in shadow_prices(outlook(0, 50, *daily(LEEDS_REGION, 2)))}
        assert gone["leeds"] == 0
        assert gone["london"] == pytest.approx(both["leeds"] + both["london"], rel=0.001)


class TestFreight:
    def test_a_unit_adds_what_its_parcel_costs_beyond_an_empty_one(self) -> None:
        heavy = outlook(1, 1, skus=(sku("A", grams=400), sku("B", grams=4000)))
        found = freight_of(heavy, Costs(distance_per_100_km=0, packaging_per_shipment=7, packaging_per_unit=2))
        assert found.fixed[0].tolist() == [307, 907, 307]
        assert found.unit[0, :, 0].tolist() == [2, 202]

    def test_what_a_carrier_does_not_take_has_no_price_of_it(self) -> None:
        heavy = outlook(1, 1, skus=(sku("A", grams=35_000),), tariffs=(NORTHLINE, heavy_duty()))
        found = freight_of(heavy, Costs(distance_per_100_km=0))
        assert found.fixed[0, 0] + found.unit[0, 0, 0] == 50_000
        nobody = freight_of(replace(heavy, tariffs=(NORTHLINE,)), Costs())
        assert nobody.unit[0, 0, 0] == float("inf")

    def test_weights_count(self) -> None:
        found = freight_of(outlook(1, 1), Costs(distance_per_100_km=0, freight_weight=0.5))
        assert found.fixed[0, 0] == 150

    def test_a_node_that_does_not_ship_there_costs_the_earth(self) -> None:
        closed = outlook(1, 1, nodes=(node("leeds", LEEDS, ships_to=("GB",)), *NODES[1:]))
        assert freight_of(closed, Costs()).fixed[0].tolist()[1] == float("inf")
