"""Ship to store: what the customer collects may come from other nodes, at the cost and on the day that it takes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import combinations, product
from math import ceil
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dom.delivery.parcels import measure
from dom.delivery.promise import collection_after, collection_window, delivery_window, ship_day
from dom.delivery.tariffs import quote
from dom.network import Node, ShippingMethod
from dom.sourcing.distance import distance_km
from dom.sourcing.models import CostTerm, Demand, Place, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Fence, Policy
from dom.sourcing.policy.lint import Known, lint
from dom.sourcing.rehearsal.pricing import shipment_costs
from dom.sourcing.servable import Servable
from tests.unit.sourcing.solver.problems import ways_to_part
from tests.worlds.policies import changed, policy, strategy
from tests.worlds.sourcing import (
    FREE,
    LEEDS,
    LONDON,
    MONDAY,
    PARIS,
    YORK,
    World,
    decide,
    failed,
    heavy_duty,
    in_full,
    tariff,
    told,
    used,
    waiting,
)
from tests.worlds.sourcing_cases import Case, cases

TO_STORE = changed(FREE, collection={"ship_to_store": {}})
WORLD = (
    World(policy=TO_STORE)
    .node("dc", LEEDS, A=5, B=5)
    .node("wh", LONDON, A=9)
    .node("york", YORK, pickup=True, kind="store", A=1, C=1)
)


def asked(world: World = WORLD, store: str = "york", **fields: Any) -> Demand:
    return world.demand(shipping_method=ShippingMethod.PICKUP, pickup_node=store, place=None, **fields)


class TestWhereThePolicyAllowsIt:
    def test_other_nodes_send_what_the_store_does_not_have(self) -> None:
        decision = decide(WORLD, asked(B=2))
        (shipment,) = decision.shipments
        assert (shipment.node_id, shipment.pickup_node, shipment.service) == ("dc", "york", "standard")
        assert (shipment.carrier, shipment.costs[CostTerm.FREIGHT]) == ("northline", 300)
        assert told(decision, "Dc sends both units to York, where the customer collects")
        assert told(
            decision, "It leaves Dc on Monday 2 March with northline", "can be collected from 10:00 on Thursday"
        )

    def test_the_stores_own_stock_is_cheaper_and_sooner(self) -> None:
        decision = decide(WORLD, asked(A=1))
        assert used(decision) == {"york": {"A": 1}}
        assert decision.shipments[0].pickup_node is None
        assert decision.runner_up is not None
        assert decision.runner_up.node_ids == ("dc",)

    def test_and_is_not_used_where_it_costs_more(self) -> None:
        dear = World(policy=TO_STORE).node("dc", LEEDS, A=5)
        dear = dear.node("york", YORK, pickup=True, A=1, handling_cost={"fixed": 900, "per_unit": 0})
        assert used(decide(dear, asked(A=1))) == {"dc": {"A": 1}}

    def test_an_order_may_be_split_between_both(self) -> None:
        decision = decide(WORLD, asked(B=1, C=1))
        assert used(decision) == {"dc": {"B": 1}, "york": {"C": 1}}
        assert told(decision, "Dc sends what comes from it to York, where the customer collects all of it")
        assert decision.promise is not None
        assert decision.promise.earliest == max(each.promise.earliest for each in decision.shipments)
        assert told(decision, "All of it can be collected from 10:00 on Thursday 5 March on")

    def test_is_off_by_default(self) -> None:
        world = WORLD.under(collection={})
        decision = decide(world, asked(world, B=2))
        assert (decision.shipments, waiting(decision)) == ((), {"B": 2})
        assert decision.others == {Fence.PICKUP: 1, Fence.STOCK: 2}

    @pytest.mark.parametrize("changes", [{"pickup": False}, {"active": False}])
    def test_nothing_goes_to_a_place_that_hands_nothing_out(self, changes: dict[str, Any]) -> None:
        world = World(policy=TO_STORE).node("dc", LEEDS, A=5).node("york", YORK, **{"pickup": True, **changes})
        assert decide(world, asked(world, A=1)).shipments == ()

    def test_is_for_pick_up_orders_alone(self) -> None:
        decision = decide(WORLD, WORLD.demand(B=1))
        assert decision.shipments[0].pickup_node is None

    def test_the_store_that_failed_the_order_gets_it_sent(self) -> None:
        assert used(decide(WORLD, asked(A=1, excluded_nodes=frozenset({"york"})))) == {"dc": {"A": 1}}


class TestWhatIsAsked:
    def test_of_a_node_that_sends(self) -> None:
        fences = {each.fence for each in in_full(WORLD, asked(A=1))["dc"]}
        assert {Fence.PICKUP, Fence.SHIPS_TO_COUNTRY, Fence.SERVICE, Fence.STOCK, Fence.CAPACITY} <= fences
        own = {each.fence for each in in_full(WORLD, asked(A=1))["york"]}
        assert Fence.SERVICE not in own

    @pytest.mark.parametrize(
        ("changes", "fence"),
        [
            ({"ships_to": ("FR",)}, Fence.SHIPS_TO_COUNTRY),
            ({"services": ("express",)}, Fence.SERVICE),
            ({"daily_capacity": 0}, Fence.CAPACITY),
        ],
    )
    def test_is_what_any_parcel_is_asked(self, changes: dict[str, Any], fence: Fence) -> None:
        world = World(policy=TO_STORE).node("dc", LEEDS, A=5, **changes).node("york", YORK, pickup=True)
        assert failed(decide(world, asked(world, A=1)), "dc") is fence

    def test_the_country_is_the_stores(self) -> None:
        world = World(policy=TO_STORE).node("dc", LEEDS, A=5).node("paris", PARIS, "FR", pickup=True)
        decision = decide(world, asked(world, "paris", A=1))
        assert decision.shipments[0].costs[CostTerm.FREIGHT] == 900  # abroad, whatever the customer's own country
        here = world.under(same_country=True)
        assert failed(decide(here, asked(here, "paris", A=1)), "dc") is Fence.PLACE

    def test_the_distance_is_to_the_store(self) -> None:
        far = WORLD.under(maximum_distance_km={"any": 50})
        decision = decide(far, asked(far, A=2))
        assert (failed(decision, "wh"), failed(decision, "dc")) == (Fence.WITHIN_DISTANCE, None)
        dear = WORLD.under(distance_per_100_km=100)
        assert decide(dear, asked(dear, B=1)).shipments[0].costs[CostTerm.DISTANCE] == pytest.approx(36, abs=2)

    def test_capacity_of_the_service_counts(self) -> None:
        world = World(policy=TO_STORE).node("dc", LEEDS, A=5, service_capacity={"standard": 1})
        world = world.node("york", YORK, pickup=True)
        free = decide(world, asked(world, A=1)).shipments[0]
        snapshot = world.snapshot().model_copy(update={"capacity_used": {("dc", MONDAY, "standard"): 1}})
        later = plan(asked(world, A=1), snapshot, world.policy, 1).shipments[0]
        assert later.ship_day == free.ship_day + timedelta(days=1)

    def test_carriers_may_be_shut_out(self) -> None:
        world = WORLD.under(excluded_carriers=["northline"])
        assert failed(decide(world, asked(world, A=2)), "dc") is Fence.CARRIER

    def test_a_carrier_takes_no_more_than_it_takes(self) -> None:
        world = World(policy=TO_STORE).node("dc", LEEDS, A=1).node("york", YORK, pickup=True).sku("A", 30_000)
        assert failed(decide(world, asked(world, A=1)), "dc") is Fence.CARRIER_LIMITS
        strong = world.carried_by(tariff(), heavy_duty())
        assert decide(strong, asked(strong, A=1)).shipments[0].carrier == "strong"


class TestThePromise:
    def test_is_the_end_of_the_carriers_window_and_the_stores_own_time(self) -> None:
        (shipment,) = decide(WORLD, asked(B=1)).shipments
        assert shipment.promise.earliest == datetime(2026, 3, 5, 10, tzinfo=UTC)  # Wednesday 20:00, opens at 8
        quick = WORLD.under(collection={"ship_to_store": {"handling_minutes": 0, "service": "express"}})
        (shipment,) = decide(quick, asked(quick, B=1)).shipments
        assert (shipment.service, shipment.promise.earliest) == ("express", datetime(2026, 3, 4, 8, tzinfo=UTC))

    def test_counts_as_late_from_when_it_can_be_collected(self) -> None:
        by = datetime(2026, 3, 4, 20, tzinfo=UTC)
        dear = WORLD.under(lateness_per_day=150)
        (shipment,) = decide(dear, asked(dear, B=1, requested_by=by)).shipments
        assert shipment.costs[CostTerm.LATENESS] == 150
        in_time = WORLD.under(arrives_in_time=True)
        decision = decide(in_time, asked(in_time, A=2, requested_by=by))
        assert failed(decision, "dc") is Fence.ARRIVES_IN_TIME

    def test_is_none_where_the_store_does_not_open(self) -> None:
        world = World(policy=TO_STORE).node("dc", LEEDS, A=1)
        world = world.node("york", YORK, pickup=True, opening_hours="2030 Jan 01 08:00-18:00")
        decision = decide(world, asked(world, A=1))
        assert (decision.shipments, failed(decision, "dc")) == ((), Fence.PICKUP)

    def test_servable_says_what_the_planner_does(self) -> None:
        snapshot = WORLD.snapshot()
        demands = (asked(A=1),)
        may = Servable(snapshot, WORLD.policy, demands).nodes(snapshot.skus["B"])
        assert may == frozenset({"dc", "wh", "york"})
        off = Servable(snapshot, changed(WORLD.policy, collection={}), demands).nodes(snapshot.skus["B"])
        assert off == frozenset({"york"})

    def test_why_nobody_may_ever_give_it(self) -> None:
        world = World(policy=TO_STORE).node("dc", LEEDS, ships_to=("FR",)).node("wh", LONDON, ships_to=("FR",))
        world = world.node("york", YORK, A=1, pickup=True, daily_capacity=0)
        decision = decide(world, asked(world, A=1))
        assert told(decision, "No place can hand A out at York, or send it there, whatever it holds")


class TestThePolicy:
    def test_goods_do_not_travel_by_pick_up(self) -> None:
        with pytest.raises(ValidationError, match="carrier's service"):
            policy(collection={"ship_to_store": {"service": "pickup"}})

    def test_carriers_of_pick_up_orders_mean_something(self) -> None:
        collects = strategy("a", services=["pickup"], carriers=["northline"])
        rest = strategy("b")
        assert "pickup-and-carriers" in codes(policy(collects, rest))
        assert codes(policy(collects, rest, collection={"ship_to_store": {}})) == []

    def test_a_service_that_nobody_offers_sends_nothing(self) -> None:
        known = Known(nodes=tuple(n.model_copy(update={"services": ("express",)}) for n in WORLD.nodes))
        found = lint(policy(collection={"ship_to_store": {}}), known)
        assert [(each.code, each.path) for each in found] == [
            ("service-not-offered", ("collection", "ship_to_store", "service"))
        ]


def codes(written: Policy) -> list[str]:
    return [each.code for each in lint(written)]


@st.composite
def collected(draw: st.DrawFn) -> Case:
    """A case whose order is collected at one of its nodes."""
    case = draw(cases())
    place = draw(st.integers(0, len(case.snapshot.nodes) - 1))
    network = list(case.snapshot.nodes)
    store = network[place] = network[place].model_copy(update={"pickup": True, "active": True, "cut_off": time(17)})
    demand = case.demand.model_copy(update={"shipping_method": ShippingMethod.PICKUP, "pickup_node": store.id})
    minutes = draw(st.sampled_from([0, 120, 900]))
    allowed = changed(case.policy, collection={"ship_to_store": {"handling_minutes": minutes}})
    return Case(demand, case.snapshot.model_copy(update={"nodes": tuple(network)}), allowed)


class TestAgainstTryingEverything:
    @settings(deadline=None, max_examples=200)
    @given(case=collected())
    def test_no_plan_fills_more_or_costs_less(self, case: Case) -> None:
        decision = case.decided()
        event(f"{len(decision.shipments)} shipments, {sum(s.pickup_node is not None for s in decision.shipments)} sent")
        assume(decision.exact)
        assert (left(decision), decision.cost) == best_of_everything(case)
        for shipment in decision.shipments:
            assert shipment.is_collected
            assert (shipment.pickup_node is None) == (shipment.node_id == case.demand.pickup_node)
            assert shipment.promise.earliest <= shipment.promise.latest
            costs = case.policy.strategies[0].cost
            again = shipment_costs(shipment, case.demand, case.snapshot, case.policy, costs)
            if shipment.pickup_node is not None:  # of the store's own, distance counts to the store: none
                assert again is not None
                assert sum(again.values()) + shipment.costs[CostTerm.SPLIT] == shipment.cost


def left(decision: SourcingDecision) -> int:
    return sum(line.quantity for line in decision.unfilled)


def best_of_everything(case: Case) -> tuple[int, int]:
    """Units left and cost of the best plan: every set of nodes, every way to part the goods among them."""
    wanted: dict[str, int] = {}
    for line in case.demand.lines:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    store = case.node(case.demand.pickup_node or "")
    able = [n for n in case.snapshot.nodes if may_give(n, store, case)]
    cost = case.policy.strategies[0].cost
    best = (sum(wanted.values()), 0)
    for size in range(1, case.policy.strategies[0].split.maximum_shipments + 1):
        for members in combinations(able, size):
            for giving in every_way(members, wanted, case.snapshot):
                if all(any(units.values()) for units in giving.values()):
                    given_ = sum(sum(units.values()) for units in giving.values())
                    price = sum(price_of(case.node(n), goods, store, case) for n, goods in giving.items())
                    best = min(best, (sum(wanted.values()) - given_, price + cost.split_penalty * (len(giving) - 1)))
    return best


def may_give(node: Node, store: Node, case: Case) -> bool:
    goes = node.id == store.id or not node.ships_to or store.address.country in node.ships_to
    return node.active and node.id not in case.demand.excluded_nodes and goes and node.daily_capacity > 0


def every_way(
    members: Sequence[Node], wanted: Mapping[str, int], snapshot: Snapshot
) -> Iterator[dict[str, dict[str, int]]]:
    per_sku = [
        [(code, way) for way in ways_to_part([snapshot.available[m.id, code] for m in members], units)]
        for code, units in wanted.items()
    ]
    for combination in product(*per_sku):
        yield {m.id: {code: way[place] for code, way in combination} for place, m in enumerate(members)}


def price_of(node: Node, goods: Mapping[str, int], store: Node, case: Case) -> int:
    costs, demand, used_ = case.policy.strategies[0].cost, case.demand, case.snapshot.capacity_used
    own = node.handling_cost.fixed + node.handling_cost.per_unit * sum(goods.values())
    own += node.priority * costs.priority_weight

    def is_full(day: Any) -> bool:
        return used_.get((node.id, day, ""), 0) >= node.daily_capacity

    def late(ready: datetime) -> int:
        return (
            ceil(max(timedelta(), ready - (demand.requested_by or ready)) / timedelta(days=1)) * costs.lateness_per_day
        )

    if node.id == store.id:
        window = collection_window(node, demand.as_of, is_full)
        assert window is not None
        return own + late(window.promise.earliest)
    day = ship_day(node, demand.as_of, is_full)
    terms = case.policy.collection.ship_to_store
    assert day is not None
    assert terms is not None
    carried = []
    for each in case.snapshot.tariffs:
        offer = quote(
            each, terms.service, node.address.country, store.address.country, measure(goods.items(), case.snapshot.skus)
        )
        assert offer is not None
        brought = delivery_window(day.day, offer.transit_days_min, offer.transit_days_max, store.address.country)
        ready = collection_after(store, brought.latest, terms.handling_minutes)
        assert ready is not None
        carried.append(offer.price + late(ready.earliest))
    away = distance_km(node, Place(latitude=store.latitude, longitude=store.longitude)) or 0
    return min(carried) + own + round(away * costs.distance_per_100_km / 100)
