"""What holds for every explanation, in worlds nobody thought of."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import chain
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dom.delivery.zones import zone_of
from dom.sourcing.explanation.changes import from_record, taken
from dom.sourcing.explanation.models import ChangeKind
from dom.sourcing.explanation.recomputing import explained
from dom.sourcing.explanation.record import Record
from dom.sourcing.explanation.settings import SETTINGS
from dom.sourcing.models import Demand, Snapshot, SourcingDecision, StockValue
from dom.sourcing.planner import plan
from dom.sourcing.planning.snapshot_codec import pack, unpack
from dom.sourcing.policy.document import Costs, Policy
from dom.sourcing.reasons import words
from dom.sourcing.reasons.kept import by_term
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import LEEDS, LONDON, MONDAY_NOON, PARIS, YORK, World, handling, tariff

a_few = settings(deadline=None, max_examples=50)
PLACES = (LEEDS, YORK, LONDON, PARIS)
DAYS = tuple(date(2026, 3, 1) + timedelta(days=ahead) for ahead in range(9))
THEN: tuple[dict[str, Any], ...] = (
    {},
    {"on_partial": {"relax": ["within_distance", "capacity_kept"]}, "on_none": {"relax": ["within_distance"]}},
    {"on_partial": {"then": "next_strategy"}, "on_none": {"then": "next_strategy"}},
    {"on_partial": {"then": "cancel"}, "on_none": {"then": "queue"}},
)


@dataclass(frozen=True)
class Case:
    """An order in a world under a policy."""

    demand: Demand
    snapshot: Snapshot
    policy: Policy

    def decided(self) -> SourcingDecision:
        """The decision under policy version 1."""
        return plan(self.demand, self.snapshot, self.policy, 1)

    def record(self) -> Record:
        """What is kept of it, read again."""
        kept = json.loads(self.decided().model_dump_json())
        seen = json.loads(json.dumps(pack(self.snapshot, {n.sku for n in self.demand.lines}, self.demand.as_of)))
        again = unpack(seen, self.snapshot.nodes, self.snapshot.tariffs)
        return Record(self.demand, SourcingDecision.model_validate(kept), self.policy, again)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """One or two strategies with fences and costs of every sort."""
    found = []
    for name in draw(st.sampled_from([("only",), ("near", "rest")])):
        costs = {
            "split_penalty": draw(st.sampled_from([0, 120, 250])),
            "lateness_per_day": draw(st.sampled_from([0, 150])),
            "distance_per_100_km": draw(st.sampled_from([0, 7, 30])),
            "priority_weight": draw(st.sampled_from([0, 3])),
            "capacity_balance": draw(st.sampled_from([0, 90])),
            "freight_weight": draw(st.sampled_from([1.0, 1.0, 0.8])),
            "opportunity_weight": draw(st.sampled_from([0.0, 1.0])),
        }
        fences = {
            "maximum_distance_km": draw(st.sampled_from([{}, {"any": 300}, {"store": 50}])),
            "capacity_kept_percent": draw(st.sampled_from([{}, {"any": 50}])),
            "leaves_within_days": draw(st.sampled_from([None, None, 1])),
            "keep_back": draw(st.sampled_from([{}, {}, {"store": 1}])),
        }
        found.append(strategy(name, **costs, **fences, **draw(st.sampled_from(THEN))))
    return policy(*found)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to five nodes, three SKUs, two carriers, and days of which some are used."""
    world = World()
    for number in range(draw(st.integers(1, 5).map(lambda fewer: 6 - fewer))):
        stock = {code: draw(st.sampled_from([0, 1, 3, 6, 6])) for code in "ABC"}
        world = world.node(
            f"node-{chr(97 + number)}",
            draw(st.sampled_from(PLACES)),
            kind=draw(st.sampled_from(["warehouse", "store"])),
            daily_capacity=draw(st.sampled_from([2, 3, 100, 100, 0])),
            handling_cost=handling(draw(st.integers(0, 300)), draw(st.integers(0, 40))),
            priority=draw(st.integers(0, 40)),
            active=draw(st.integers(0, 9)) < 9,
            pickup=True,
            services=draw(st.sampled_from([("standard", "express"), ("standard",)])),
            **stock,
        )
    ids = [node.id for node in world.nodes]
    used = draw(st.dictionaries(st.tuples(st.sampled_from(ids), st.sampled_from(DAYS)), st.integers(0, 3), max_size=12))
    by_service = draw(st.dictionaries(st.sampled_from(ids), st.integers(1, 2), max_size=2))
    taken_up = {(node, day, ""): count for (node, day), count in used.items()}
    taken_up |= {(node, DAYS[1], "standard"): count for node, count in by_service.items()}
    lines = {code: draw(st.integers(1, 4)) for code in draw(st.sampled_from(["A", "A", "AB", "ABC"]))}
    pickup = draw(st.sampled_from([None, None, None, ids[0]]))
    demand = world.demand(
        **lines,
        shipping_method="pickup" if pickup else draw(st.sampled_from(["standard", "standard", "express"])),
        pickup_node=pickup,
        place=draw(st.sampled_from([LEEDS, LONDON, None])),
        requested_by=draw(st.sampled_from([None, None, datetime(2026, 3, 4, 20, tzinfo=UTC)])),
        deliver_by=draw(st.sampled_from([None, None, None, datetime(2026, 3, 6, 20, tzinfo=UTC)])),
        ship_complete=draw(st.sampled_from([False, False, True])),
        excluded_nodes=frozenset(draw(st.sampled_from([(), (), (ids[-1],)]))),
    )
    carriers = draw(st.sampled_from([(tariff(),), (tariff(), tariff("slowpost", factor=0.6, days=4))]))
    values = {(ids[0], "A"): StockValue(opportunity=draw(st.sampled_from([0, 35, 200])))}
    snapshot = world.carried_by(*carriers).snapshot().model_copy(update={"capacity_used": taken_up, "values": values})
    return Case(demand, snapshot, draw(policies()))


