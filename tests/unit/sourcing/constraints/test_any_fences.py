"""What holds whatever fences a policy has, in worlds nobody thought of."""

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from dom.network import Handling, NodeKind
from dom.sourcing.constraints.fences import examine_in_full
from dom.sourcing.models import Demand, DemandLine, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.planning.candidate_plan import draft
from dom.sourcing.policy.document import Fence, Relaxable
from dom.sourcing.policy.strategy import Rules
from tests.worlds.policies import policy
from tests.worlds.sourcing import (
    LONDON,
    MONDAY,
    NORTHLINE,
    PARIS,
    YORK,
    World,
    handling,
    sku,
    tariff,
    used,
)


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
        passed = {node_id for node_id, each in examine_in_full(made.context).items() if all(r.passed for r in each)}
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
