"""The planner, by the stories it has to tell."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from worlds import ATHENS, FREE, LEEDS, LONDON, MONDAY_NOON, NORTHLINE, PARIS, YORK, World, handling, tariff

from dom.errors import UnknownSku
from dom.network import NodeKind, ShippingMethod
from dom.ofl.costs import Lane
from dom.ofl.distance import great_circle_km
from dom.ofl.models import Candidate, CostTerm, Demand, DemandLine, Fence, SourcingDecision
from dom.ofl.planner import plan
from dom.parcels import measure

MONDAY = date(2026, 3, 2)
NEAR_AND_FAR = World().under(distance_per_100_km=10)


def decide(world: World, demand: Demand) -> SourcingDecision:
    decision = plan(demand, world.snapshot(), world.policy, 7)
    assert 2 <= len(decision.reasons) <= 6
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in decision.reasons)
    return decision


def used(decision: SourcingDecision) -> dict[str, dict[str, int]]:
    """Units by SKU by node."""
    return {s.node_id: {line.sku: line.quantity for line in s.lines} for s in decision.shipments}


def waiting(decision: SourcingDecision) -> dict[str, int]:
    return {line.sku: line.quantity for line in decision.unfilled}


def candidate(decision: SourcingDecision, node_id: str) -> Candidate:
    return next(c for c in decision.candidates if c.node_id == node_id)


def failed(decision: SourcingDecision, node_id: str) -> Fence | None:
    """The fence a node failed; all before it were passed."""
    fences = candidate(decision, node_id).fences
    assert all(result.passed for result in fences[:-1])
    return None if fences[-1].passed else fences[-1].fence


def told(decision: SourcingDecision, *words: str) -> bool:
    """Whether one sentence says all of it."""
    return any(all(word in sentence for word in words) for sentence in decision.reasons)


class TestWhichNode:
    def test_the_nearest_wins_when_all_else_is_equal(self) -> None:
        world = NEAR_AND_FAR.node("london", LONDON, A=5).node("york", YORK, A=5)
        decision = decide(world, world.demand(A=2))
        assert used(decision) == {"york": {"A": 2}}
        assert decision.exact
        assert decision.runner_up is not None
        assert decision.runner_up.node_ids == ("london",)
        assert told(decision, "York ships everything", "3.04 GBP", "freight 3.00 GBP", "distance 0.04 GBP")

    def test_a_farther_node_wins_when_that_saves_a_split(self) -> None:
        world = NEAR_AND_FAR.under(split_penalty=250).node("york", YORK, A=5).node("london", LONDON, A=5, B=5)
        decision = decide(world, world.demand(A=1, B=1))
        assert used(decision) == {"london": {"A": 1, "B": 1}}
        assert told(decision, "York is nearer", "1 of 2 lines")

    def test_a_nearer_node_that_costs_more_is_named_with_its_cost(self) -> None:
        world = World().node("york", YORK, A=5, handling_cost=handling(fixed=120)).node("london", LONDON, A=5)
        decision = decide(world, world.demand(A=1))
        assert used(decision) == {"london": {"A": 1}}
        assert candidate(decision, "york").alone_cost == 420
        assert told(decision, "York is nearer (36 km against 272 km) but would cost 4.20 GBP alone")

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
        assert told(decision, "split (1 unit from One and 2 units from Two)", "no single node")

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
        assert told(decision, "cheaper than Paris alone", "15.00 GBP")

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
        assert told(decision, "1 of A", "the policy allows 1 shipment an order")


class TestNotEnough:
    def test_nothing_in_stock_leaves_all_waiting(self) -> None:
        world = World().node("a", A=0).node("b", A=0)
        decision = decide(world, world.demand(A=4))
        assert not decision.shipments
        assert waiting(decision) == {"A": 4}
        assert decision.promise is None
        assert decision.exact
        assert failed(decision, "a") is Fence.STOCK
        assert told(decision, "backorder", "4 units")

    def test_a_balance_below_nothing_is_nothing(self) -> None:
        world = World().node("a", A=-3).node("b", YORK, A=2)
        assert used(decide(world, world.demand(A=2))) == {"b": {"A": 2}}

    def test_what_there_is_is_shipped_and_the_rest_waits(self) -> None:
        world = World().node("a", A=3)
        decision = decide(world, world.demand(A=5))
        assert used(decision) == {"a": {"A": 3}}
        assert waiting(decision) == {"A": 2}
        assert candidate(decision, "a").alone_cost is None
        assert told(decision, "ships what there is")
        assert told(decision, "Waiting for stock: 2 of A", "No other node")

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


class TestFences:
    def two(self, **changes: object) -> World:
        """The better node with changes, and a plain dearer one."""
        return World().node("better", A=5, **changes).node("plain", YORK, A=5, handling_cost=handling(fixed=50))

    def test_without_changes_the_better_node_is_taken(self) -> None:
        decision = decide(self.two(), self.two().demand(A=1))
        assert used(decision) == {"better": {"A": 1}}
        assert [f.fence for f in candidate(decision, "better").fences] == [
            Fence.ACTIVE,
            Fence.NOT_EXCLUDED,
            Fence.SHIPS_TO_COUNTRY,
            Fence.WITHIN_DISTANCE,
            Fence.CURRENCY,
            Fence.SERVICE,
            Fence.STOCK,
            Fence.CAPACITY,
        ]

    @pytest.mark.parametrize(
        ("changes", "fence", "words"),
        [
            ({"active": False}, Fence.ACTIVE, "switched off"),
            ({"ships_to": ("FR",)}, Fence.SHIPS_TO_COUNTRY, "ships to FR only"),
            ({"services": ("express",)}, Fence.SERVICE, "cannot ship standard to GB (offers express)"),
            ({"currency": "EUR"}, Fence.CURRENCY, "no exchange rate"),
            ({"daily_capacity": 0}, Fence.CAPACITY, "no open day with room"),
            ({"opening_hours": "off"}, Fence.CAPACITY, "no open day with room"),
        ],
    )
    def test_a_node_that_fails_a_fence_is_left_out_and_the_fence_named(
        self, changes: dict[str, object], fence: Fence, words: str
    ) -> None:
        world = self.two(**changes)
        decision = decide(world, world.demand(A=1))
        assert used(decision) == {"plain": {"A": 1}}
        assert failed(decision, "better") is fence
        assert candidate(decision, "better").lines_in_full == 1
        assert told(decision, "Not considered though in stock: Better", words)

    def test_a_node_that_has_failed_the_order_is_not_asked_again(self) -> None:
        decision = decide(self.two(), self.two().demand(A=1, excluded_nodes=frozenset({"better"})))
        assert used(decision) == {"plain": {"A": 1}}
        assert failed(decision, "better") is Fence.NOT_EXCLUDED
        assert told(decision, "Better has failed this order before")

    def test_a_kind_of_node_can_be_kept_to_a_distance(self) -> None:
        world = World().node("store", LONDON, A=5, kind=NodeKind.STORE)
        world = world.node("warehouse", LONDON, A=5, handling_cost=handling(fixed=50))
        assert used(decide(world, world.demand(A=1))) == {"store": {"A": 1}}
        limited = world.under(maximum_distance_km={NodeKind.STORE: 200})
        decision = decide(limited, limited.demand(A=1))
        assert used(decision) == {"warehouse": {"A": 1}}
        assert failed(decision, "store") is Fence.WITHIN_DISTANCE
        assert told(decision, "Store is 272 km away", "at most 200 km")
        unknown = decide(limited, limited.demand(A=1, place=None))
        assert used(unknown) == {"store": {"A": 1}}

    def test_a_country_no_carrier_goes_to_is_out_of_reach(self) -> None:
        decision = decide(self.two(), self.two().demand(A=1, country="JP", place=None))
        assert waiting(decision) == {"A": 1}
        assert failed(decision, "plain") is Fence.SERVICE
        assert told(decision, "cannot ship standard to JP (no carrier from GB)")

    def test_costs_in_another_currency_count_at_the_policys_rate(self) -> None:
        world = World().under(exchange_rates={"EUR": 0.5})
        world = world.node("euro", A=5, currency="EUR", handling_cost=handling(fixed=100))
        world = world.node("pound", A=5, handling_cost=handling(fixed=60))
        decision = decide(world, world.demand(A=1))
        assert used(decision) == {"euro": {"A": 1}}
        assert decision.shipments[0].costs[CostTerm.HANDLING] == 50

    def test_a_carrier_in_another_currency_is_used_only_with_a_rate(self) -> None:
        euros = tariff("euroline", factor=0.5).model_copy(update={"currency": "EUR"})
        world = World().carried_by(NORTHLINE, euros).node("n", A=5)
        assert decide(world, world.demand(A=1)).shipments[0].carrier == "northline"
        rated = world.under(exchange_rates={"EUR": 0.9})
        shipment = decide(rated, rated.demand(A=1)).shipments[0]
        assert (shipment.carrier, shipment.costs[CostTerm.FREIGHT]) == ("euroline", 135)


class TestWhenItLeaves:
    def test_before_the_cut_off_it_leaves_today(self) -> None:
        world = World().node("n", A=5)
        shipment = decide(world, world.demand(A=1)).shipments[0]
        assert (shipment.ship_day, shipment.ship_by) == (MONDAY, datetime(2026, 3, 2, 16, tzinfo=UTC))
        assert shipment.promise.earliest == datetime(2026, 3, 4, 8, tzinfo=UTC)
        assert shipment.promise.latest == datetime(2026, 3, 4, 20, tzinfo=UTC)

    def test_after_the_cut_off_it_leaves_tomorrow(self) -> None:
        world = World().node("n", A=5, cut_off=time(11, 59))
        assert decide(world, world.demand(A=1)).shipments[0].ship_day == MONDAY + timedelta(days=1)

    def test_a_full_day_moves_it_to_the_next(self) -> None:
        world = World().node("n", A=5).full("n", MONDAY, MONDAY + timedelta(days=1))
        decision = decide(world, world.demand(A=1))
        assert decision.shipments[0].ship_day == date(2026, 3, 4)
        assert told(decision, "leaves N on Wed 04 Mar")

    def test_capacity_left_for_one_more_is_enough(self) -> None:
        world = World().node("n", A=5, daily_capacity=3)
        snapshot = world.snapshot().model_copy(update={"capacity_used": {("n", MONDAY): 2}})
        assert plan(world.demand(A=1), snapshot, FREE, 1).shipments[0].ship_day == MONDAY

    def test_over_the_change_of_clocks_the_cut_off_keeps_its_local_hour(self) -> None:
        world = World().node("n", A=5, opening_hours="24/7")
        late = datetime(2026, 3, 28, 16, 30, tzinfo=UTC)
        shipment = decide(world, world.demand(A=1, as_of=late)).shipments[0]
        assert shipment.ship_by == datetime(2026, 3, 29, 15, tzinfo=UTC)
        assert shipment.promise.latest == datetime(2026, 3, 31, 19, tzinfo=UTC)

    def test_a_date_asked_for_makes_a_dearer_node_win(self) -> None:
        world = World().under(lateness_per_day=400)
        world = world.node("cheap", A=5, cut_off=time(10)).node("dear", A=5, handling_cost=handling(fixed=300))
        assert used(decide(world, world.demand(A=1))) == {"cheap": {"A": 1}}
        in_time = decide(world, world.demand(A=1, requested_by=datetime(2026, 3, 4, 20, tzinfo=UTC)))
        assert used(in_time) == {"dear": {"A": 1}}
        assert in_time.shipments[0].costs[CostTerm.LATENESS] == 0

    def test_a_date_asked_for_makes_a_dearer_carrier_win(self) -> None:
        world = World().under(lateness_per_day=400).node("n", A=5)
        world = world.carried_by(tariff("slow", days=4), tariff("quick", factor=1.5, days=2))
        by = datetime(2026, 3, 4, 20, tzinfo=UTC)
        assert decide(world, world.demand(A=1)).shipments[0].carrier == "slow"
        shipment = decide(world, world.demand(A=1, requested_by=by)).shipments[0]
        assert (shipment.carrier, shipment.cost) == ("quick", 450)

    def test_every_day_begun_late_counts(self) -> None:
        world = World().under(lateness_per_day=400).node("n", A=5)
        arrival = datetime(2026, 3, 4, 20, tzinfo=UTC)
        asked = {timedelta(0): 0, timedelta(minutes=1): 400, timedelta(days=1): 400, timedelta(days=1, minutes=1): 800}
        for early, cost in asked.items():
            decision = decide(world, world.demand(A=1, requested_by=arrival - early))
            assert decision.shipments[0].costs[CostTerm.LATENESS] == cost
            assert told(decision, "later than was asked for") is (cost > 0)

    def test_express_is_quicker_and_dearer(self) -> None:
        world = World().node("n", A=5)
        shipment = decide(world, world.demand(A=1, shipping_method="express")).shipments[0]
        assert (shipment.service, shipment.cost) == (ShippingMethod.EXPRESS, 600)
        assert shipment.promise.latest == datetime(2026, 3, 3, 20, tzinfo=UTC)


class TestPickup:
    WORLD = (
        World()
        .under(lateness_per_day=400)
        .node("shop", A=5, pickup=True, handling_cost=handling(fixed=30, per_unit=5), opening_hours="Mo-Sa 10:00-18:00")
        .node("warehouse", A=50, B=50)
    )

    def test_it_comes_from_the_node_the_customer_named_without_a_carrier(self) -> None:
        decision = decide(self.WORLD, self.WORLD.demand(A=2, shipping_method="pickup", pickup_node="shop"))
        shipment = decision.shipments[0]
        assert used(decision) == {"shop": {"A": 2}}
        assert (shipment.carrier, shipment.service, shipment.cost) == (None, ShippingMethod.PICKUP, 40)
        assert shipment.costs[CostTerm.FREIGHT] == 0
        assert shipment.promise.earliest == datetime(2026, 3, 2, 14, tzinfo=UTC)
        assert failed(decision, "warehouse") is Fence.PICKUP
        assert told(decision, "Shop hands out everything")
        assert told(decision, "collected from Mon 02 Mar 14:00 UTC")

    def test_no_other_node_fills_what_the_named_one_lacks(self) -> None:
        decision = decide(self.WORLD, self.WORLD.demand(A=9, B=1, shipping_method="pickup", pickup_node="shop"))
        assert used(decision) == {"shop": {"A": 5}}
        assert waiting(decision) == {"A": 4, "B": 1}

    def test_a_node_that_does_not_hand_out_gives_nothing(self) -> None:
        demand = self.WORLD.demand(A=1, shipping_method="pickup", pickup_node="warehouse")
        decision = decide(self.WORLD, demand)
        assert waiting(decision) == {"A": 1}
        assert told(decision, "Warehouse cannot hand it out")

    def test_being_late_counts_from_when_it_is_ready(self) -> None:
        demand = self.WORLD.demand(A=1, shipping_method="pickup", pickup_node="shop", requested_by=MONDAY_NOON)
        assert decide(self.WORLD, demand).shipments[0].costs[CostTerm.LATENESS] == 400


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
        lane = Lane("northline", rate, NORTHLINE.divisor, 1.0)
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
        assert told(decision, "a cheaper plan may exist") or len(decision.reasons) == 6
        assert all(a.node_id < b.node_id for a, b in pairwise(decision.shipments))
