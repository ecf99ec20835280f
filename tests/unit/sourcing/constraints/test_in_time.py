"""When the goods leave, when they arrive, and pick-up."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from dom.network import ShippingMethod
from dom.sourcing.models import CostTerm
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Fence
from tests.worlds.policies import policy
from tests.worlds.sourcing import (
    FREE,
    MONDAY,
    MONDAY_NOON,
    World,
    decide,
    failed,
    handling,
    tariff,
    told,
    used,
    waiting,
)


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
