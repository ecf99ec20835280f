"""The planner, by the stories it has to tell."""

from itertools import pairwise

import pytest

from dom.delivery.parcels import measure
from dom.shared.errors import UnknownSku
from dom.sourcing.costs import PricedLane
from dom.sourcing.distance import great_circle_km
from dom.sourcing.models import CostTerm, DemandLine, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Fence
from tests.worlds.sourcing import (
    ATHENS,
    FREE,
    LEEDS,
    LONDON,
    MONDAY_NOON,
    NORTHLINE,
    PARIS,
    YORK,
    World,
    candidate,
    decide,
    handling,
    tariff,
    told,
    used,
    waiting,
)

NEAR_AND_FAR = World().under(distance_per_100_km=10)


class TestWhichNode:
    def test_the_nearest_wins_when_all_else_is_equal(self) -> None:
        world = NEAR_AND_FAR.node("london", LONDON, A=5).node("york", YORK, A=5)
        decision = decide(world, world.demand(A=2))
        assert used(decision) == {"york": {"A": 2}}
        assert decision.exact
        assert decision.runner_up is not None
        assert decision.runner_up.node_ids == ("london",)
        assert told(decision, "York sends both units", "3.04 GBP", "3.00 GBP for freight and 0.04 GBP for distance")

    def test_a_farther_node_wins_when_that_saves_a_split(self) -> None:
        world = NEAR_AND_FAR.under(split_penalty=250).node("york", YORK, A=5).node("london", LONDON, A=5, B=5)
        decision = decide(world, world.demand(A=1, B=1))
        assert used(decision) == {"london": {"A": 1, "B": 1}}
        assert told(decision, "York is nearer", "has only 1 of the 2 units")

    def test_a_nearer_node_that_costs_more_is_named_with_its_cost(self) -> None:
        world = World().node("york", YORK, A=5, handling_cost=handling(fixed=120)).node("london", LONDON, A=5)
        decision = decide(world, world.demand(A=1))
        assert used(decision) == {"london": {"A": 1}}
        assert candidate(decision, "york").alone_cost == 420
        assert told(decision, "York is nearer (36 km against 272 km), but would cost 4.20 GBP")

    def test_a_node_with_lower_priority_number_is_preferred(self) -> None:
        world = World().under(priority_weight=2)
        world = world.node("store", A=5, priority=40).node("warehouse", A=5, priority=20)
        decision = decide(world, world.demand(A=1))
        assert used(decision) == {"warehouse": {"A": 1}}
        assert decision.shipments[0].costs[CostTerm.PRIORITY] == 40

    def test_equal_plans_go_to_the_first_node_id(self) -> None:
        world = World().node("b", A=5).node("a", A=5).node("c", A=5)
        assert used(decide(world, world.demand(A=1))) == {"a": {"A": 1}}

    def test_the_cheapest_carrier_takes_it(self) -> None:
        world = World().carried_by(NORTHLINE, tariff("cheapline", factor=0.5)).node("n", A=5)
        shipment = decide(world, world.demand(A=1)).shipments[0]
        assert (shipment.carrier, shipment.costs[CostTerm.FREIGHT]) == ("cheapline", 150)

    def test_of_equal_carriers_the_earlier_takes_it(self) -> None:
        slow, fast = tariff("aline", days=3), tariff("zline", days=2)
        world = World().carried_by(slow, fast).node("n", A=5)
        assert decide(world, world.demand(A=1)).shipments[0].carrier == "zline"

    def test_the_place_may_be_unknown(self) -> None:
        world = NEAR_AND_FAR.node("athens", ATHENS, A=5).node("york", YORK, A=5)
        decision = decide(world, world.demand(A=1, place=None))
        assert used(decision) == {"athens": {"A": 1}}
        assert candidate(decision, "athens").distance_km is None
        assert told(decision, "distance played no part")


