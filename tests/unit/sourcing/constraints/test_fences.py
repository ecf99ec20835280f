"""Which nodes may take part."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any, get_args

import pytest

from dom.network import NodeAddress, NodeKind
from dom.sourcing.models import CostTerm, DemandLine
from dom.sourcing.policy.document import Fence, Relaxable
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import (
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