class TestWhatIsSeenAgain:
    @a_few
    @given(case=cases())
    def test_makes_the_planner_decide_the_same(self, case: Case) -> None:
        record = case.record()
        assert record.snapshot is not None
        assert record.recompute_decision(record.snapshot) == case.decided()

    @a_few
    @given(case=cases())
    def test_a_decision_is_reproduced(self, case: Case) -> None:
        explanation = explained(case.record())
        assert explanation.reproduced, explanation.differences
        assert not explanation.because


class TestWhatIsKept:
    @a_few
    @given(case=cases())
    def test_nodes_are_listed_or_counted(self, case: Case) -> None:
        decision = case.decided()
        listed = {candidate.node_id for candidate in decision.candidates}
        assert len(listed) + sum(decision.others.values()) == (len(case.snapshot.nodes) if decision.tried else 0)
        assert {shipment.node_id for shipment in decision.shipments} <= listed
        for candidate in decision.candidates:
            assert candidate.units
            assert len(candidate.fences) == (not candidate.eligible)

    @a_few
    @given(case=cases())
    def test_the_terms_of_the_runner_up_are_its_cost(self, case: Case) -> None:
        second = case.decided().runner_up
        event(f"runner-up: {second is not None}")
        if second is not None:
            assert sum(second.costs.values()) == second.cost
            assert set(second.freight) == set(second.node_ids)


class TestTheFullPicture:
    @a_few
    @given(case=cases())
    def test_agrees_with_what_was_kept(self, case: Case) -> None:
        record = case.record()
        nodes = {node.node_id: node for node in explained(record).nodes}
        for candidate in record.decision.candidates:
            node = nodes[candidate.node_id]
            first = next((result for result in node.fences if not result.passed), None)
            assert (first,) == candidate.fences if first else not candidate.fences
            if candidate.alone_cost is not None:
                assert (node.alone_cost, node.fills_alone) == (candidate.alone_cost, True)
            assert sum(node.alone_costs.values()) == (node.alone_cost or 0)


class TestWhatWouldChangeIt:
    @settings(deadline=None, max_examples=40)
    @given(case=cases())
    def test_a_setting_is_the_smallest_change(self, case: Case) -> None:
        record = case.record()
        strategy_used = record.strategy
        for change in explained(record).changes:
            if change.kind is not ChangeKind.SETTING or strategy_used is None:
                continue
            event(change.setting)
            setting = next(each for each in SETTINGS if each.name == change.setting)
            needed, now = Fraction(str(change.needed)), Fraction(str(change.now))
            back = needed + (setting.step if now > needed else -setting.step)
            assert self._taken(record, setting.put(strategy_used.cost, needed)) != taken(record.decision)
            assert self._taken(record, setting.put(strategy_used.cost, back)) == taken(record.decision)

    def _taken(self, record: Record, costs: Costs) -> object:
        assert record.snapshot is not None
        return taken(record.recompute_decision(record.snapshot, costs))

    @settings(deadline=None, max_examples=40)
    @given(case=cases())
    def test_the_stock_named_makes_a_better_plan_and_less_does_not_do_as_much(self, case: Case) -> None:
        record = case.record()
        for change in explained(record).changes:
            event(change.kind)
            if change.kind is not ChangeKind.STOCK:
                continue
            assert change.node_id is not None
            better = _with(record, change.node_id, change.stock)
            assert [shipment.node_id for shipment in better.shipments] == list(change.wins)
            filled = _waiting(record.decision) - _waiting(better)
            assert filled == change.fills
            assert filled > 0 or record.decision.cost - better.cost == change.saves
            assert filled > 0 or (change.saves or 0) > 0
            for sku, units in change.stock.items():
                less = _with(record, change.node_id, {**change.stock, sku: units - 1})
                assert _waiting(less) > _waiting(better) if filled else less.cost != better.cost


