"""Which nodes may take part, when the goods leave, and pick-up."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from worlds import (
    FREE,
    LONDON,
    MONDAY,
    MONDAY_NOON,
    NORTHLINE,
    YORK,
    World,
    candidate,
    decide,
    failed,
    handling,
    tariff,
    told,
    used,
    waiting,
)

from dom.network import NodeKind, ShippingMethod
from dom.ofl.models import CostTerm, Fence
from dom.ofl.planner import plan


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
