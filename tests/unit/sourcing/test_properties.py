"""What holds for every plan, tried on worlds nobody thought of, and against a planner that tries everything."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from math import ceil

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from dom.delivery.parcels import measure
from dom.delivery.promise import delivery_window, ship_day
from dom.delivery.tariffs import Tariff, quote
from dom.network import Node, ShippingMethod
from dom.orders.order import Promise
from dom.sourcing.costs import Offer, PricedLane
from dom.sourcing.distance import distance_km
from dom.sourcing.models import Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Fence
from dom.sourcing.solver.bounds import Measure, steps_of
from tests.unit.sourcing.solver.problems import ways_to_part
from tests.worlds.sourcing import FREE, World
from tests.worlds.sourcing_cases import Case, cases, tariffs

NO_PROMISE = Promise(earliest=datetime(2026, 3, 4, 8, tzinfo=UTC), latest=datetime(2026, 3, 4, 20, tzinfo=UTC))
a_few = settings(deadline=None, max_examples=50)


class TestEveryPlan:
    @a_few
    @given(case=cases(most_nodes=7, most_lines=5, most_units=8))
    def test_keeps_its_promises(self, case: Case) -> None:
        decision = case.decided()
        gives: dict[tuple[str, str], int] = {}
        filled = {line.line_id: 0 for line in case.demand.lines}
        for shipment in decision.shipments:
            node_ = case.node(shipment.node_id)
            assert node_.active
            assert node_.id not in case.demand.excluded_nodes
            assert not node_.ships_to or "GB" in node_.ships_to
            assert case.snapshot.capacity_used.get((node_.id, shipment.ship_day, ""), 0) < node_.daily_capacity
            assert shipment.ship_by >= case.demand.as_of
            assert shipment.lines
            for line in shipment.lines:
                gives[node_.id, line.sku] = gives.get((node_.id, line.sku), 0) + line.quantity
                filled[line.line_id] += line.quantity
        assert all(units <= case.snapshot.available.get(key, 0) for key, units in gives.items())
        for line in decision.unfilled:
            filled[line.line_id] += line.quantity
        assert filled == {line.line_id: line.quantity for line in case.demand.lines}
        assert len(decision.shipments) <= case.policy.strategies[0].split.maximum_shipments
        assert len({s.node_id for s in decision.shipments}) == len(decision.shipments)
        holders = {node_id for (node_id, _), units in case.snapshot.available.items() if units}
        assert [c.node_id for c in decision.candidates] == sorted(holders)
        assert 2 <= len(decision.reasons) <= 8

    @a_few
    @given(case=cases(most_nodes=7, most_lines=5, most_units=8))
    def test_is_no_worse_than_any_node_alone(self, case: Case) -> None:
        decision = case.decided()
        alone = [c.alone_cost for c in decision.candidates if c.alone_cost is not None]
        if alone:
            assert not decision.unfilled
            assert decision.cost <= min(alone)
        if decision.runner_up:
            assert decision.cost <= decision.runner_up.cost
            assert decision.runner_up.node_ids != tuple(s.node_id for s in decision.shipments)

    @a_few
    @given(case=cases(most_nodes=6, most_lines=5), data=st.data())
    def test_does_not_depend_on_the_order_of_anything(self, case: Case, data: st.DataObject) -> None:
        snapshot = case.snapshot
        shuffled = snapshot.model_copy(
            update={
                "nodes": tuple(data.draw(st.permutations(snapshot.nodes))),
                "tariffs": tuple(data.draw(st.permutations(snapshot.tariffs))),
                "skus": dict(data.draw(st.permutations(list(snapshot.skus.items())))),
                "available": dict(data.draw(st.permutations(list(snapshot.available.items())))),
            }
        )
        assert plan(case.demand, shuffled, case.policy, 1) == case.decided()

    @a_few
    @given(case=cases(most_nodes=6, most_lines=5), data=st.data())
    def test_is_the_same_when_the_lines_come_in_another_order(self, case: Case, data: st.DataObject) -> None:
        lines = tuple(data.draw(st.permutations(case.demand.lines)))
        turned = plan(case.demand.model_copy(update={"lines": lines}), case.snapshot, case.policy, 1)
        straight = case.decided()
        assert turned.cost == straight.cost
        assert [s.node_id for s in turned.shipments] == [s.node_id for s in straight.shipments]
        assert [set(s.lines) for s in turned.shipments] == [set(s.lines) for s in straight.shipments]
        assert set(turned.unfilled) == set(straight.unfilled)

    @a_few
    @given(case=cases(most_nodes=6, most_lines=5, most_units=8))
    def test_a_node_is_left_out_only_by_a_fence_it_fails(self, case: Case) -> None:
        for candidate in case.decided().candidates:
            node_ = case.node(candidate.node_id)
            failed = next((f.fence for f in candidate.fences if not f.passed), None)
            held = any(case.snapshot.available[node_.id, line.sku] for line in case.demand.lines)
            truth = {
                Fence.ACTIVE: node_.active,
                Fence.NOT_EXCLUDED: node_.id not in case.demand.excluded_nodes,
                Fence.SHIPS_TO_COUNTRY: not node_.ships_to or "GB" in node_.ships_to,
                Fence.STOCK: held,
                Fence.CAPACITY: node_.daily_capacity > 0,
            }
            assert failed == next((fence for fence, passed in truth.items() if not passed), None)


class TestAgainstTryingEverything:
    @settings(deadline=None, max_examples=150)
    @given(case=cases())
    def test_no_plan_fills_more_or_costs_less(self, case: Case) -> None:
        decision = case.decided()
        event(f"{len(decision.shipments)} shipments, exact {decision.exact}")
        assume(decision.exact)
        assert (_left(decision), decision.cost) == best_of_everything(case)

    @settings(deadline=None, max_examples=40)
    @given(case=cases(most_nodes=4, most_lines=5, most_units=3))
    def test_also_with_more_lines(self, case: Case) -> None:
        decision = case.decided()
        assume(decision.exact)
        assert (_left(decision), decision.cost) == best_of_everything(case)

    def test_small_problems_are_exact(self) -> None:
        world = World(policy=FREE.model_copy(update={"split_penalty": 250}))
        for number in range(4):
            world = world.node(f"n{number}", A=number + 1, B=3 - number, C=2)
        for units in product(range(1, 5), repeat=3):
            decision = plan(world.demand(**dict(zip("ABC", units, strict=True))), world.snapshot(), world.policy, 1)
            assert decision.exact


class TestBounds:
    @settings(deadline=None, max_examples=40)
    @given(
        carriers=tariffs(),
        measure_by=st.sampled_from(Measure),
        total=st.integers(1, 2_000_000),
        sizes=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    )
    def test_the_steps_never_ask_more_than_a_carrier_would(
        self, carriers: tuple[Tariff, ...], measure_by: Measure, total: int, sizes: list[float]
    ) -> None:
        offers = tuple(
            Offer(PricedLane(t.carrier, t.rates[ShippingMethod.STANDARD, "GB", "GB"], t.divisor, 1.0), NO_PROMISE, late)
            for late, t in enumerate(carriers)
        )
        scale = 1 if measure_by is Measure.WEIGHT else 5_000
        steps = steps_of(offers, measure_by, total * scale)
        assert steps.ends[-1] == total * scale
        for size in sizes:
            goods = round(size * total * scale)
            grams, mm3 = (goods, 0) if measure_by is Measure.WEIGHT else (0, goods)
            price = min(offer.cost(grams, mm3) for offer in offers)
            bound = steps.prices[bisect_left(steps.ends, goods)]
            assert bound <= price
            if total <= 100_000:
                assert bound == price


def _left(decision: SourcingDecision) -> int:
    return sum(line.quantity for line in decision.unfilled)


Giving = Mapping[str, Mapping[str, int]]
"""Units by SKU by node."""


def best_of_everything(case: Case) -> tuple[int, int]:
    """Units left and cost of the best plan: every set of nodes, every way to part the goods among them."""
    wanted: dict[str, int] = {}
    for line in case.demand.lines:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    able = [n for n in case.snapshot.nodes if _may_ship(n, case)]
    best = (sum(wanted.values()), 0)
    for size in range(1, case.policy.strategies[0].split.maximum_shipments + 1):
        for members in combinations(able, size):
            for giving in _every_way(members, wanted, case.snapshot):
                if all(any(units.values()) for units in giving.values()):
                    left = sum(wanted.values()) - sum(sum(units.values()) for units in giving.values())
                    best = min(best, (left, _cost(giving, case)))
    return best


def _may_ship(node_: Node, case: Case) -> bool:
    return (
        node_.active
        and node_.id not in case.demand.excluded_nodes
        and (not node_.ships_to or case.demand.country in node_.ships_to)
        and node_.daily_capacity > 0
    )


def _every_way(members: Sequence[Node], wanted: Mapping[str, int], snapshot: Snapshot) -> Iterator[Giving]:
    per_sku = [
        [(code, way) for way in ways_to_part([snapshot.available[m.id, code] for m in members], units)]
        for code, units in wanted.items()
    ]
    for combination in product(*per_sku):
        yield {m.id: {code: way[place] for code, way in combination} for place, m in enumerate(members)}


def _cost(giving: Giving, case: Case) -> int:
    shipments = [_shipment_cost(case.node(node_id), goods, case) for node_id, goods in giving.items()]
    return sum(shipments) + case.policy.strategies[0].cost.split_penalty * (len(shipments) - 1)


def _shipment_cost(node_: Node, goods: Mapping[str, int], case: Case) -> int:
    policy, demand, snapshot = case.policy.strategies[0].cost, case.demand, case.snapshot
    size = measure(goods.items(), snapshot.skus)
    day = ship_day(
        node_, demand.as_of, lambda d: snapshot.capacity_used.get((node_.id, d, ""), 0) >= node_.daily_capacity
    )
    assert day is not None
    carried = []
    for tariff in snapshot.tariffs:
        offer = quote(tariff, demand.shipping_method, node_.address.country, demand.country, size)
        assert offer is not None
        arrival = delivery_window(day.day, offer.transit_days_min, offer.transit_days_max, demand.country).latest
        late = max(timedelta(), arrival - (demand.requested_by or arrival))
        carried.append(offer.price + ceil(late / timedelta(days=1)) * policy.lateness_per_day)
    distance = distance_km(node_, demand.place) or 0
    return (
        min(carried)
        + node_.handling_cost.fixed
        + node_.handling_cost.per_unit * sum(goods.values())
        + round(distance * policy.distance_per_100_km / 100)
        + node_.priority * policy.priority_weight
    )