class TestSplitting:
    def test_an_order_no_node_has_whole_is_split(self) -> None:
        world = World().node("one", A=5).node("two", YORK, B=5)
        decision = decide(world, world.demand(A=1, B=2))
        assert used(decision) == {"one": {"A": 1}, "two": {"B": 2}}
        assert told(decision, "The order is split: 1 unit comes from One and 2 units come from Two")
        assert told(decision, "no single place", "Two has most, 2 of 3")

    def test_the_split_penalty_falls_on_each_shipment_after_the_first(self) -> None:
        world = World().under(split_penalty=70).node("a", A=5).node("b", B=5).node("c", C=5)
        decision = decide(world, world.demand(A=1, B=1, C=1))
        assert [s.costs[CostTerm.SPLIT] for s in decision.shipments] == [0, 70, 70]
        assert decision.cost == 3 * 300 + 140

    def test_a_weight_break_makes_two_parcels_cheaper_than_one(self) -> None:
        world = World().node("one", A=9, B=9).node("two", YORK, A=9, B=9)
        light = decide(world.sku("A", 3_000), world.demand(A=1, B=1))
        assert (used(light), light.cost) == ({"one": {"A": 1, "B": 1}}, 500)
        heavy = world.sku("A", 4_800).sku("B", 9_800)
        apart = decide(heavy, heavy.demand(A=1, B=1))
        assert sorted(list(goods) for goods in used(apart).values()) == [["A"], ["B"]]
        assert (len(apart.shipments), apart.cost, apart.exact) == (2, 500 + 800, True)
        together = decide(heavy.under(split_penalty=201), heavy.demand(A=1, B=1))
        assert (used(together), together.cost) == ({"one": {"A": 1, "B": 1}}, 1_500)

    def test_a_split_that_is_cheaper_says_so(self) -> None:
        world = World().node("home", LEEDS, A=5).node("paris", PARIS, "FR", A=5, B=5).sku("A", 4_000).sku("B", 500)
        decision = decide(world, world.demand(A=1, B=1))
        assert used(decision) == {"home": {"A": 1}, "paris": {"B": 1}}
        assert decision.cost == 500 + 900
        assert told(decision, "It is split because Paris, the cheapest place to send everything from", "15.00 GBP")

    def test_the_weight_break_decides_who_gives_the_free_line(self) -> None:
        world = World().node("one", A=5, C=5).node("two", YORK, B=5, C=5)
        world = world.sku("A", 700).sku("B", 300).sku("C", 500)
        decision = decide(world, world.demand(A=1, B=1, C=1))
        assert used(decision) == {"one": {"A": 1}, "two": {"B": 1, "C": 1}}
        assert decision.cost == 600
        assert decision.exact

    def test_moving_one_line_at_a_time_is_not_enough_to_find_the_best_deal(self) -> None:
        stock = dict.fromkeys("ABCDE", 1)
        world = World().node("one", **stock).node("two", YORK, **stock)
        for code, grams in zip("ABCDE", (3_000, 3_000, 1_800, 600, 1_800), strict=True):
            world = world.sku(code, grams)
        decision = decide(world, world.demand(**stock))
        assert used(decision) == {"one": {"A": 1, "B": 1, "C": 1, "E": 1}, "two": {"D": 1}}
        assert (decision.cost, decision.exact) == (800 + 300, True)

    @pytest.mark.parametrize(("dear", "expected"), [("one", {"one": 1, "two": 4}), ("two", {"one": 3, "two": 2})])
    def test_a_line_parts_so_that_the_dearer_node_gives_less(self, dear: str, expected: dict[str, int]) -> None:
        cost = {name: handling(per_unit=10 if name == dear else 1) for name in ("one", "two")}
        world = (
            World().node("one", A=3, handling_cost=cost["one"]).node("two", A=4, handling_cost=cost["two"]).sku("A", 10)
        )
        decision = decide(world, world.demand(A=5))
        assert {node_id: goods["A"] for node_id, goods in used(decision).items()} == expected

    def test_volume_counts_where_it_is_more_than_weight(self) -> None:
        world = World().node("n", A=5).sku("A", grams=10, side_mm=200)
        shipment = decide(world, world.demand(A=1)).shipments[0]
        assert shipment.costs[CostTerm.FREIGHT] == 500
        assert shipment.weight_grams == 160

    def test_units_of_a_line_part_only_where_no_node_has_it_whole(self) -> None:
        world = World().node("big", A=5).node("small", YORK, A=3, B=1)
        decision = decide(world, world.demand(A=5, B=1))
        assert used(decision) == {"big": {"A": 5}, "small": {"B": 1}}
        parted = decide(world, world.demand(A=7))
        assert used(parted) in ({"big": {"A": 5}, "small": {"A": 2}}, {"big": {"A": 4}, "small": {"A": 3}})
        assert not parted.unfilled

    def test_two_lines_of_one_sku_draw_on_one_stock_and_stay_whole(self) -> None:
        world = World().node("one", A=2).node("two", YORK, A=3)
        lines = (DemandLine(line_id="1", sku="A", quantity=2), DemandLine(line_id="2", sku="A", quantity=3))
        decision = decide(world, world.demand(lines=lines))
        assert {s.node_id: s.lines for s in decision.shipments} == {"one": (lines[0],), "two": (lines[1],)}
        too_much = (*lines, DemandLine(line_id="3", sku="A", quantity=1))
        assert [line.line_id for line in decide(world, world.demand(lines=too_much)).unfilled] == ["3"]

    def test_a_policy_of_one_shipment_leaves_the_rest_waiting(self) -> None:
        world = World().under(maximum_shipments=1).node("a", A=5).node("b", B=9)
        decision = decide(world, world.demand(A=1, B=3))
        assert used(decision) == {"b": {"B": 3}}
        assert waiting(decision) == {"A": 1}
        assert told(decision, "lacks 1 unit of A", "may be split into 1 shipment at most")


