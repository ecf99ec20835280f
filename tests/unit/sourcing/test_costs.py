"""What a plan costs, term by term, and that the solver minimised just that."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.network import ShippingMethod
from dom.sourcing.models import CostTerm, Snapshot, SourcingDecision, StockValue
from dom.sourcing.planner import plan
from dom.sourcing.planning.candidate_plan import draft
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.strategy import Rules
from tests.worlds.policies import changed, policy
from tests.worlds.sourcing import (
    FREE,
    LEEDS,
    LONDON,
    MONDAY,
    NORTHLINE,
    PARIS,
    YORK,
    World,
    decide,
    handling,
    sku,
    tariff,
    used,
)

ONE = World().node("n", YORK, A=50)
TERMS = {
    CostTerm.FREIGHT,
    CostTerm.HANDLING,
    CostTerm.SPLIT,
    CostTerm.LATENESS,
    CostTerm.DISTANCE,
    CostTerm.PRIORITY,
}
CARBON = {"per_kg": 1000, "grams_per_tonne_km": {"standard": 500}}


def costs(
    world: World, values: dict[tuple[str, str], StockValue] | None = None, /, **demand: Any
) -> dict[CostTerm, int]:
    """The terms of the only shipment."""
    decision = planned(world, values, **demand)
    (shipment,) = decision.shipments
    assert shipment.cost == sum(shipment.costs.values())
    return shipment.costs


def planned(
    world: World, values: dict[tuple[str, str], StockValue] | None = None, /, **demand: Any
) -> SourcingDecision:
    snapshot = world.snapshot().model_copy(update={"values": values or {}})
    return plan(world.demand(**demand), snapshot, world.policy, 1)


class TestTerms:
    def test_what_comes_to_nothing_is_told_only_where_it_is_usual(self) -> None:
        assert costs(ONE, A=1).keys() == TERMS

    def test_freight_and_handling_count_by_their_weight(self) -> None:
        world = ONE.under(freight_weight=0.5, handling_weight=2.0)
        world = replace(world, nodes=(world.nodes[0].model_copy(update={"handling_cost": handling(80, 12)}),))
        found = costs(world, A=2)
        assert found[CostTerm.FREIGHT] == 150
        assert found[CostTerm.HANDLING] == 2 * 80 + 2 * 2 * 12

    def test_weight_and_exchange_rate_multiply(self) -> None:
        euros = NORTHLINE.model_copy(update={"currency": "EUR"})
        world = ONE.carried_by(euros).under(exchange_rates={"EUR": 0.9}, freight_weight=0.5)
        assert costs(world, A=1)[CostTerm.FREIGHT] == 135

    def test_packaging_is_of_the_shipment_and_of_each_unit(self) -> None:
        assert costs(ONE.under(packaging_per_shipment=30, packaging_per_unit=7), A=3)[CostTerm.PACKAGING] == 51

    @pytest.mark.parametrize(("used_", "expected"), [(0, 0), (1, 2), (25, 50), (99, 198)])
    def test_a_day_that_is_fuller_costs_more(self, used_: int, expected: int) -> None:
        world = replace(ONE.under(capacity_balance=200), capacity_used={("n", MONDAY, ""): used_})
        assert costs(world, A=1).get(CostTerm.CAPACITY, 0) == expected

    def test_the_fullness_is_that_of_the_day_it_leaves(self) -> None:
        world = replace(ONE.under(capacity_balance=200), capacity_used={("n", MONDAY, ""): 100})
        assert CostTerm.CAPACITY not in costs(world, A=1)

    @pytest.mark.parametrize(("weight", "expected"), [(0.0, 0), (0.5, 3 * 20), (1.0, 3 * 40), (2.5, 3 * 100)])
    def test_a_unit_costs_what_it_could_earn_elsewhere(self, weight: float, expected: int) -> None:
        values = {("n", "A"): StockValue(opportunity=40)}
        assert costs(ONE.under(opportunity_weight=weight), values, A=3).get(CostTerm.OPPORTUNITY, 0) == expected

    def test_a_unit_that_would_be_marked_down_is_cheaper_below_zero_too(self) -> None:
        found = costs(ONE.under(markdown_weight=1.0), {("n", "A"): StockValue(markdown=500)}, A=3)
        assert found[CostTerm.MARKDOWN] == -1500
        assert sum(found.values()) == 500 - 1500

    @pytest.mark.parametrize(
        ("daily", "expected"),
        [(0.0, 0), (50.0, 90), (25.0, 80), (5.0, 0), (2.0, 0), (500.0, 99)],
    )
    def test_stock_that_does_not_last_is_spared(self, daily: float, expected: int) -> None:
        world = ONE.under(days_of_supply={"target_days": 10, "per_unit": 100})
        assert costs(world, {("n", "A"): StockValue(daily_demand=daily)}, A=1).get(CostTerm.SUPPLY, 0) == expected

    def test_what_transport_emits_is_weight_times_distance(self) -> None:
        world = World().under(carbon=CARBON).node("far", LONDON, A=20).sku("A", 10_000)
        # 272 km x 0.5 kg a tonne-kilometre x 10.00 a kilogram: 1.36 for each of twenty units of 10 kg, 20 for packaging
        far = costs(world, A=20)[CostTerm.CARBON]
        assert far == pytest.approx(20 * 1_360 + 20, rel=0.01)
        near = World().under(carbon=CARBON).node("near", YORK, A=20).sku("A", 10_000)
        assert costs(near, A=20)[CostTerm.CARBON] < far / 6

    def test_nothing_is_emitted_where_it_is_not_known_or_not_moved(self) -> None:
        world = World().under(carbon=CARBON).node("n", LONDON, A=9, pickup=True).sku("A", 10_000)
        assert CostTerm.CARBON not in costs(world, A=1, place=None)
        assert CostTerm.CARBON not in costs(world, A=1, shipping_method="express")
        assert CostTerm.CARBON not in costs(world, A=1, shipping_method="pickup", pickup_node="n")


class TestWhatTheyDo:
    def test_scarce_stock_is_spared(self) -> None:
        world = World().under(opportunity_weight=1.0)
        world = world.node("dear", A=9, handling_cost=handling(fixed=30)).node("wanted", A=9)
        assert set(used(planned(world, A=1))) == {"wanted"}
        assert set(used(planned(world, {("wanted", "A"): StockValue(opportunity=31)}, A=1))) == {"dear"}
        assert set(used(planned(world, {("wanted", "A"): StockValue(opportunity=29)}, A=1))) == {"wanted"}

    def test_a_mark_down_draws_the_line_that_loses_and_not_the_other(self) -> None:
        world = World().under(markdown_weight=1.0, split_penalty=100)
        world = world.node("a", A=9, B=9).node("b", A=9, B=9)
        found = planned(world, {("b", "B"): StockValue(markdown=900)}, A=1, B=1)
        assert used(found) == {"b": {"A": 1, "B": 1}}
        heavy = planned(
            world.sku("A", 19_000),
            {("b", "B"): StockValue(markdown=900), ("a", "A"): StockValue(markdown=900)},
            A=1,
            B=1,
        )
        assert used(heavy) == {"a": {"A": 1}, "b": {"B": 1}}

    def test_a_full_node_is_relieved(self) -> None:
        world = (
            World().under(capacity_balance=100).node("busy", A=9).node("idle", A=9, handling_cost=handling(fixed=20))
        )
        assert set(used(decide(world, world.demand(A=1)))) == {"busy"}
        world = replace(world, capacity_used={("busy", MONDAY, ""): 50})
        assert set(used(decide(world, world.demand(A=1)))) == {"idle"}

    def test_another_carrier_is_taken_where_freight_hardly_counts(self) -> None:
        carriers = (tariff("slow", days=4), tariff("quick", factor=3, days=1))
        asked = {"requested_by": datetime.fromisoformat("2026-03-04T20:00:00+00:00"), "A": 1}
        late = World().under(lateness_per_day=100).carried_by(*carriers).node("n", A=5)
        assert planned(late, **asked).shipments[0].carrier == "slow"
        assert planned(late.under(freight_weight=0.1), **asked).shipments[0].carrier == "quick"


WEIGHTS = st.sampled_from([0.0, 0.3, 1.0, 1.7])
MONEY = st.sampled_from([0, 0, 7, 60, 250])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, Snapshot]:
    weighed: dict[str, Any] = {
        "freight_weight": draw(WEIGHTS),
        "handling_weight": draw(WEIGHTS),
        "opportunity_weight": draw(WEIGHTS),
        "markdown_weight": draw(WEIGHTS),
        **{
            name: draw(MONEY)
            for name in ("packaging_per_shipment", "packaging_per_unit", "split_penalty", "lateness_per_day",
                         "distance_per_100_km", "capacity_balance")
        },
        "priority_weight": draw(st.integers(0, 3)),
        "days_of_supply": draw(st.sampled_from([None, {"target_days": 7, "per_unit": 90}])),
        "carbon": draw(st.sampled_from([None, CARBON])),
        "together_by": draw(st.sampled_from([(), ("set",)])),
        "by": draw(st.sampled_from(["unit", "line"])),
    }  # fmt: skip
    world = World(policy=policy(**weighed)).carried_by(NORTHLINE, tariff("slow", factor=0.8, days=5))
    for number in range(draw(st.integers(1, 5))):
        place, country = draw(st.sampled_from([(YORK, "GB"), (LONDON, "GB"), (PARIS, "FR")]))
        stock = {code: draw(st.integers(0, 4)) for code in "ABC"}
        cost = handling(draw(st.integers(0, 90)), draw(st.integers(0, 30)))
        world = world.node(f"n{number}", place, country, handling_cost=cost, priority=draw(st.integers(0, 9)), **stock)
    goods = {
        code: sku(code, draw(st.sampled_from([90, 700, 2_500])), attributes=draw(st.sampled_from([{}, {"set": "x"}])))
        for code in "ABC"
    }
    world = replace(
        world, skus=goods, capacity_used={(n.id, MONDAY, ""): draw(st.integers(0, 90)) for n in world.nodes}
    )
    values = {
        (n.id, code): StockValue(
            opportunity=draw(st.integers(0, 200)),
            markdown=draw(st.integers(0, 200)),
            daily_demand=draw(st.sampled_from([0.0, 0.2, 1.0])),
        )
        for n in world.nodes
        for code in "ABC"
    }
    return world, world.snapshot().model_copy(update={"values": values})


class TestTheSumIsWhatWasMinimised:
    @settings(deadline=None, max_examples=150)
    @given(case=worlds(), units=st.lists(st.integers(1, 4), min_size=1, max_size=3), late=st.booleans())
    def test_term_by_term(self, case: tuple[World, Snapshot], units: list[int], late: bool) -> None:
        world, snapshot = case
        by = datetime.fromisoformat("2026-03-03T20:00:00+00:00") if late else None
        demand = world.demand(**dict(zip("ABC", units, strict=False)), requested_by=by)
        made = draft(demand, snapshot, Rules(world.policy, world.policy.strategies[0]))
        for solved in (made.found.best, made.found.runner_up, *made.found.alone):
            if solved is not None:
                shipments, _ = made.planned(solved)
                assert sum(shipment.cost for shipment in shipments) == solved.cost

    @settings(deadline=None, max_examples=80)
    @given(case=worlds(), units=st.lists(st.integers(1, 4), min_size=1, max_size=3), change=st.data())
    def test_a_dearer_policy_never_makes_the_plan_cheaper(
        self, case: tuple[World, Snapshot], units: list[int], change: st.DataObject
    ) -> None:
        world, snapshot = case
        name = change.draw(
            st.sampled_from(["packaging_per_shipment", "packaging_per_unit", "split_penalty", "distance_per_100_km"])
        )
        dearer = changed(world.policy, **{name: getattr(world.policy.strategies[0].cost, name) + 40})
        demand = world.demand(**dict(zip("ABC", units, strict=False)))
        before, after = (plan(demand, snapshot, each, 1) for each in (world.policy, dearer))
        if before.exact and after.exact:
            assert _filled(after) == _filled(before)
            assert after.cost >= before.cost


def _filled(decision: SourcingDecision) -> int:
    return -sum(line.quantity for line in decision.unfilled)


def test_only_what_the_policy_names_is_weighed() -> None:
    bare: Policy = FREE
    values = {("n", "A"): StockValue(opportunity=999, markdown=999, daily_demand=999.0)}
    assert costs(replace(ONE, policy=bare), values, A=1, place=LEEDS, shipping_method=ShippingMethod.STANDARD) == {
        **dict.fromkeys(TERMS, 0),
        CostTerm.FREIGHT: 300,
    }
