"""The sentences a support agent reads out: one expected text a situation, whole."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dom.sourcing.planner import plan
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import LEEDS, LONDON, MONDAY, PARIS, YORK, World, handling, sku, tariff

COSTS: dict[str, Any] = {
    "split_penalty": 250,
    "lateness_per_day": 400,
    "distance_per_100_km": 4,
    "priority_weight": 0,
}
PLAIN = World(policy=policy(**COSTS))
TWO_CITIES = PLAIN.node("leeds", LEEDS, A=1, B=1).node("london", LONDON, A=5, B=5)
WEDNESDAY = datetime(2026, 3, 4, 20, tzinfo=UTC)
GOES_ON = (
    "looked for again as soon as stock comes in, and every 6 hours in any case; what is not found within 14 days is "
    "cancelled."
)


def told(world: World, **units_and_changes: object) -> list[str]:
    """What is said of an order to Leeds in the world."""
    return list(plan(world.demand(**units_and_changes), world.snapshot(), world.policy, 1).reasons)


class TestFiveOrders:
    def test_a_single_node(self) -> None:
        world = PLAIN.node("leeds-warehouse", LEEDS, A=10, B=10, handling_cost=handling(80, 20))
        world = world.node("paris", PARIS, "FR", A=20, B=20)
        assert told(world, A=2, B=1) == [
            "Leeds Warehouse sends all 3 units, at a cost of 6.40 GBP: 5.00 GBP for freight and 1.40 GBP for handling.",
            "It leaves Leeds Warehouse on Monday 2 March with northline, and arrives on Wednesday 4 March.",
            "The next best way, from Paris, would cost 8.84 GBP more, mostly for freight.",
        ]

    def test_a_split(self) -> None:
        world = PLAIN.node("leeds", LEEDS, A=5).node("london", LONDON, B=5).node("paris", PARIS, "FR", A=5, B=5)
        assert told(world, A=2, B=1) == [
            (
                "The order is split: 2 units come from Leeds and 1 unit comes from London, at a cost of 8.61 GBP: 6.00 "
                "GBP for freight, 2.50 GBP for splitting the order and 0.11 GBP for distance."
            ),
            (
                "It is split because Paris, the cheapest place to send everything from, would cost 15.24 GBP, which is "
                "6.63 GBP more."
            ),
            "It leaves Leeds and London on Monday 2 March with northline, and all of it arrives on Wednesday 4 March.",
            "The next best way, from Paris, would cost 6.63 GBP more, mostly for freight.",
        ]

    def test_a_split_because_nobody_has_it_all(self) -> None:
        world = PLAIN.node("leeds", LEEDS, A=5).node("london", LONDON, B=5)
        assert told(world, A=2, B=1)[1] == (
            "It is split because no single place that can send it has everything: Leeds has most, 2 of 3."
        )

    def test_a_farther_node_that_has_it_all(self) -> None:
        assert told(TWO_CITIES, A=2) == [
            "London sends both units, at a cost of 3.11 GBP: 3.00 GBP for freight and 0.11 GBP for distance.",
            "It leaves London on Monday 2 March with northline, and arrives on Wednesday 4 March.",
            "Leeds is nearer (0 km against 272 km), but has only 1 of the 2 units.",
        ]

    def test_a_farther_node_that_is_cheaper(self) -> None:
        world = PLAIN.node("leeds", LEEDS, A=5, handling_cost=handling(600)).node("london", LONDON, A=5)
        assert told(world, A=2)[2:] == [
            "Leeds is nearer (0 km against 272 km), but would cost 9.00 GBP, which is 5.89 GBP more.",
            "The next best way, from Leeds, would cost 5.89 GBP more, mostly for handling.",
        ]

    def test_a_farther_node_because_the_nearer_is_closed(self) -> None:
        world = PLAIN.node("york", YORK, A=9, active=False).node("london", LONDON, A=5)
        assert told(world, A=2)[2:] == ["York is nearer (36 km against 272 km), but is switched off."]

    def test_a_backorder(self) -> None:
        world = TWO_CITIES.sku("RARE")
        assert told(world, RARE=3) == [
            "No place in the network has any of the 3 units in stock now.",
            f"The missing units are {GOES_ON}",
        ]

    def test_a_part_waits(self) -> None:
        assert told(TWO_CITIES.node("york", YORK, A=2, services=("express",)), A=9) == [
            (
                "The order is split: 1 unit comes from Leeds and 5 units come from London, at a cost of 10.61 GBP: "
                "8.00 GBP for freight, 2.50 GBP for splitting the order and 0.11 GBP for distance."
            ),
            "It is split because no single place that can send it has everything: London has most, 5 of 9.",
            "It leaves Leeds and London on Monday 2 March with northline, and all of it arrives on Wednesday 4 March.",
            "The order still lacks 3 units of A, because no other place that can send it has any.",
            f"The missing units are {GOES_ON}",
            "York has 2 but cannot send standard to GB (offers express).",
        ]

    def test_a_pick_up(self) -> None:
        world = PLAIN.node("york-store", YORK, A=2, pickup=True, handling_cost=handling(50)).node("leeds", LEEDS, A=9)
        assert told(world, A=1, place=YORK, shipping_method="pickup", pickup_node="york-store") == [
            "York Store hands out the one unit, at a cost of 0.50 GBP, all of it for handling.",
            "It can be collected from 14:00 on Monday 2 March on and is kept until 14:00 on Monday 9 March.",
        ]

    def test_a_pick_up_of_what_the_shop_does_not_have(self) -> None:
        world = PLAIN.node("york-store", YORK, A=2, pickup=True).node("leeds", LEEDS, B=9)
        assert told(world, B=1, shipping_method="pickup", pickup_node="york-store") == [
            "York Store does not have the one unit to be collected there now.",
            f"The missing unit is {GOES_ON}",
        ]


class TestMoreSituations:
    def test_a_dearer_carrier(self) -> None:
        world = TWO_CITIES.carried_by(tariff(), tariff("slowpost", factor=0.6, days=5))
        assert told(world, A=2, requested_by=WEDNESDAY)[3] == (
            "Slowpost would take it from London for 1.20 GBP less than northline, but might deliver as late as "
            "Monday 9 March, and it was asked for by Wednesday 4 March."
        )

    def test_a_dearer_node_for_the_sake_of_the_date(self) -> None:
        world = PLAIN.node("cheap", LEEDS, A=5).node("quick", LONDON, A=5, handling_cost=handling(300))
        sentences = told(world.full("cheap", MONDAY), A=1, requested_by=WEDNESDAY)
        assert "Cheap is nearer (0 km against 272 km), but would cost 7.00 GBP, which is 0.89 GBP more." in sentences
        assert "The next best way, from Cheap, would cost 0.89 GBP more, mostly for being late." in sentences

    def test_later_than_asked_for(self) -> None:
        late = told(TWO_CITIES, A=2, requested_by=datetime(2026, 3, 3, 20, tzinfo=UTC))
        assert late[1] == (
            "It leaves London on Monday 2 March with northline, and arrives on Wednesday 4 March, later than 20:00 on "
            "Tuesday 3 March, for which it was asked."
        )

    def test_a_relaxed_fence(self) -> None:
        near = strategy("near", maximum_distance_km={"any": 50}, on_none={"relax": ["within_distance"]}, **COSTS)
        world = World(policy=policy(near, strategy("anywhere", **COSTS))).node("london", LONDON, A=5)
        assert told(world, A=2)[2:] == [
            "To source more of the order, the limit on distance was set aside.",
            "The rules “near” were used, which are for every order that has no rules of its own.",
        ]

    def test_the_next_strategy(self) -> None:
        on = {"on_none": {"then": "next_strategy"}, "on_partial": {"then": "next_strategy"}}
        near = strategy("near", maximum_distance_km={"any": 50}, **on, **COSTS)
        world = World(policy=policy(near, strategy("anywhere", **COSTS)))
        assert told(world.node("york", YORK, A=1).node("london", LONDON, A=5), A=2)[2:] == [
            "York is nearer (36 km against 272 km), but has only 1 of the 2 units.",
            "The rules “anywhere” were used because those before them could not do it all: “near” could fill 1 of 2.",
        ]

    def test_the_strategy_is_named_by_what_it_is_for(self) -> None:
        quick = strategy("quick", services=["express"], channels=["web"], **COSTS)
        world = World(policy=policy(quick, strategy("anything", **COSTS))).node("london", LONDON, A=5)
        assert told(world, A=2, shipping_method="express")[2] == (
            "The rules “quick” were used, which are for express orders and orders from web."
        )

    def test_no_strategy_is_for_it(self) -> None:
        world = World(policy=policy(strategy("quick", services=["express"]))).node("london", LONDON, A=5)
        assert told(world, A=2) == [
            "None of the rules for sourcing is for this order, so nothing is sent of its 2 units for now.",
            "A member of staff is asked to look at it.",
        ]

    def test_a_reoptimisation(self) -> None:
        assert told(TWO_CITIES, A=2, deliver_by=datetime(2026, 3, 6, 20, tzinfo=UTC))[1] == (
            "It leaves London on Monday 2 March with northline, and arrives on Wednesday 4 March, in time for "
            "Friday 6 March, as was promised before."
        )

    def test_ship_complete(self) -> None:
        assert told(TWO_CITIES, A=9, ship_complete=True) == [
            (
                "The order is to be sent complete, and 3 of its 9 units cannot be sourced with the others now, so "
                "nothing is sent yet."
            ),
            f"The missing units are {GOES_ON}",
        ]

    @pytest.mark.parametrize(
        ("then", "said"),
        [
            ("queue", "A member of staff is asked to look at it."),
            ("cancel", "What cannot be sourced now is cancelled."),
        ],
    )
    def test_what_the_policy_makes_of_nothing(self, then: str, said: str) -> None:
        world = World(policy=policy(on_none={"then": then})).node("leeds", LEEDS, A=0)
        assert told(world, A=1)[:2] == ["No place in the network has the one unit in stock now.", said]

    def test_not_released_yet(self) -> None:
        world = PLAIN.node("leeds", LEEDS, B=1)
        world = World(**{**world.__dict__, "skus": {**world.skus, "A": sku("A", release_on=date(2026, 3, 9))}})
        assert told(world, A=1, B=1)[2:4] == [
            "The order still lacks 1 unit of A, because not all of the goods are released yet.",
            "What is not released yet can be sent from Monday 9 March on.",
        ]

    def test_an_unknown_place(self) -> None:
        assert told(TWO_CITIES, A=2, place=None)[-1] == (
            "It is not known where the customer's postal code lies, so distance played no part."
        )