class TestSentences:
    @settings(deadline=None, max_examples=200)
    @given(case=cases())
    def test_name_nothing_the_decision_does_not_hold(self, case: Case) -> None:
        decision = case.decided()
        assert 2 <= len(decision.reasons) <= 8
        held = _Held(case, decision)
        for sentence in decision.reasons:
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert not re.search(r"\b(fence|candidate|node|strategy|policy|SKU)s?\b", _without_names(sentence, case))
            held.check(sentence)

    @a_few
    @given(case=cases())
    def test_so_do_those_on_what_would_change_it(self, case: Case) -> None:
        record = case.record()
        for change in chain(explained(record).changes, from_record(record, {})):
            assert change.sentence.endswith(".")
            held = [x for x in (change.now, change.needed, change.saves) if x is not None]
            amounts = [said for x in held for said in (words.money(round(x), "GBP"), f"{x:g}")]
            counts = [str(units) for units in (*change.stock.values(), change.fills)]
            rest = _without_names(change.sentence, case).replace("CO2", "").replace("100 km", "")
            for known in sorted([*amounts, *counts], key=len, reverse=True):
                rest = rest.replace(known, "")
            assert not re.search(r"\d", rest), (change.sentence, rest)


class _Held:
    """All the numbers, dates, amounts and names a decision and its demand hold, as they may be said."""

    def __init__(self, case: Case, decision: SourcingDecision) -> None:
        self.case = case
        demand, second = case.demand, decision.runner_up
        own = by_term(decision.shipments)
        self.nodes = {c.node_id for c in decision.candidates} | {demand.pickup_node or ""}
        self.nodes |= set(second.node_ids) if second else set()
        amounts = {decision.cost, *own.values()}
        other = [c.alone_cost for c in decision.candidates if c.alone_cost is not None]
        other += [second.cost] if second else []
        amounts |= {*other, *(cost - decision.cost for cost in other)}
        for passed in decision.passed_over:
            shipment = next(s for s in decision.shipments if s.node_id == passed.node_id)
            amounts.add(shipment.costs["freight"] - passed.freight)  # type: ignore[index]
        self.amounts = {words.money(amount, decision.currency) for amount in amounts}
        zone = zone_of(demand.country)
        moments = [at for s in decision.shipments for at in (s.promise.earliest, s.promise.latest)]
        moments += [at for at in (demand.requested_by, demand.deliver_by, decision.next_release) if at]
        moments += [passed.latest for passed in decision.passed_over]
        self.dates = {words.moment(at, zone) for at in moments} | {words.day(at.astimezone(zone)) for at in moments}
        self.dates |= {words.day(s.ship_day) for s in decision.shipments}
        self.fences = {text for c in decision.candidates for f in c.fences for text in (f.expected, f.actual)}
        lines = [*demand.lines, *decision.unfilled, *chain.from_iterable(s.lines for s in decision.shipments)]
        total, waiting = sum(n.quantity for n in demand.lines), sum(n.quantity for n in decision.unfilled)
        self.numbers = {n.quantity for n in lines} | {total, waiting, total - waiting, len(decision.shipments)}
        self.numbers |= {sum(n.quantity for n in s.lines) for s in decision.shipments}
        self.numbers |= {round(c.distance_km) for c in decision.candidates if c.distance_km is not None}
        self.numbers |= {c.units for c in decision.candidates} | {a.filled for a in decision.tried}
        self.numbers |= {total - a.filled for a in decision.tried}
        self.numbers |= {count for fences in decision.ruled_out.values() for count in fences.values()}
        self.numbers |= set(range(len([c for c in decision.candidates if not c.eligible])))
        minutes = decision.retry.after_minutes
        self.numbers |= {minutes, minutes // 60, minutes // 1440, decision.retry.cancel_after_days}

    def check(self, sentence: str) -> None:
        """Take away all that is held; no digit may be left."""
        rest = sentence
        for node in self.case.snapshot.nodes:
            assert node.name not in sentence or node.id in self.nodes, sentence
        for text in sorted(self.fences | self.dates | self.amounts, key=len, reverse=True):
            rest = rest.replace(text, "")
        assert {int(number) for number in re.findall(r"\d+", rest)} <= self.numbers, (sentence, rest)


def _without_names(sentence: str, case: Case) -> str:
    for node in case.snapshot.nodes:
        sentence = sentence.replace(node.name, "").replace(node.id, "")
    return sentence


def _with(record: Record, node_id: str, stock: dict[str, int]) -> SourcingDecision:
    assert record.snapshot is not None
    held = dict(record.snapshot.available)
    for sku, units in stock.items():
        held[node_id, sku] = held.get((node_id, sku), 0) + units
    return record.recompute_decision(record.snapshot.model_copy(update={"available": held}))


def _waiting(decision: SourcingDecision) -> int:
    return sum(line.quantity for line in decision.unfilled)


def test_the_moment_of_these_worlds_is_a_monday() -> None:
    assert words.day(MONDAY_NOON) == "Monday 2 March"