class TestNotEnough:
    def test_nothing_in_stock_leaves_all_waiting(self) -> None:
        world = World().node("a", A=0).node("b", A=0)
        decision = decide(world, world.demand(A=4))
        assert not decision.shipments
        assert waiting(decision) == {"A": 4}
        assert decision.promise is None
        assert decision.exact
        assert decision.others == {Fence.STOCK: 2}
        assert told(decision, "No place in the network has any of the 4 units")

    def test_a_balance_below_nothing_is_nothing(self) -> None:
        world = World().node("a", A=-3).node("b", YORK, A=2)
        assert used(decide(world, world.demand(A=2))) == {"b": {"A": 2}}

    def test_what_there_is_is_shipped_and_the_rest_waits(self) -> None:
        world = World().node("a", A=3)
        decision = decide(world, world.demand(A=5))
        assert used(decision) == {"a": {"A": 3}}
        assert waiting(decision) == {"A": 2}
        assert candidate(decision, "a").alone_cost is None
        assert told(decision, "A sends 3 of the 5 units")
        assert told(decision, "lacks 2 units of A", "no other place")

    def test_more_units_come_before_less_cost(self) -> None:
        world = World().node("cheap", A=4).node("dear", PARIS, "FR", A=5)
        assert used(decide(world.under(maximum_shipments=1), world.demand(A=5))) == {"dear": {"A": 5}}
        both = decide(world, world.demand(A=9))
        assert used(both) == {"cheap": {"A": 4}, "dear": {"A": 5}}

    def test_an_empty_network_gives_nothing(self) -> None:
        world = World().sku("A")
        decision = decide(world, world.demand(A=1))
        assert waiting(decision) == {"A": 1}
        assert decision.candidates == ()

    def test_a_sku_nobody_knows_is_the_callers_mistake(self) -> None:
        world = World().node("a", A=1)
        with pytest.raises(UnknownSku) as error:
            plan(world.demand(A=1, X=1), world.snapshot(), FREE, 1)
        assert error.value.field == "lines[1].sku"


class TestTheRecord:
    def test_a_decision_says_what_it_was_made_with(self) -> None:
        world = World().node("n", A=5)
        decision = decide(world, world.demand(A=1))
        assert (decision.order_id, decision.policy_version, decision.decided_at) == ("web-1", 7, MONDAY_NOON)
        assert SourcingDecision.model_validate_json(decision.model_dump_json()) == decision

    def test_the_weight_is_that_of_the_packed_parcel(self) -> None:
        world = World().node("n", A=5, B=5).sku("B", 3_000)
        shipment = decide(world, world.demand(A=2, B=1)).shipments[0]
        assert shipment.weight_grams == measure((("A", 2), ("B", 1)), world.skus).weight_grams

    @pytest.mark.parametrize("side", [1, 37, 50, 99, 100, 250, 333, 1_200])
    @pytest.mark.parametrize("units", [1, 3, 400])
    def test_chargeable_weight_is_the_same_here_and_at_the_carrier(self, side: int, units: int) -> None:
        goods = World().sku("A", 400, side).skus
        size = measure((("A", units),), goods)
        rate = next(iter(NORTHLINE.rates.values()))
        lane = PricedLane("northline", rate, NORTHLINE.divisor, 1.0)
        assert lane.chargeable(400 * units, goods["A"].volume_mm3 * units) == size.chargeable_grams(NORTHLINE.divisor)

    def test_money_adds_up(self) -> None:
        world = World().under(split_penalty=250, distance_per_100_km=4, priority_weight=2)
        world = world.node("a", YORK, A=5, handling_cost=handling(80, 12)).node("b", PARIS, "FR", B=5)
        decision = decide(world, world.demand(A=2, B=1))
        assert [sum(s.costs.values()) for s in decision.shipments] == [300 + 80 + 24 + 1 + 20, 900 + 250 + 24 + 20]
        assert decision.cost == sum(s.cost for s in decision.shipments)

    def test_kilometres_are_those_on_the_map(self) -> None:
        assert great_circle_km(LEEDS.latitude, LEEDS.longitude, LONDON) == pytest.approx(272, abs=2)
        assert great_circle_km(LONDON.latitude, LONDON.longitude, PARIS) == pytest.approx(344, abs=2)
        assert great_circle_km(LEEDS.latitude, LEEDS.longitude, LEEDS) == 0

    def test_a_large_network_is_searched_within_its_limits(self) -> None:
        world = World()
        for number in range(60):
            world = world.node(f"n{number:02}", **{f"S{number % 12}": 3, f"S{(number + 5) % 12}": 1})
        decision = decide(world, world.demand(**{f"S{number}": 2 for number in range(12)}))
        assert len(decision.shipments) == 3
        assert not decision.exact
        assert told(decision, "a cheaper one may exist") or len(decision.reasons) == 8
        assert all(a.node_id < b.node_id for a, b in pairwise(decision.shipments))
