"""The walk through recorded decisions: the live policy comes out as it was, a draft draws on a world of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.orders.status import SourcingCause
from dom.sourcing.planner import plan
from dom.sourcing.rehearsal.recorded import Happening, Recorded
from dom.sourcing.rehearsal.reproducing import Verdict
from dom.sourcing.rehearsal.walking import Walk
from tests.worlds.policies import changed
from tests.worlds.recording import DEAR_SPLITS, VERSION, Live, held, is_as_recorded, rehearsed, told, two_nodes
from tests.worlds.sourcing import FREE, LEEDS, MONDAY_NOON, PARIS, YORK, World


class TestTheLivePolicyAgain:
    def test_nothing_differs(self) -> None:
        live = Live(two_nodes())
        for number in range(4):
            live.order(f"web-{number}", A=1, B=number % 2 + 1)
        walk = rehearsed(live)
        assert walk.verdicts == {Verdict.SAME: 4}
        assert is_as_recorded(walk)
        found = told(walk)
        assert not found.differs
        assert (found.orders_changed, found.reproduced) == (0, 4)
        assert found.baseline == found.draft

    def test_the_same_policy_as_a_draft_changes_nothing_either(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=5)
        live.happen("web-1", Happening.REJECTED, 1)
        live.order("web-1", "rejected by the node", A=3, excluded_nodes=frozenset({"near"}))
        live.order("web-2", A=2)
        walk = rehearsed(live, live.policy)
        assert is_as_recorded(walk)
        assert not told(walk, live.policy).orders_changed

    def test_a_decision_that_is_not_the_planners_is_found(self) -> None:
        live = Live(two_nodes())
        decision = live.order("web-1", A=1)
        (first,) = decision.shipments
        wrong = decision.model_copy(update={"shipments": (first.model_copy(update={"node_id": "far"}),)})
        (record,) = live.records
        assert isinstance(record, Recorded)
        live.records[0] = Recorded(
            record.order_id, 1, record.cause, VERSION, 1, MONDAY_NOON, record.demand, wrong, record.snapshot
        )
        walk = rehearsed(live)
        assert walk.verdicts == {Verdict.DIFFERENT: 1}
        assert "far was decided, now near" in walk.reproduced[0].differences[0]
        assert told(walk).differs

    def test_what_cannot_be_made_again_says_why(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1)
        live.order("web-2", A=1)
        first, second = live.records
        assert isinstance(first, Recorded)
        assert isinstance(second, Recorded)
        live.records[0] = Recorded("web-1", 1, first.cause, VERSION, 1, MONDAY_NOON, first.demand, first.decision, None)
        live.records[1] = Recorded(
            "web-2", 1, first.cause, 99, 1, MONDAY_NOON, second.demand, second.decision, second.snapshot
        )
        walk = rehearsed(live)
        assert walk.verdicts == {Verdict.NO_SNAPSHOT: 1, Verdict.POLICY_NOT_FOUND: 1}
        assert walk.not_rehearsed == 2
        assert is_as_recorded(walk), "where it cannot be known, the draft decides as it was decided"
        assert told(walk).made.not_rehearsed == 2

    def test_another_version_of_the_planner_is_named_as_the_cause(self) -> None:
        live = Live(two_nodes())
        decision = live.order("web-1", A=1)
        (record,) = live.records
        assert isinstance(record, Recorded)
        old = decision.model_copy(update={"planner": decision.planner + 1, "strategy": "older"})
        live.records[0] = Recorded("web-1", 1, "", VERSION, 1, MONDAY_NOON, record.demand, old, record.snapshot)
        assert rehearsed(live).verdicts == {Verdict.PLANNER_CHANGED: 1}


class TestADraft:
    def test_what_it_leaves_is_free_for_it_and_what_it_takes_is_gone(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        assert held(rehearsed(live), "web-1") == {"near": {"1": 1}, "far": {"2": 1}}
        for number in range(2, 5):
            live.order(f"web-{number}", A=1)
        assert live.decisions["web-4"][0].shipments[0].node_id == "far", "near has nothing left"
        walk = rehearsed(live, DEAR_SPLITS)
        assert held(walk, "web-1") == {"far": {"1": 1, "2": 1}}
        assert held(walk, "web-4") == {"near": {"1": 1}}, "the unit the draft left there"
        found = told(walk, DEAR_SPLITS)
        assert found.orders_changed == 2
        assert (found.baseline.total.orders_split, found.draft.total.orders_split) == (1, 0)
        assert walk.world.units == {}, "after that both have taken the same of each balance"

    def test_it_cannot_take_a_unit_twice(self) -> None:
        live = Live(World().node("near", LEEDS, A=9).node("far", PARIS, "FR", A=2, B=2))
        draft = DEAR_SPLITS
        for number in range(3):
            live.order(f"web-{number}", A=1, B=1) if number < 2 else live.order("web-2", A=2)
        walk = rehearsed(live, draft)
        took: dict[str, int] = {}
        for order_id in walk.orders:
            for node, lines in held(walk, order_id).items():
                for line_id, units in lines.items():
                    sku = "B" if line_id == "2" else "A"
                    took[node + sku] = took.get(node + sku, 0) + units
        assert took["farA"] <= 2
        assert took["farB"] <= 2

    def test_capacity_it_does_not_use_is_free_for_it(self) -> None:
        live = Live(two_nodes(daily_capacity=1))
        live.order("web-1", A=1, B=1)
        (first,) = [s for s in live.decisions["web-1"][0].shipments if s.node_id == "near"]
        live.world = World(live.world.nodes, live.world.skus, live.world.available, {("near", first.ship_day, ""): 1})
        live.order("web-2", A=1)
        assert live.decisions["web-2"][0].shipments[0].ship_day > first.ship_day
        walk = rehearsed(live, DEAR_SPLITS)
        (parcel,) = walk.orders["web-2"].draft.parcels
        assert parcel.shipment.ship_day == first.ship_day

    def test_both_plans_are_also_at_the_baselines_prices(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        draft = changed(DEAR_SPLITS, distance_per_100_km=1000)
        found = told(rehearsed(live, draft), draft)
        (order,) = found.changed
        together = plan(live.world.demand(A=1, B=1), live.world.snapshot(), changed(FREE, maximum_shipments=1), 1)
        assert order.draft.weighed == together.cost, "as the baseline would have charged the draft's plan"
        assert order.draft.cost > order.draft.weighed, "the draft itself also weighs the distance"
        assert order.baseline.weighed == order.baseline.cost == live.decisions["web-1"][0].cost
        assert order.saves == order.baseline.weighed - order.draft.weighed
        assert order.draft.money == order.draft.weighed, "the baseline weighs nothing but freight"
        assert found.made.other_prices
        assert found.draft.total.weighed == order.draft.weighed
        assert order.baseline.reasons == live.decisions["web-1"][0].reasons
        assert order.draft.reasons != order.baseline.reasons

    def test_units_it_leaves_waiting_are_tried_again_with_the_orders_own(self) -> None:
        live = Live(World().node("near", LEEDS, A=1).node("far", PARIS, "FR", A=1))
        live.order("web-1", A=3)
        alone = changed(FREE, maximum_shipments=1)
        assert rehearsed(live, alone).orders["web-1"].draft.waiting == {"1": 2}
        live.delivered["near", "A"] = 2
        live.order("web-1", "stock arrived", A=1)
        walk = rehearsed(live, alone)
        assert sum(parcel.left["1"] for parcel in walk.orders["web-1"].draft.parcels) == 3
        assert not walk.orders["web-1"].draft.waiting

    def test_a_later_attempt_tells_nothing_of_other_skus(self) -> None:
        live = Live(World().node("near", LEEDS, A=1).node("far", PARIS, "FR", B=1))
        live.order("web-1", A=2, B=1)
        live.delivered["near", "A"] = 1
        seen = live.order("web-1", "stock arrived", A=1)
        record = live.records[-1]
        assert isinstance(record, Recorded)
        assert record.snapshot is not None
        only_a = record.snapshot.model_copy(update={"skus": {"A": record.snapshot.skus["A"]}})
        live.records[-1] = Recorded("web-1", 2, record.cause, VERSION, 3, MONDAY_NOON, record.demand, seen, only_a)
        walk = rehearsed(live, changed(FREE, maximum_shipments=1))
        assert sum(parcel.left["1"] for parcel in walk.orders["web-1"].draft.parcels) == 2
        assert walk.orders["web-1"].draft.waiting["2"] == 1, "nobody knows what there was of B then"

    def test_units_that_wait_for_it_alone_are_unfilled(self) -> None:
        live = Live(World().node("near", LEEDS, A=1).node("far", PARIS, "FR", A=1))
        live.order("web-1", A=2)
        found = told(rehearsed(live, changed(FREE, maximum_shipments=1)))
        assert (found.baseline.total.units_unfilled, found.draft.total.units_unfilled) == (0, 1)


class TestWhatHappened:
    def test_a_rejection_fails_the_drafts_units_at_that_node_only(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        live.happen("web-1", Happening.REJECTED, 1 if live.decisions["web-1"][0].shipments[0].node_id == "near" else 2)
        live.come_back("near", "A", 1)
        live.order("web-1", "rejected by the node", A=1, excluded_nodes=frozenset({"near"}))
        live.order("web-2", A=3)
        walk = rehearsed(live, DEAR_SPLITS)
        assert [parcel.counts for parcel in walk.orders["web-1"].baseline.parcels].count(False) == 1
        assert held(walk, "web-1") == {"far": {"1": 1, "2": 1}}, "its plan had nothing there"
        assert walk.world.units == {}, "both have the same goods from far, one of them in two parcels"
        assert held(walk, "web-2") == held(walk, "web-2", "baseline") == {"near": {"1": 3}}

    def test_what_was_not_found_is_not_free_for_the_draft(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        near = [s.node_id for s in live.decisions["web-1"][0].shipments].index("near") + 1
        live.happen("web-1", Happening.SHORT, near, l1=1)
        walk = rehearsed(live, DEAR_SPLITS)
        assert walk.world.units == {("far", "A"): -1}

    def test_what_the_carrier_lost_left_the_node(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        near = [s.node_id for s in live.decisions["web-1"][0].shipments].index("near") + 1
        live.happen("web-1", Happening.LOST, near)
        walk = rehearsed(live, DEAR_SPLITS)
        assert walk.world.units == {("near", "A"): 1, ("far", "A"): -1}
        assert walk.orders["web-1"].baseline.waiting == {"1": 1}
        assert told(walk).baseline.total.shipments == 2, "it was sent, and paid for"

    def test_a_cancellation_undoes_the_divergence(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        live.happen("web-1", Happening.CANCELLED, l1=1, l2=1)
        walk = rehearsed(live, DEAR_SPLITS)
        assert is_as_recorded(walk)
        assert told(walk).draft.total.units_cancelled == 2
        assert told(walk).draft.total.shipments == 0

    def test_units_given_up_stay_planned_where_the_draft_planned_them(self) -> None:
        live = Live(World().node("near", LEEDS, A=1).node("far", PARIS, "FR", A=1), changed(FREE, maximum_shipments=1))
        live.order("web-1", A=2)
        live.happen("web-1", Happening.GIVEN_UP, l1=1)
        walk = rehearsed(live, FREE)
        assert sum(sum(lines.values()) for lines in held(walk, "web-1").values()) == 2
        assert (told(walk).baseline.total.units_cancelled, told(walk).draft.total.units_cancelled) == (1, 0)

    def test_news_of_other_orders_is_not_heard(self) -> None:
        live = Live(two_nodes())
        live.happen("web-9", Happening.CANCELLED, l1=1)
        live.order("web-1", A=1)
        live.happen("web-1", Happening.REJECTED, 7)
        assert is_as_recorded(rehearsed(live))


class TestReoptimisation:
    def test_what_one_changed_is_the_drafts_too_where_the_order_stood_the_same(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        live.policy = DEAR_SPLITS
        for node, sku in (("near", "A"), ("far", "B")):
            live.come_back(node, sku, 1)
        live.order("web-1", SourcingCause.REOPTIMISED, A=1, B=1)
        live.policy = FREE
        walk = rehearsed(live, FREE)
        assert held(walk, "web-1") == held(walk, "web-1", "baseline") == {"far": {"1": 1, "2": 1}}
        assert is_as_recorded(walk)
        assert walk.verdicts == {Verdict.SAME: 1, Verdict.REOPTIMISED: 1}
        assert not told(walk, FREE).differs
        other = rehearsed(live, changed(FREE, maximum_shipments=1))
        assert held(other, "web-1") == {"far": {"1": 1, "2": 1}}, "its own plan stays"
        assert other.world.units == {}


class TestFigures:
    def test_of_one_side(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1, B=1)
        live.order("web-2", channel="till", A=1, requested_by=MONDAY_NOON + timedelta(days=9))
        live.order("web-3", A=99, requested_by=MONDAY_NOON + timedelta(days=1))
        found = told(rehearsed(live)).baseline
        total = found.total
        decisions = [each for (each,) in live.decisions.values()]
        assert (total.orders, total.orders_planned, total.orders_split) == (3, 3, 2)
        assert total.split_rate == pytest.approx(2 / 3, abs=1e-4)
        assert total.shipments == sum(len(each.shipments) for each in decisions)
        assert total.cost == total.weighed == sum(each.cost for each in decisions)
        assert sum(total.terms.values()) == total.cost
        assert total.units + total.units_unfilled == 102
        assert (total.orders_with_a_date, total.orders_late) == (2, 1), "web-3 lacks units and is late anyway"
        assert set(found.by_channel) == {"till", "web"}
        assert found.by_channel["till"].orders == 1
        assert set(found.by_strategy) == {"everything"}
        assert sum(load.fulfilments for load in found.nodes) == total.shipments
        assert sum(load.units for load in found.nodes) == total.units

    def test_of_nothing(self) -> None:
        found = told(Walk({}))
        assert (found.made.orders, found.baseline.total.split_rate, found.baseline.nodes) == (0, 0.0, ())
        assert not found.differs


UNITS = st.integers(0, 4)


@settings(max_examples=40, deadline=None)
@given(
    stock=st.lists(st.tuples(UNITS, UNITS), min_size=2, max_size=3),
    orders=st.lists(st.tuples(UNITS, UNITS).filter(any), min_size=1, max_size=6),
    events=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Happening), st.integers(1, 3)), max_size=4),
    penalty=st.sampled_from([0, 100, 5000]),
)
def test_the_policy_that_decided_never_leaves_the_recorded_world(
    stock: list[tuple[int, int]],
    orders: list[tuple[int, int]],
    events: list[tuple[int, Happening, int]],
    penalty: int,
) -> None:
    world = World(policy=FREE)
    places = ((LEEDS, "GB"), (PARIS, "FR"), (YORK, "GB"))
    for number, (a, b) in enumerate(stock):
        place, country = places[number]
        world = world.node(f"node-{number}", place, country, A=a, B=b)
    live = Live(world)
    for number, (a, b) in enumerate(orders):
        units: dict[str, Any] = {sku: units for sku, units in (("A", a), ("B", b)) if units}
        live.order(f"web-{number}", **units)
        for place_of_order, kind, fulfilment in events:
            if place_of_order == number:
                lines = {} if kind in {Happening.REJECTED, Happening.LOST} else {"l1": 1}
                live.happen(f"web-{number}", kind, fulfilment, **lines)
    same = rehearsed(live, live.policy)
    assert is_as_recorded(same)
    assert same.verdicts == {Verdict.SAME: len(orders)}
    assert not any(order.differences for order in same.orders.values())

    walk = rehearsed(live, changed(FREE, split_penalty=penalty))
    for order_id, order in walk.orders.items():
        asked = {line.line_id: line.quantity for line in order.demand.lines}
        for side in (order.baseline, order.draft):
            for line_id, quantity in asked.items():
                planned = sum(parcel.left[line_id] for parcel in side.parcels)
                assert planned + side.waiting[line_id] + side.cancelled[line_id] == quantity, order_id
