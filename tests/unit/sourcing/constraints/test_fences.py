"""Which nodes may take part, when the goods leave, and pick-up."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.network import Handling, NodeAddress, NodeKind, ShippingMethod
from dom.sourcing.constraints.fences import examine_in_full
from dom.sourcing.models import CostTerm, Demand, DemandLine, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.planning.candidate_plan import draft
from dom.sourcing.policy.document import Fence, Relaxable
from dom.sourcing.policy.strategy import Rules
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import (
    FREE,
    LONDON,
    MONDAY,
    MONDAY_NOON,
    NORTHLINE,
    PARIS,
    YORK,
    World,
    candidate,
    decide,
    failed,
    handling,
    in_full,
    sku,
    tariff,
    told,
    used,
    waiting,
)


class TestFences:
    def two(self, **changes: object) -> World:
        """The better node with changes, and a plain dearer one."""
        return World().node("better", A=5, **changes).node("plain", YORK, A=5, handling_cost=handling(fixed=50))

    def test_without_changes_the_better_node_is_taken(self) -> None:
        decision = decide(self.two(), self.two().demand(A=1))
        assert used(decision) == {"better": {"A": 1}}
        assert candidate(decision, "better").fences == ()
        assert [f.fence for f in in_full(self.two(), self.two().demand(A=1))["better"]] == [
            Fence.ACTIVE,
            Fence.NOT_EXCLUDED,
            Fence.SHIPS_TO_COUNTRY,
            Fence.CURRENCY,
            Fence.SERVICE,
            Fence.STOCK,
            Fence.CAPACITY,
        ]

    @pytest.mark.parametrize(
        ("changes", "fence", "words"),
        [
            ({"active": False}, Fence.ACTIVE, "switched off"),
            ({"ships_to": ("FR",)}, Fence.SHIPS_TO_COUNTRY, "does not send to GB"),
            ({"services": ("express",)}, Fence.SERVICE, "cannot send standard to GB (offers express)"),
            ({"currency": "EUR"}, Fence.CURRENCY, "cannot be compared"),
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
        assert told(decision, "Better", words)

    def test_a_node_that_has_failed_the_order_is_not_asked_again(self) -> None:
        decision = decide(self.two(), self.two().demand(A=1, excluded_nodes=frozenset({"better"})))
        assert used(decision) == {"plain": {"A": 1}}
        assert failed(decision, "better") is Fence.NOT_EXCLUDED
        assert told(decision, "Better", "has failed this order before")

    def test_a_kind_of_node_can_be_kept_to_a_distance(self) -> None:
        world = World().node("store", LONDON, A=5, kind=NodeKind.STORE)
        world = world.node("warehouse", LONDON, A=5, handling_cost=handling(fixed=50))
        assert used(decide(world, world.demand(A=1))) == {"store": {"A": 1}}
        limited = world.under(maximum_distance_km={NodeKind.STORE: 200})
        decision = decide(limited, limited.demand(A=1))
        assert used(decision) == {"warehouse": {"A": 1}}
        assert failed(decision, "store") is Fence.WITHIN_DISTANCE
        assert told(decision, "Store", "is 272 km away", "at most 200 km")
        unknown = decide(limited, limited.demand(A=1, place=None))
        assert used(unknown) == {"store": {"A": 1}}

    def test_a_country_no_carrier_goes_to_is_out_of_reach(self) -> None:
        decision = decide(self.two(), self.two().demand(A=1, country="JP", place=None))
        assert waiting(decision) == {"A": 1}
        assert failed(decision, "plain") is Fence.SERVICE
        assert told(decision, "cannot send standard to JP (no carrier from GB)")

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
        assert told(decision, "leaves N on Wednesday 4 March")

    def test_capacity_left_for_one_more_is_enough(self) -> None:
        world = World().node("n", A=5, daily_capacity=3)
        snapshot = world.snapshot().model_copy(update={"capacity_used": {("n", MONDAY, ""): 2}})
        assert plan(world.demand(A=1), snapshot, FREE, 1).shipments[0].ship_day == MONDAY

    @pytest.mark.parametrize(
        ("taken", "leaves_on"), [({"": 4, "standard": 2}, MONDAY), ({"": 4, "standard": 3}, MONDAY + timedelta(days=1)),
                                 ({"": 5, "standard": 0}, MONDAY + timedelta(days=1)), ({"express": 9}, MONDAY)]
    )  # fmt: skip
    def test_a_full_day_of_its_service_moves_it_too(self, taken: dict[str, int], leaves_on: date) -> None:
        world = World().node("n", A=5, daily_capacity=5, service_capacity={"standard": 3, "express": 9})
        capacity_used = {("n", MONDAY, service): units for service, units in taken.items()}
        snapshot = world.snapshot().model_copy(update={"capacity_used": capacity_used})
        assert plan(world.demand(A=1), snapshot, FREE, 1).shipments[0].ship_day == leaves_on

    def test_a_node_that_does_nothing_of_the_service_takes_no_part(self) -> None:
        world = World().node("n", A=5, service_capacity={"standard": 0})
        assert failed(decide(world, world.demand(A=1)), "n") is Fence.CAPACITY
        express = world.demand(A=1, shipping_method=ShippingMethod.EXPRESS)
        assert failed(decide(world, express), "n") is None

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
            assert told(decision, "later than", "for which it was asked") is (cost > 0)

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
        assert decision.others == {Fence.PICKUP: 1}
        assert told(decision, "Shop hands out both units")
        assert told(decision, "collected from 14:00 on Monday 2 March")

    def test_no_other_node_fills_what_the_named_one_lacks(self) -> None:
        decision = decide(self.WORLD, self.WORLD.demand(A=9, B=1, shipping_method="pickup", pickup_node="shop"))
        assert used(decision) == {"shop": {"A": 5}}
        assert waiting(decision) == {"A": 4, "B": 1}

    def test_a_node_that_does_not_hand_out_gives_nothing(self) -> None:
        demand = self.WORLD.demand(A=1, shipping_method="pickup", pickup_node="warehouse")
        decision = decide(self.WORLD, demand)
        assert waiting(decision) == {"A": 1}
        assert told(decision, "Warehouse", "cannot hand goods out")

    def test_being_late_counts_from_when_it_is_ready(self) -> None:
        demand = self.WORLD.demand(A=1, shipping_method="pickup", pickup_node="shop", requested_by=MONDAY_NOON)
        assert decide(self.WORLD, demand).shipments[0].costs[CostTerm.LATENESS] == 400


class TestThePolicysFences:
    """Each fence against a node that passes and one that does not; what was expected and found is told."""

    def world(self) -> World:
        """Two warehouses and a shop in Leeds, and a warehouse in Paris that anybody would rather not use."""
        region = {"address": NodeAddress(lines=("1",), city="Ripon", region="Yorkshire", country="GB")}
        return (
            World()
            .node("one", A=5, **region)
            .node("two", A=5, handling_cost=handling(fixed=10))
            .node("shop", A=5, kind=NodeKind.STORE, handling_cost=handling(fixed=20))
            .node("paris", PARIS, "FR", A=5, handling_cost=handling(fixed=30))
        )

    @pytest.mark.parametrize(
        ("fences", "order", "fence", "left_out", "expected"),
        [
            ({"nodes": ["two", "shop"]}, {}, Fence.NETWORK, {"one", "paris"}, "two or shop"),
            ({"groups": ["british"]}, {}, Fence.NETWORK, {"paris"}, "group british"),
            ({"groups": ["shops"], "nodes": ["paris"]}, {}, Fence.NETWORK, {"one", "two"}, "paris or group shops"),
            ({"kinds": ["store"]}, {}, Fence.NETWORK, {"one", "two", "paris"}, "a store"),
            ({"excluded_nodes": ["one"]}, {}, Fence.NETWORK, {"one"}, "not one"),
            ({"excluded_groups": ["nested"]}, {}, Fence.NETWORK, {"shop", "paris"}, "not group nested"),
            ({"excluded_kinds": ["warehouse"]}, {}, Fence.NETWORK, {"one", "two", "paris"}, "not any warehouse"),
            ({"countries": ["FR"]}, {}, Fence.PLACE, {"one", "two", "shop"}, "FR"),
            ({"regions": ["Yorkshire"]}, {}, Fence.PLACE, {"two", "shop", "paris"}, "Yorkshire"),
            ({"same_country": True}, {}, Fence.PLACE, {"paris"}, "GB, where the goods go"),
            ({"same_country": True}, {"country": "FR"}, Fence.PLACE, {"one", "two", "shop"}, "FR, where"),
            ({"same_region": True}, {"region": "Yorkshire"}, Fence.PLACE, {"two", "shop", "paris"}, "Yorkshire, where"),
            ({"same_region": True}, {}, Fence.PLACE, {"paris"}, "GB, where the goods go"),
            ({"maximum_distance_km": {"any": 100}}, {}, Fence.WITHIN_DISTANCE, {"paris"}, "at most 100 km"),
            ({"keep_back": {"store": 5}}, {}, Fence.KEPT_BACK, {"shop"}, "keeps 5"),
            ({"minimum_picking_value": {"store": 2001}}, {}, Fence.PICKING_VALUE, {"shop"}, "20.01 GBP"),
            ({"capacity_kept_percent": {"store": 100}}, {}, Fence.CAPACITY_KEPT, {"shop"}, "takes 0 of 100"),
        ],
    )
    def test_leaves_out_those_that_do_not_meet_it(
        self, fences: dict[str, Any], order: dict[str, Any], fence: Fence, left_out: set[str], expected: str
    ) -> None:
        groups = {
            "british": {"countries": ["GB"]},
            "shops": {"kinds": ["store"]},
            "nested": {"nodes": ["paris"], "groups": ["shops"]},
        }
        world = self.world().under(fences=fences, groups=groups)
        demand = world.demand(lines=(DemandLine(line_id="1", sku="A", quantity=2, unit_price=1000),), **order)
        decision = decide(world, demand)
        assert {c.node_id for c in decision.candidates if c.fences} == left_out
        assert {failed(decision, node_id) for node_id in left_out} == {fence}
        assert all(expected in candidate(decision, node_id).fences[0].expected for node_id in left_out)
        assert all(candidate(decision, node_id).fences[0].actual for node_id in left_out)
        assert set(used(decision)).isdisjoint(left_out)
        assert used(decision)

    @pytest.mark.parametrize("fence", [f for f in Fence if f in get_args(Relaxable)])
    def test_one_that_is_given_up_is_not_asked(self, fence: Fence) -> None:
        strict = {
            Fence.NETWORK: {"nodes": ["nobody"]},
            Fence.PLACE: {"countries": ["JP"]},
            Fence.WITHIN_DISTANCE: {"maximum_distance_km": {"any": 0}},
            Fence.CARRIER: {"carriers": ["nobody"]},
            Fence.KEPT_BACK: {"keep_back": {"any": 9}},
            Fence.PICKING_VALUE: {"minimum_picking_value": {"any": 10**6}},
            Fence.COMPLETE_ONLY: {"complete_only": list(NodeKind)},
            Fence.CAPACITY_KEPT: {"capacity_kept_percent": {"any": 100}},
            Fence.LEAVES_IN_TIME: {"leaves_within_days": 0},
            Fence.ARRIVES_IN_TIME: {"arrives_in_time": True},
        }[fence]
        world = World(policy=policy(fences=strict)).node("n", LONDON, A=1, cut_off=time(9))
        demand = world.demand(A=2, requested_by=MONDAY_NOON)
        first = decide(world, demand)
        assert (used(first), failed(first, "n")) == ({}, fence)
        willing = World(policy=policy(strategy(fences=strict, on_none={"relax": [fence]})), nodes=world.nodes)
        willing = replace(willing, skus=world.skus, available=world.available)
        second = decide(willing, demand)
        assert (used(second), second.relaxed) == ({"n": {"A": 1}}, (fence,))
        assert [attempt.relaxed for attempt in second.tried] == [(), (fence,)]

    def test_a_carrier_the_policy_excludes_is_not_taken(self) -> None:
        carriers = (tariff("cheap", factor=0.5), tariff("dear"))
        world = World().carried_by(*carriers).node("n", A=5)
        assert decide(world, world.demand(A=1)).shipments[0].carrier == "cheap"
        for fences in ({"excluded_carriers": ["cheap"]}, {"carriers": ["dear", "nobody"]}):
            assert decide(world.under(fences=fences), world.demand(A=1)).shipments[0].carrier == "dear"
        none = world.under(excluded_carriers=["cheap", "dear"])
        decision = decide(none, none.demand(A=1))
        assert failed(decision, "n") is Fence.CARRIER
        assert candidate(decision, "n").fences[0].actual == "cheap, dear"

    def test_what_is_kept_back_stays(self) -> None:
        world = (
            World()
            .under(keep_back={"store": 3})
            .node("shop", A=5, B=2, kind=NodeKind.STORE)
            .node("far", PARIS, "FR", B=9)
        )
        decision = decide(world, world.demand(A=4, B=1))
        assert used(decision) == {"shop": {"A": 2}, "far": {"B": 1}}
        assert waiting(decision) == {"A": 2}

    def test_a_day_moves_to_one_with_more_room(self) -> None:
        world = World().under(capacity_kept_percent={"any": 40}).node("n", A=5, daily_capacity=10)
        for taken, leaves_on in ((5, MONDAY), (6, MONDAY + timedelta(days=1))):
            busy = replace(world, capacity_used={("n", MONDAY, ""): taken})
            assert decide(busy, busy.demand(A=1)).shipments[0].ship_day == leaves_on

    def test_a_picker_is_not_sent_for_little_even_as_one_of_several(self) -> None:
        world = World().under(minimum_picking_value={"store": 3000})
        world = world.node("shop", A=5, kind=NodeKind.STORE).node("dear", PARIS, "FR", B=5, A=1)
        lines = (
            DemandLine(line_id="1", sku="A", quantity=3, unit_price=1000),
            DemandLine(line_id="2", sku="B", quantity=1, unit_price=5000),
        )
        assert used(decide(world, world.demand(lines=lines))) == {"shop": {"A": 3}, "dear": {"B": 1}}
        dearer = world.under(minimum_picking_value={"store": 3001})
        less = decide(dearer, dearer.demand(lines=lines))
        assert (used(less), failed(less, "shop")) == ({"dear": {"A": 1, "B": 1}}, Fence.PICKING_VALUE)

    def test_a_value_that_cannot_be_compared_plays_no_part(self) -> None:
        world = World().under(minimum_picking_value={"any": 3000}).node("n", A=5)
        found = in_full(world, world.demand(A=1, currency="USD"))["n"]
        (result,) = [each for each in found if each.fence is Fence.PICKING_VALUE]
        assert result.passed
        assert "no exchange rate for USD" in result.actual

    def test_a_shop_that_gives_all_or_nothing(self) -> None:
        world = World().under(complete_only=["store"]).node("shop", A=5, B=1, kind=NodeKind.STORE)
        world = world.node("far", PARIS, "FR", A=9, B=9)
        assert used(decide(world, world.demand(A=2, B=1))) == {"shop": {"A": 2, "B": 1}}
        decision = decide(world, world.demand(A=2, B=2))
        assert used(decision) == {"far": {"A": 2, "B": 2}}
        assert failed(decision, "shop") is Fence.COMPLETE_ONLY
        assert candidate(decision, "shop").fences[0].actual == "3 of 4 units"


class TestGoodsThatNeedCare:
    def world(self) -> World:
        goods = {"A": sku("A"), "MATCHES": sku("MATCHES", hazmat=True), "ICE": sku("ICE", cold=True)}
        world = World().node("shop", A=5, MATCHES=5, ICE=5, handles=(), pickup=True)
        world = world.node("far", PARIS, "FR", A=5, MATCHES=5, ICE=5, handles=("hazmat",))
        return replace(world, skus=goods)

    def test_a_node_has_none_of_what_it_cannot_handle(self) -> None:
        world = self.world().under(split_penalty=0)
        decision = decide(world.sku("A", 15_000), world.sku("A", 15_000).demand(A=1, MATCHES=1))
        assert used(decision)["far"]["MATCHES"] == 1
        assert not waiting(decision)
        only = decide(world, world.demand(MATCHES=1))
        assert (used(only), failed(only, "shop")) == ({"far": {"MATCHES": 1}}, Fence.HANDLING)
        assert candidate(only, "shop").fences[0].expected == "handles hazmat"

    def test_a_node_that_has_other_goods_too_passes(self) -> None:
        results = in_full(self.world(), self.world().demand(A=1, ICE=1))
        assert {each.passed for each in results["shop"]} == {True}
        assert any("nothing of ICE" in each.actual for each in results["shop"])
        assert waiting(decide(self.world(), self.world().demand(A=1, ICE=1))) == {"ICE": 1}

    def test_over_the_counter_it_does_not_matter(self) -> None:
        demand = self.world().demand(ICE=1, shipping_method="pickup", pickup_node="shop")
        assert used(decide(self.world(), demand)) == {"shop": {"ICE": 1}}


class TestInTime:
    WEDNESDAY = datetime(2026, 3, 4, 20, tzinfo=UTC)

    def world(self, **fences: Any) -> World:
        return (
            World(policy=policy(**fences, lateness_per_day=0))
            .carried_by(tariff("slow", factor=0.5, days=4), tariff("quick"))
            .node("early", A=5, handling_cost=handling(fixed=500))
            .node("late", A=5, cut_off=time(9))
        )

    def test_it_leaves_within_the_days_named(self) -> None:
        assert set(used(decide(self.world(), self.world().demand(A=1)))) == {"late"}
        assert set(used(decide(self.world(leaves_within_days=1), self.world().demand(A=1)))) == {"late"}
        today = decide(self.world(leaves_within_days=0), self.world().demand(A=1))
        assert (set(used(today)), failed(today, "late")) == ({"early"}, Fence.LEAVES_IN_TIME)

    def test_only_what_arrives_by_the_date_asked_for(self) -> None:
        world = self.world(arrives_in_time=True)
        decision = decide(world, world.demand(A=1, requested_by=self.WEDNESDAY))
        assert (set(used(decision)), failed(decision, "late")) == ({"early"}, Fence.ARRIVES_IN_TIME)
        assert decision.shipments[0].carrier == "quick"
        assert set(used(decide(world, world.demand(A=1)))) == {"late"}
        never = decide(world, world.demand(A=1, requested_by=MONDAY_NOON))
        assert waiting(never) == {"A": 1}

    def test_a_promise_given_is_kept_whatever_the_policy_gives_up(self) -> None:
        for fences in ({}, {"arrives_in_time": True, "on_none": {"relax": ["arrives_in_time"]}}):
            world = self.world(**fences)
            kept = decide(world, world.demand(A=1, deliver_by=self.WEDNESDAY))
            assert kept.shipments[0].promise.latest <= self.WEDNESDAY
            assert set(used(kept)) == {"early"}
            broken = decide(world, world.demand(A=1, deliver_by=MONDAY_NOON, requested_by=MONDAY_NOON))
            assert (used(broken), failed(broken, "early")) == ({}, Fence.ARRIVES_IN_TIME)

    def test_a_pick_up_is_in_time_when_it_is_ready(self) -> None:
        world = World(policy=policy(arrives_in_time=True)).node("shop", A=5, pickup=True)
        asked = {"A": 1, "shipping_method": "pickup", "pickup_node": "shop"}
        ready = datetime(2026, 3, 2, 14, tzinfo=UTC)
        assert used(decide(world, world.demand(**asked, requested_by=ready)))
        assert not used(decide(world, world.demand(**asked, requested_by=ready - timedelta(minutes=1))))
        assert used(decide(world, world.demand(**asked, deliver_by=ready)))


@st.composite
def fenced(draw: st.DrawFn) -> dict[str, Any]:
    """Fences of any kind, each of them more often absent than not."""
    maybe = {
        "nodes": ["n0", "n1"],
        "kinds": ["warehouse"],
        "excluded_nodes": ["n2"],
        "countries": ["GB"],
        "maximum_distance_km": {"any": 200},
        "excluded_carriers": ["cheap"],
        "keep_back": {"any": 2},
        "minimum_picking_value": {"store": 2500},
        "complete_only": ["store"],
        "capacity_kept_percent": {"any": 50},
        "leaves_within_days": 1,
        "arrives_in_time": True,
    }
    return {name: value for name, value in maybe.items() if draw(st.integers(0, 3)) == 0}


@st.composite
def fenced_worlds(draw: st.DrawFn) -> tuple[World, Demand]:
    world = World().carried_by(NORTHLINE, tariff("cheap", factor=0.7, days=4))
    for number in range(draw(st.integers(1, 5))):
        place, country = draw(st.sampled_from([(YORK, "GB"), (LONDON, "GB"), (PARIS, "FR")]))
        changes = {
            "kind": draw(st.sampled_from([NodeKind.WAREHOUSE, NodeKind.STORE])),
            "cut_off": draw(st.sampled_from([time(9), time(16)])),
            "handles": draw(st.sampled_from([(), tuple(Handling)])),
            "daily_capacity": 10,
            "handling_cost": handling(draw(st.integers(0, 90)), draw(st.integers(0, 9))),
        }
        world = world.node(f"n{number}", place, country, **changes, **{c: draw(st.integers(0, 5)) for c in "ABC"})
    world = replace(
        world,
        skus={"A": sku("A"), "B": sku("B", 2_000, cold=True), "C": sku("C", 90)},
        capacity_used={(n.id, MONDAY, ""): draw(st.integers(0, 10)) for n in world.nodes},
    )
    lines = tuple(
        DemandLine(line_id=code, sku=code, quantity=draw(st.integers(1, 4)), unit_price=1000)
        for code in draw(st.sampled_from(["A", "AB", "ABC", "BC"]))
    )
    by = draw(st.sampled_from([None, datetime(2026, 3, 5, 20, tzinfo=UTC)]))
    return world, world.demand(lines=lines, requested_by=by)


def _left(decision: SourcingDecision) -> int:
    return sum(line.quantity for line in decision.unfilled)


class TestWhateverThePolicyAsks:
    @settings(deadline=None, max_examples=150)
    @given(case=fenced_worlds(), fences=fenced())
    def test_who_fails_a_fence_gives_nothing(self, case: tuple[World, Demand], fences: dict[str, Any]) -> None:
        world, demand = replace(case[0], policy=policy(fences=fences)), case[1]
        snapshot = world.snapshot()
        made = draft(demand, snapshot, Rules(world.policy, world.policy.strategies[0]))
        passed = {node_id for node_id, each in examine_in_full(made.question).items() if all(r.passed for r in each)}
        assert passed == {site.node.id for site in made.eligible}
        decision = plan(demand, snapshot, world.policy, 1)
        assert set(used(decision)) <= passed
        kinds = {n.id: n for n in world.nodes}
        for shipment in decision.shipments:
            node_ = kinds[shipment.node_id]
            for line in shipment.lines:
                assert world.skus[line.sku].handling <= frozenset(node_.handles)
                held = world.available[node_.id, line.sku] - fences.get("keep_back", {}).get("any", 0)
                assert line.quantity <= held
            worth = sum(line.quantity * 1000 for line in shipment.lines)
            if node_.kind is NodeKind.STORE:
                assert worth >= fences.get("minimum_picking_value", {}).get("store", 0)
                assert "complete_only" not in fences or not decision.unfilled
            assert shipment.carrier not in fences.get("excluded_carriers", ())
            if "arrives_in_time" in fences and demand.requested_by:
                assert shipment.promise.latest <= demand.requested_by

    @settings(deadline=None, max_examples=100)
    @given(case=fenced_worlds(), fences=fenced(), more=fenced())
    def test_another_fence_makes_nothing_better(
        self, case: tuple[World, Demand], fences: dict[str, Any], more: dict[str, Any]
    ) -> None:
        world, demand = case
        loose = plan(demand, world.snapshot(), policy(fences=fences), 1)
        tight = plan(demand, world.snapshot(), policy(fences={**more, **fences}), 1)
        if loose.exact and tight.exact:
            assert _left(tight) >= _left(loose)
            if _left(tight) == _left(loose):
                assert tight.cost >= loose.cost

    @settings(deadline=None, max_examples=100)
    @given(case=fenced_worlds(), fences=fenced(), relax=st.lists(st.sampled_from(get_args(Relaxable)), unique=True))
    def test_giving_up_fences_never_fills_less(
        self, case: tuple[World, Demand], fences: dict[str, Any], relax: list[Fence]
    ) -> None:
        world, demand = case
        firm = plan(demand, world.snapshot(), policy(fences=fences), 1)
        ready = {"relax": relax}
        soft = plan(demand, world.snapshot(), policy(fences=fences, on_partial=ready, on_none=ready), 1)
        assert _left(soft) <= _left(firm)
        assert set(soft.relaxed) <= set(relax)
        if _left(soft) == _left(firm):
            assert (soft.cost, soft.relaxed) == (firm.cost, ())

    @settings(deadline=None, max_examples=60)
    @given(case=fenced_worlds(), fences=fenced(), data=st.data())
    def test_the_order_of_nodes_plays_no_part(
        self, case: tuple[World, Demand], fences: dict[str, Any], data: st.DataObject
    ) -> None:
        world, demand = case
        own = policy(fences=fences)
        turned = replace(
            world,
            nodes=tuple(data.draw(st.permutations(world.nodes))),
            tariffs=tuple(data.draw(st.permutations(world.tariffs))),
            available=dict(data.draw(st.permutations(list(world.available.items())))),
        )
        assert plan(demand, turned.snapshot(), own, 1) == plan(demand, world.snapshot(), own, 1)
