"""Re-optimisation in itself: what it finds for many orders together, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.sourcing.models import Demand, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.reoptimisation import Held, Joint, Unbegun, sweep
from dom.sourcing.reoptimisation.models import taken
from tests.worlds.sourcing import LEEDS, LONDON, MONDAY, PARIS, YORK, World, tariff

POLICY = {"split_penalty": 0, "reoptimisation": {"save_at_least": 100}}


def world(**reoptimisation: int) -> World:
    return World().under(**{**POLICY, "reoptimisation": {"save_at_least": 100, **reoptimisation}})


class Day:
    """Orders planned one by one, each on what the others left. `free` is what is free now."""

    def __init__(self, start: World) -> None:
        self.world = start
        self.decisions: dict[str, SourcingDecision] = {}
        self.orders: dict[str, Unbegun] = {}

    def place(self, order_id: str, **units: object) -> Day:
        demand = self.world.demand(order_id=order_id, **units)
        decision = plan(demand, self.world.snapshot(), self.world.policy, 1)
        assert not decision.unfilled
        self.decisions[order_id] = decision
        self.orders[order_id] = unbegun(demand, decision)
        self.world = less(self.world, decision)
        return self

    def comes(self, node_id: str, **units: int) -> Day:
        stock = dict(self.world.available)
        for sku, count in units.items():
            stock[node_id, sku] = stock.get((node_id, sku), 0) + count
        self.world = replace(self.world, available=stock)
        return self

    def look(self) -> tuple[Joint, ...]:
        return sweep(list(self.orders.values()), {"web": self.world.snapshot()}, self.world.policy, 1)


def unbegun(demand: Demand, decision: SourcingDecision) -> Unbegun:
    held = [
        Held(f"{demand.order_id}-F{n}", s.node_id, s.ship_day, s.service, {each.sku: each.quantity for each in s.lines})
        for n, s in enumerate(decision.shipments, 1)
    ]
    assert decision.promise
    return Unbegun(demand.model_copy(update={"deliver_by": decision.promise.latest}), tuple(held))


def less(start: World, decision: SourcingDecision) -> World:
    units, days = taken(decision.shipments)
    left = {balance: count - units[balance] for balance, count in start.available.items()}
    used = {day: start.capacity_used.get(day, 0) + days[day] for day in {*start.capacity_used, *days}}
    return replace(start, available=left, capacity_used=used)


def nodes(joints: tuple[Joint, ...]) -> dict[str, list[str]]:
    """The nodes of each changed order."""
    return {
        change.order.order_id: [shipment.node_id for shipment in change.decision.shipments]
        for joint in joints
        for change in joint.changes
    }


class TestOneOrder:
    def test_a_split_order_is_put_together_once_the_goods_are_in_one_place(self) -> None:
        day = Day(world().node("leeds", LEEDS, A=1).node("york", YORK, B=1)).place("web-1", A=1, B=1)
        (joint,) = day.comes("leeds", B=1).look()
        assert nodes((joint,)) == {"web-1": ["leeds"]}
        assert joint.saving == 300
        assert joint.changes[0].before == 600

    def test_what_saves_less_than_the_policy_asks_for_stays(self) -> None:
        for least, changes in ((300, 1), (301, 0)):
            start = world(save_at_least=least).node("leeds", LEEDS, A=1).node("york", YORK, B=1)
            assert len(Day(start).place("web-1", A=1, B=1).comes("leeds", B=1).look()) == changes

    def test_with_no_threshold_a_change_still_has_to_save_something(self) -> None:
        start = world(save_at_least=0).node("leeds", LEEDS, A=1).node("twin", LEEDS)
        assert not Day(start).place("web-1", A=1).comes("twin", A=5).look()

    def test_nothing_arrives_later_than_what_was_promised(self) -> None:
        """The other carrier is far cheaper, and a day slower."""
        start = world().node("leeds", LEEDS, A=1)
        day = Day(start).place("web-1", A=1)
        day.world = day.world.carried_by(tariff("slow", factor=0.1, days=3))
        assert not day.look()
        day.world = day.world.carried_by(tariff("fast", factor=1.0, days=2), tariff("slow", factor=0.1, days=3))
        assert not day.look()

    def test_a_node_that_failed_the_order_is_not_asked_again(self) -> None:
        day = Day(world().node("leeds", LEEDS, A=1).node("york", YORK, B=1)).place("web-1", A=1, B=1).comes("york", A=1)
        assert nodes(day.look()) == {"web-1": ["york"]}
        order = day.orders["web-1"]
        failed = order.demand.model_copy(update={"excluded_nodes": frozenset({"york"})})
        day.orders["web-1"] = replace(order, demand=failed)
        assert not day.look()

    def test_work_the_policy_would_not_plan_any_more_is_left_alone(self) -> None:
        day = Day(world().node("leeds", LEEDS, A=1).node("york", YORK, B=1)).place("web-1", A=1, B=1)
        day.world = day.comes("leeds", B=1).world.under(excluded_nodes=["york"])
        assert not day.look()


class TestTogether:
    def day(self, least: int = 100) -> Day:
        """The first takes the last A of Leeds, where the second finds its B: the second is split."""
        start = world(save_at_least=least).node("leeds", LEEDS, A=1, B=1, priority=1).node("york", YORK, A=1)
        return Day(start).place("web-1", A=1).place("web-2", A=1, B=1)

    def test_two_orders_swap(self) -> None:
        day = self.day()
        assert [s.node_id for s in day.decisions["web-1"].shipments] == ["leeds"]
        assert len(day.decisions["web-2"].shipments) == 2
        (joint,) = day.look()
        assert nodes((joint,)) == {"web-1": ["york"], "web-2": ["leeds"]}
        assert sum(change.saving for change in joint.changes) == joint.saving

    def test_a_swap_must_save_the_threshold_for_both(self) -> None:
        saving = self.day().look()[0].saving
        assert self.day(saving // 2).look()
        assert not self.day(saving // 2 + 1).look()

    def test_the_sequence_of_the_orders_plays_no_part(self) -> None:
        day = self.day()
        orders = list(day.orders.values())
        worlds = {"web": day.world.snapshot()}
        assert sweep(orders, worlds, day.world.policy, 1) == sweep(orders[::-1], worlds, day.world.policy, 1)

    def test_changes_that_do_not_need_each_other_stand_alone(self) -> None:
        start = world().node("leeds", LEEDS, A=1, C=1).node("york", YORK, B=1, D=1)
        day = Day(start).place("web-1", A=1, B=1).place("web-2", C=1, D=1).comes("leeds", B=1, D=1)
        assert [len(joint.changes) for joint in day.look()] == [1, 1]

    def late(self, customer_class: str, told_days: int = 0, waits_days: int = 9, least: int = 100) -> Day:
        """An order from Paris in four days, told two or more; another has the last A of Leeds, and days to wait."""
        terms = {"lateness_per_day": 400, "reallocation": {"classes": {"vip": 5}}}
        start = world(save_at_least=least).under(**terms).node("leeds", LEEDS, A=1).node("paris", PARIS, "FR", A=2)
        day = Day(start).place("web-1", A=1).place("web-2", A=1)
        waits, late = day.orders["web-1"], day.orders["web-2"]
        assert waits.demand.deliver_by is not None
        later = {"deliver_by": waits.demand.deliver_by + timedelta(days=waits_days)}
        told = {"customer_class": customer_class, "promised_by": waits.demand.deliver_by + timedelta(days=told_days)}
        day.orders["web-1"] = replace(waits, demand=waits.demand.model_copy(update=later))
        day.orders["web-2"] = replace(late, demand=late.demand.model_copy(update=told))
        return day

    def test_a_late_order_changes_places_with_one_that_can_wait(self) -> None:
        (joint,) = self.late("").look()
        assert nodes((joint,)) == {"web-1": ["paris"], "web-2": ["leeds"]}
        assert joint.saving == 2 * 400
        assert not self.late("", told_days=2).look()

    def test_nobody_waits_beyond_his_own_promise_for_it(self) -> None:
        assert not self.late("", waits_days=1).look()

    def test_a_late_day_weighs_what_the_customer_s_class_does(self) -> None:
        (joint,) = self.late("vip").look()
        assert joint.saving == 5 * 2 * 400
        assert not self.late("", least=401).look()
        assert self.late("vip", least=401).look()

    def test_a_day_that_is_full_takes_nobody_more(self) -> None:
        start = world().node("leeds", LEEDS, A=2, priority=1, daily_capacity=1).node("york", YORK, A=2, B=2)
        day = Day(start).place("web-1", A=1).place("web-2", A=1, B=1)
        assert len(day.orders["web-1"].held) == 1
        day.world = replace(day.world, capacity_used={**day.world.capacity_used, ("leeds", MONDAY, ""): 1})
        for joint in day.look():
            for change in joint.changes:
                assert "leeds" not in {s.node_id for s in change.decision.shipments} or change.order.order_id == "web-1"

    def test_a_channel_does_not_get_what_is_kept_from_it(self) -> None:
        day = (
            Day(world().node("leeds", LEEDS, A=1).node("york", YORK, B=1)).place("web-1", A=1, B=1).comes("leeds", B=1)
        )
        kept = day.world.snapshot()
        shop = kept.model_copy(update={"available": {b: n for b, n in kept.available.items() if b != ("leeds", "B")}})
        other = unbegun(
            day.orders["web-1"].demand.model_copy(update={"order_id": "shop-1", "channel": "shop"}),
            day.decisions["web-1"],
        )
        found = sweep([other], {"web": kept, "shop": shop}, day.world.policy, 1)
        assert not found


def drawn(random: Random) -> Day:
    places = (LEEDS, YORK, LONDON)
    start = world(save_at_least=random.choice((0, 50, 150)))
    for number in range(random.randint(2, 4)):
        stock = {sku: random.randint(0, 3) for sku in "ABC"}
        start = start.node(f"n{number}", random.choice(places), daily_capacity=random.randint(1, 6), **stock)
    day = Day(start)
    for number in range(random.randint(2, 6)):
        demand = day.world.demand(
            order_id=f"web-{number}", **{s: random.randint(1, 2) for s in random.sample("ABC", 2)}
        )
        if not plan(demand, day.world.snapshot(), day.world.policy, 1).unfilled:
            lines = {line.sku: line.quantity for line in demand.lines}
            day.place(f"web-{number}", **lines)
    return day.comes("n0", A=random.randint(0, 1), B=random.randint(0, 1))


class TestAlways:
    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 10**9))
    def test_it_fits_saves_and_keeps_every_promise(self, seed: int) -> None:
        day = drawn(Random(seed))
        toll = max(day.world.policy.reoptimisation.save_at_least, 1)
        left, used = dict(day.world.available), dict(day.world.capacity_used)
        for joint in day.look():
            assert joint.saving >= toll * len(joint.changes)
            for change in joint.changes:
                order, decision = change.order, change.decision
                assert plan(order.demand, change.snapshot, day.world.policy, 1) == decision
                assert not decision.unfilled
                assert decision.promise
                assert order.demand.deliver_by
                assert decision.promise.latest <= order.demand.deliver_by
                units, days = taken(decision.shipments)
                for book, old, new in ((left, order.units, units),):
                    for balance in {*old, *new}:
                        book[balance] = book.get(balance, 0) + old[balance] - new[balance]
                for place in {*order.days, *days}:
                    used[place] = used.get(place, 0) - order.days[place] + days[place]
            # Each group can be made for itself: what it takes is there without the others.
            assert min(left.values(), default=0) >= 0
        capacity = {node.id: node.daily_capacity for node in day.world.nodes}
        assert all(count <= capacity[node] for (node, _, service), count in used.items() if not service)

    @pytest.mark.parametrize("seed", range(5))
    def test_a_second_sweep_finds_nothing(self, seed: int) -> None:
        day = drawn(Random(seed))
        for joint in day.look():
            for change in joint.changes:
                order = change.order
                day.world = replace(
                    day.world,
                    available={
                        b: day.world.available.get(b, 0) + order.units[b] for b in {*day.world.available, *order.units}
                    },
                    capacity_used={d: n - order.days[d] for d, n in day.world.capacity_used.items()},
                )
                day.world = less(day.world, change.decision)
                day.orders[order.order_id] = replace(unbegun(order.demand, change.decision), demand=order.demand)
        assert not day.look()
