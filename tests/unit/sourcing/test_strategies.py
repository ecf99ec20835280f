"""Strategies tried in turn, what follows where one leaves something open, and how an order may be parted."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.network import NodeKind
from dom.sourcing.models import DemandLine, Outcome, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.planning.candidate_plan import draft
from dom.sourcing.policy.document import Fence, Policy
from dom.sourcing.policy.strategy import Rules
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import (
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
    waiting,
)

NEAR_AND_FAR = World().node("near", A=2).node("far", PARIS, "FR", A=9, B=9)


def under(world: World, *strategies: Any, **fields: Any) -> World:
    return replace(world, policy=policy(*strategies, **fields))


class TestOneAfterTheOther:
    def test_what_the_first_can_do_whole_the_second_is_not_asked_for(self) -> None:
        world = under(NEAR_AND_FAR, strategy("home", fences={"same_country": True}), strategy("anywhere"))
        decision = decide(world, world.demand(A=2))
        assert (decision.strategy, used(decision)) == ("home", {"near": {"A": 2}})
        assert [attempt.strategy for attempt in decision.tried] == ["home"]

    def test_the_one_that_fills_most_counts(self) -> None:
        home = strategy("home", fences={"same_country": True}, on_partial={"then": "next_strategy"})
        world = under(NEAR_AND_FAR, home, strategy("anywhere"))
        decision = decide(world, world.demand(A=3))
        assert (decision.strategy, waiting(decision)) == ("anywhere", {})
        assert [(attempt.strategy, attempt.filled) for attempt in decision.tried] == [("home", 2), ("anywhere", 3)]

    def test_of_equal_ones_the_first(self) -> None:
        home = strategy("home", fences={"same_country": True}, on_partial={"then": "next_strategy"})
        same = strategy("same", fences={"countries": ["GB"]})
        world = under(NEAR_AND_FAR, home, same)
        assert decide(world, world.demand(A=3)).strategy == "home"

    def test_a_jump_leaves_out_what_lies_between(self) -> None:
        first = strategy("first", fences={"nodes": ["near"]}, on_none={"then": "next_strategy", "strategy": "third"})
        second = strategy("second", maximum_shipments=1)
        world = under(NEAR_AND_FAR, first, second, strategy("third"))
        decision = decide(world, world.demand(B=1))
        assert [attempt.strategy for attempt in decision.tried] == ["first", "third"]

    def test_strategies_that_send_each_other_an_order_come_to_an_end(self) -> None:
        one = strategy("one", on_none={"then": "next_strategy", "strategy": "two"})
        two = strategy("two", on_none={"then": "next_strategy", "strategy": "one"})
        world = under(NEAR_AND_FAR.sku("C"), one, two)
        decision = decide(world, world.demand(C=1))
        assert ([a.strategy for a in decision.tried], waiting(decision)) == (["one", "two"], {"C": 1})

    def test_a_jump_passes_those_that_are_not_for_the_order(self) -> None:
        first = strategy("first", on_none={"then": "next_strategy"}, fences={"nodes": ["near"]})
        world = under(NEAR_AND_FAR, first, strategy("edi", channels=["edi"]), strategy("rest"))
        assert [a.strategy for a in decide(world, world.demand(B=1)).tried] == ["first", "rest"]


class TestGivingUpFences:
    def test_one_after_the_other_until_it_is_whole(self) -> None:
        relax = ["kept_back", "place", "within_distance"]
        fences = {"same_country": True, "keep_back": {"any": 1}, "maximum_distance_km": {"any": 10}}
        world = under(NEAR_AND_FAR, fences=fences, on_partial={"relax": relax}, on_none={"relax": relax})
        decision = decide(world, world.demand(A=3))
        assert decision.relaxed == tuple(sorted([Fence.KEPT_BACK, Fence.PLACE, Fence.WITHIN_DISTANCE]))
        assert [attempt.filled for attempt in decision.tried] == [1, 2, 2, 3]
        part = decide(world, world.demand(A=2))
        assert (part.relaxed, len(part.tried)) == ((Fence.KEPT_BACK,), 2)

    def test_those_that_did_not_help_are_not_given_up(self) -> None:
        world = under(NEAR_AND_FAR, fences={"same_country": True}, on_partial={"relax": ["carrier", "capacity_kept"]})
        decision = decide(world, world.demand(A=3))
        assert (decision.relaxed, waiting(decision)) == ((), {"A": 1})
        assert len(decision.tried) == 3


class TestWhatFollows:
    @pytest.mark.parametrize(
        ("then", "outcome", "sent"),
        [
            ("ship_available", Outcome.PART_PLANNED, 2),
            ("backorder", Outcome.WAITS, 0),
            ("queue", Outcome.QUEUED, 0),
            ("cancel", Outcome.CANCELLED, 2),
            ("next_strategy", Outcome.PART_PLANNED, 2),
        ],
    )
    def test_where_a_part_is_there(self, then: str, outcome: Outcome, sent: int) -> None:
        world = under(World().node("n", A=2), on_partial={"then": then}, after_minutes=7)
        decision = decide(world, world.demand(A=3))
        assert (decision.outcome, sum(waiting(decision).values())) == (outcome, 3 - sent)
        assert decision.retry.after_minutes == 7

    @pytest.mark.parametrize(
        ("then", "outcome"),
        [("backorder", Outcome.WAITS), ("queue", Outcome.QUEUED), ("cancel", Outcome.CANCELLED)],
    )
    def test_where_nothing_is(self, then: str, outcome: Outcome) -> None:
        world = under(World().node("n", A=0), on_none={"then": then})
        decision = decide(world, world.demand(A=3))
        assert (decision.outcome, waiting(decision)) == (outcome, {"A": 3})

    def test_where_all_is_the_order_is_planned(self) -> None:
        world = under(World().node("n", A=3), on_partial={"then": "queue"})
        assert decide(world, world.demand(A=3)).outcome is Outcome.PLANNED

    def test_an_order_that_is_to_go_complete_waits_whole(self) -> None:
        world = under(World().node("n", A=2, B=5), on_partial={"then": "ship_available"})
        decision = decide(world, world.demand(A=3, B=1, ship_complete=True))
        assert (decision.outcome, waiting(decision)) == (Outcome.WAITS, {"A": 3, "B": 1})
        assert decide(world, world.demand(A=2, B=1, ship_complete=True)).outcome is Outcome.PLANNED


class TestWhatIsLeftOver:
    WORLD = World().node("n", A=2, B=5, C=1)

    @pytest.mark.parametrize(
        ("left_over", "sent"),
        [("units", {"A": 2, "B": 4, "C": 1}), ("lines", {"B": 4}), ("order", {})],
    )
    def test_waits_as_units_lines_or_order(self, left_over: str, sent: dict[str, int]) -> None:
        world = under(self.WORLD, left_over=left_over)
        decision = decide(world, world.demand(A=3, B=4, C=2))
        assert used(decision).get("n", {}) == sent
        assert waiting(decision) == {
            code: units - sent.get(code, 0)
            for code, units in {"A": 3, "B": 4, "C": 2}.items()
            if units > sent.get(code, 0)
        }

    def test_what_is_left_of_the_order_may_come_from_a_node_that_could_not_have_joined_in(self) -> None:
        world = (
            World().node("shop", kind="store", C=1).node("depot", LONDON, B=2, C=1, handling_cost=handling(fixed=500))
        )
        decision = decide(under(world, left_over="lines", complete_only=["store"]), world.demand(B=3, C=1))
        assert used(decision) == {"shop": {"C": 1}}
        assert waiting(decision) == {"B": 3}
        assert decision.runner_up is None, "what else was found fills parts of lines"

    def test_a_line_that_waits_leaves_its_units_to_another_of_its_sku(self) -> None:
        world = under(World().node("n", A=3), left_over="lines")
        lines = (DemandLine(line_id="1", sku="A", quantity=3), DemandLine(line_id="2", sku="A", quantity=2))
        decision = decide(world, world.demand(lines=lines))
        assert [line.line_id for shipment in decision.shipments for line in shipment.lines] == ["1"]
        assert [line.line_id for line in decision.unfilled] == ["2"]


class TestParting:
    def test_by_line_the_units_of_a_sku_stay_together(self) -> None:
        world = World().node("one", A=2, B=1).node("two", YORK, A=2, B=5)
        by_unit = under(world, by="unit")
        assert waiting(decide(by_unit, by_unit.demand(A=4, B=3))) == {}
        by_line = under(world, by="line")
        decision = decide(by_line, by_line.demand(A=4, B=3))
        assert (used(decision), waiting(decision)) == ({"two": {"B": 3}}, {"A": 4})
        assert decide(by_line, by_line.demand(A=2, B=1)).outcome is Outcome.PLANNED

    def test_by_line_two_lines_of_one_sku_count_as_one(self) -> None:
        world = under(World().node("one", A=2).node("two", YORK, A=3), by="line")
        lines = (DemandLine(line_id="1", sku="A", quantity=2), DemandLine(line_id="2", sku="A", quantity=3))
        assert not used(decide(world, world.demand(lines=lines)))
        assert used(decide(world, world.demand(lines=lines[1:]))) == {"two": {"A": 3}}

    def set_world(self, **fields: Any) -> World:
        world = under(World().node("one", BED=5, DESK=5).node("two", YORK, BED=5, MATTRESS=5, LAMP=5), **fields)
        room = {"set": "bedroom"}
        goods = [sku("BED", attributes=room), sku("MATTRESS", attributes=room), sku("DESK"), sku("LAMP")]
        return replace(world, skus={each.id: each for each in goods})

    def test_goods_of_one_set_come_from_one_node(self) -> None:
        apart = self.set_world(split_penalty=0)
        free = decide(apart, apart.demand(BED=1, MATTRESS=1, DESK=1))
        together = self.set_world(together_by=["set"], split_penalty=0)
        decision = decide(together, together.demand(BED=1, MATTRESS=1, DESK=1))
        assert used(decision) == {"one": {"DESK": 1}, "two": {"BED": 1, "MATTRESS": 1}}
        assert sum(len(goods) for goods in used(free).values()) == 3
        assert decision.cost == sum(shipment.cost for shipment in decision.shipments)

    def test_a_set_no_node_has_whole_waits_whole(self) -> None:
        world = self.set_world(together_by=["set"])
        decision = decide(world, world.demand(BED=2, MATTRESS=6, DESK=1))
        assert (used(decision), waiting(decision)) == ({"one": {"DESK": 1}}, {"BED": 2, "MATTRESS": 6})
        assert decision.outcome is Outcome.PART_PLANNED

    def test_a_set_over_two_attributes_is_one(self) -> None:
        world = under(World().node("one", A=1, B=1).node("two", YORK, A=1, B=1, C=1), together_by=["set", "colour"])
        goods = [
            sku("A", attributes={"set": "x"}),
            sku("B", attributes={"set": "x", "colour": "red"}),
            sku("C", attributes={"colour": "red"}),
        ]
        world = replace(world, skus={each.id: each for each in goods})
        assert used(decide(world, world.demand(A=1, B=1, C=1))) == {"two": {"A": 1, "B": 1, "C": 1}}
        lots = draft(world.demand(A=1, B=1, C=1), world.snapshot(), _rules(world.policy)).lots
        assert [(lot.name, lot.units) for lot in lots] == [("A+B+C", 1)]

    def test_units_of_one_sku_of_a_set_stay_together_too(self) -> None:
        world = self.set_world(together_by=["set"])
        assert waiting(decide(world, world.demand(BED=6))) == {"BED": 6}
        assert waiting(decide(world, world.demand(DESK=6))) == {"DESK": 1}

    def test_a_shipment_of_a_parted_order_is_worth_something(self) -> None:
        world = World().node("one", A=5).node("two", YORK, B=5)
        lines = tuple(
            DemandLine(line_id=code, sku=code, quantity=1, unit_price=price) for code, price in (("A", 900), ("B", 400))
        )
        fine, dear = under(world, minimum_value=400), under(world, minimum_value=401)
        assert used(decide(fine, fine.demand(lines=lines))) == {"one": {"A": 1}, "two": {"B": 1}}
        decision = decide(dear, dear.demand(lines=lines))
        assert (len(decision.shipments), sum(waiting(decision).values())) == (1, 1)
        small = decide(dear, dear.demand(lines=lines[1:]))
        assert used(small) == {"two": {"B": 1}}

    def test_a_shipment_of_a_parted_order_holds_something(self) -> None:
        world = under(World().node("one", A=5).node("two", YORK, B=5), minimum_units=2)
        assert len(decide(world, world.demand(A=2, B=2)).shipments) == 2
        assert len(decide(world, world.demand(A=2, B=1)).shipments) == 1


class TestTies:
    @pytest.mark.parametrize(
        ("tie_breaks", "expected"),
        [
            (["nearer"], "b-near"),
            (["earlier"], "c-early"),
            (["priority"], "d-first"),
            (["priority", "nearer"], "d-first"),
            (["earlier", "nearer"], "c-early"),
            ([], "a"),
            (["fewer_shipments"], "a"),
        ],
    )
    def test_of_equal_cost_the_policys_favourite(self, tie_breaks: list[str], expected: str) -> None:
        world = (
            World(policy=policy(split_penalty=0, distance_per_100_km=0, priority_weight=0, tie_breaks=tie_breaks))
            .node("a", LONDON, A=1)
            .node("b-near", YORK, A=1, priority=20)
            .node("c-early", LONDON, A=1, priority=20)
            .node("d-first", LONDON, A=1, priority=1)
        )
        late = {(name, MONDAY, ""): 1000 for name in ("a", "b-near", "d-first")}
        world = replace(world, capacity_used=late)
        assert list(used(decide(world, world.demand(A=1)))) == [expected]

    def test_they_add_up_over_the_shipments(self) -> None:
        world = World(policy=policy(split_penalty=0, distance_per_100_km=0, priority_weight=0, tie_breaks=["nearer"]))
        world = world.node("far", PARIS, "FR", A=1, B=1, handling_cost=handling(fixed=0))
        rules = _rules(world.policy)
        (source,) = draft(world.demand(A=1, B=1, place=LEEDS), world.snapshot(), rules).problem.sources
        assert source.ties == (612,)
        unknown = draft(world.demand(A=1, B=1, place=None), world.snapshot(), rules).problem.sources
        assert unknown[0].ties == (0,)


class TestTheRecord:
    def test_every_attempt_is_told_with_what_it_filled_and_cost(self) -> None:
        home = strategy("home", fences={"same_country": True}, on_partial={"then": "next_strategy"})
        world = under(NEAR_AND_FAR, home, strategy("anywhere"))
        decision = decide(world, world.demand(A=3))
        assert [(a.strategy, a.filled, a.cost > 0) for a in decision.tried] == [
            ("home", 2, True),
            ("anywhere", 3, True),
        ]
        assert decision.cost == decision.tried[1].cost

    def test_a_search_that_comes_to_its_end_has_no_gap(self) -> None:
        decision = decide(NEAR_AND_FAR, NEAR_AND_FAR.demand(A=3))
        assert (decision.exact, decision.gap) == (True, 0.0)


def _rules(own: Policy) -> Rules:
    return Rules(own, own.strategies[0])


@st.composite
def splitting(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "maximum_shipments": draw(st.integers(1, 3)),
        "by": draw(st.sampled_from(["unit", "line"])),
        "together_by": draw(st.sampled_from([(), ("set",)])),
        "minimum_value": draw(st.sampled_from([0, 0, 2000])),
        "minimum_units": draw(st.sampled_from([0, 0, 2])),
        "left_over": draw(st.sampled_from(["units", "lines"])),
        "split_penalty": draw(st.sampled_from([0, 250])),
    }


@st.composite
def stocked(draw: st.DrawFn) -> World:
    world = World().carried_by(NORTHLINE, tariff("cheap", factor=0.7, days=4))
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([NodeKind.WAREHOUSE, NodeKind.STORE]))
        world = world.node(f"n{number}", YORK, kind=kind, **{code: draw(st.integers(0, 4)) for code in "ABC"})
    sets = {"A": {"set": "x"}, "B": {"set": "x"}, "C": {}}
    return replace(world, skus={code: sku(code, 600, attributes=own) for code, own in sets.items()})


class TestWhateverThePolicySays:
    @settings(deadline=None, max_examples=150)
    @given(world=stocked(), split=splitting(), units=st.lists(st.integers(1, 4), min_size=3, max_size=3))
    def test_an_order_is_parted_only_as_it_says(self, world: World, split: dict[str, Any], units: list[int]) -> None:
        wanted = dict(zip("ABC", units, strict=True))
        lines = tuple(DemandLine(line_id=c, sku=c, quantity=u, unit_price=1000) for c, u in wanted.items())
        decision = plan(world.demand(lines=lines), world.snapshot(), policy(**split), 1)
        given_ = used(decision)
        _adds_up(decision, wanted)
        assert len(given_) <= split["maximum_shipments"]
        if split["by"] == "line":
            assert all(goods[code] == wanted[code] for goods in given_.values() for code in goods)
        if split["together_by"]:
            assert sum(bool(goods.keys() & {"A", "B"}) for goods in given_.values()) <= 1
            assert all(goods.get("A", 0) + goods.get("B", 0) in {0, units[0] + units[1]} for goods in given_.values())
        if len(given_) > 1:
            assert all(sum(goods.values()) * 1000 >= split["minimum_value"] for goods in given_.values())
            assert all(sum(goods.values()) >= split["minimum_units"] for goods in given_.values())
        if split["left_over"] == "lines":
            assert all(waiting(decision)[code] == wanted[code] for code in waiting(decision))

    @settings(deadline=None, max_examples=80)
    @given(
        world=stocked(), split=splitting(), units=st.lists(st.integers(1, 4), min_size=3, max_size=3), data=st.data()
    )
    def test_a_tighter_rule_never_gives_more_or_costs_less(
        self, world: World, split: dict[str, Any], units: list[int], data: st.DataObject
    ) -> None:
        tight: dict[str, Any] = {"maximum_shipments": 1, "minimum_value": 2000, "minimum_units": 2}
        name = data.draw(st.sampled_from(sorted(tight)))
        split = {**split, "left_over": "units"}
        demand = world.demand(**dict(zip("ABC", units, strict=True)))
        loose = plan(demand, world.snapshot(), policy(**split), 1)
        strict = plan(demand, world.snapshot(), policy(**{**split, name: tight[name]}), 1)
        if loose.exact and strict.exact:
            assert sum(waiting(strict).values()) >= sum(waiting(loose).values())
            if waiting(strict) == waiting(loose):
                assert strict.cost >= loose.cost


def _adds_up(decision: SourcingDecision, wanted: dict[str, int]) -> None:
    found = dict(waiting(decision))
    for goods in used(decision).values():
        for code, units in goods.items():
            found[code] = found.get(code, 0) + units
    assert found == wanted
