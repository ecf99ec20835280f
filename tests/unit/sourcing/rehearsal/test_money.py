"""Money in a rehearsal: both sides are priced alike, and sums that are compared are over the same orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.rehearsal.page import page, rows
from dom.delivery.tariffs import Tariff
from dom.network import ShippingMethod
from dom.sourcing.models import CostTerm
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Carbon, DaysOfSupply, Policy
from dom.sourcing.rehearsal.pricing import costs_of, shipment_costs
from dom.sourcing.rehearsal.recorded import Recorded
from dom.sourcing.rehearsal.report import Report
from dom.sourcing.rehearsal.walking import Walk
from tests.worlds.policies import changed
from tests.worlds.recording import DEAR_SPLITS, VERSION, Live, rehearsed, told, two_nodes
from tests.worlds.sourcing import ATHENS, FREE, LEEDS, MONDAY_NOON, NORTHLINE, PARIS, YORK, World, handling, tariff


def only_express(carrier: str, factor: float) -> Tariff:
    """A carrier that has no other service than express."""
    made = tariff(carrier, factor=factor, days=2)
    quick = tuple(each for each in made.services if each.method is ShippingMethod.EXPRESS)
    return Tariff(carrier=carrier, name=carrier, currency="GBP", divisor=5000, services=quick)


def rehearsal(live: Live, draft: Policy) -> Report:
    return told(rehearsed(live, draft), draft)


def add_up(report: Report) -> None:
    """Whatever is said to be saved is the difference of the terms, which is the sum over the orders."""
    was, now = report.baseline.total, report.draft.total
    assert was.orders_not_priced == now.orders_not_priced
    for side in (report.baseline, report.draft):
        assert sum(side.total.terms_weighed.values()) == side.total.weighed
        for groups in (side.by_channel, side.by_strategy):
            assert sum(each.weighed for each in groups.values()) == side.total.weighed
            assert sum(each.money for each in groups.values()) == side.total.money
    assert was.weighed - now.weighed == sum(order.saves or 0 for order in report.changed)
    by_order = [(o.baseline, o.draft) for o in report.changed if o.saves is not None]
    assert was.money - now.money == sum((a.money or 0) - (b.money or 0) for a, b in by_order)


class TestEveryShipmentHasAPrice:
    def test_by_a_service_that_was_not_asked_for(self) -> None:
        """The carrier has no service of the name the customer asked for: asked as such, it would leave all units."""
        policy = changed(FREE, service_choice="no_later")
        world = replace(two_nodes(), tariffs=(NORTHLINE, only_express("swift", 0.2)))
        live = Live(world, policy)
        live.order("web-1", A=1, B=1)
        assert {shipment.carrier for shipment in live.decisions["web-1"][0].shipments} == {"swift"}
        report = rehearsal(live, changed(policy, split_penalty=5000))
        (order,) = report.changed
        assert report.draft.total.unpriced == 0
        assert order.saves is not None
        assert order.saves < 0
        add_up(report)

    def test_by_the_service_it_was_planned_with_and_not_by_a_dearer_one(self) -> None:
        policy = changed(FREE, service_choice="no_later")
        swift = only_express("northline", 0.2)
        services = (NORTHLINE.services[0], *swift.services)
        both = Tariff(carrier="northline", name="both", currency="GBP", divisor=5000, services=services)
        live = Live(replace(two_nodes(), tariffs=(both,)), policy)
        live.order("web-1", A=1, B=1)
        report = rehearsal(live, changed(policy, maximum_shipments=1, distance_per_100_km=1))
        (order,) = report.changed
        together = plan(live.world.demand(A=1, B=1), live.world.snapshot(), changed(policy, maximum_shipments=1), 1)
        assert order.draft.services == ("northline express",)
        assert order.draft.weighed == together.cost

    def test_where_a_day_that_was_full_is_full_again(self) -> None:
        live = Live(two_nodes(daily_capacity=1))
        live.order("web-1", A=1, B=1)
        assert rehearsal(live, changed(FREE, distance_per_100_km=500)).draft.total.unpriced == 0


class TestTheSameOrdersOnBothSides:
    def test_an_order_that_one_side_cannot_price_is_in_neither_sum(self) -> None:
        """The euro node is closed to the live policy, which has no rate; the draft has one and uses it."""
        world = World().node("pounds", LEEDS, A=9).node("euros", YORK, A=9, currency="EUR", priority=0)
        live = Live(world)
        live.order("web-1", A=1)
        draft = changed(FREE, priority_weight=9, exchange_rates={"EUR": 0.8})
        report = rehearsal(live, draft)
        was, now = report.baseline.total, report.draft.total
        assert [order.draft.nodes for order in report.changed] == [("euros",)]
        assert (was.weighed, now.weighed, was.money, now.money) == (0, 0, 0, 0)
        assert (was.orders_not_priced, now.orders_not_priced, now.unpriced, was.unpriced) == (1, 1, 1, 0)
        add_up(report)
        assert "1 of 1 orders are left out of every amount that is compared" in page(report)
        assert "without 1 orders" in next(row.note for row in rows(report) if row.label == "Money paid out")
        assert "lacks a rate for a currency" in page(report)

    def test_orders_that_were_weighed_in_another_currency_are_in_neither_sum(self) -> None:
        live = Live(two_nodes())
        live.order("web-1", A=1)
        live.order("web-2", A=1, B=1)
        live.order("web-3", A=1)
        euros = changed(FREE, currency="EUR", exchange_rates={"GBP": 1.2})
        (first, *_) = live.records
        assert isinstance(first, Recorded)
        live.records[0] = replace(first, policy_version=2)
        walk = Walk({VERSION: live.policy, 2: euros}, DEAR_SPLITS)
        for record in live.records:
            assert isinstance(record, Recorded)
            walk.decide(record)
        report = told(walk, DEAR_SPLITS)
        assert report.baseline.total.orders_not_priced == 1
        add_up(report)

    def test_other_rates_are_other_prices(self) -> None:
        world = World().node("euros", YORK, A=9, currency="EUR", handling_cost=handling(100))
        live = Live(world, changed(FREE, exchange_rates={"EUR": 0.8}))
        live.order("web-1", A=1)
        report = rehearsal(live, changed(FREE, exchange_rates={"EUR": 1.6}))
        assert report.baseline.total.weighed == report.draft.total.weighed
        assert report.draft.total.cost == report.baseline.total.cost + 80

    def test_freight_that_the_baseline_does_not_weigh_is_paid_all_the_same(self) -> None:
        policy = changed(FREE, freight_weight=0, split_penalty=0)
        live = Live(two_nodes(), policy)
        live.order("web-1", A=1, B=1)
        total = rehearsal(live, policy).baseline.total
        assert total.money > 0
        assert total.terms_weighed.get(CostTerm.FREIGHT, 0) == 0

    def test_a_draft_that_sends_more_says_so(self) -> None:
        live = Live(two_nodes(), changed(FREE, maximum_shipments=1))
        live.order("web-1", A=1, B=1)
        live.order("web-2", A=4)
        report = rehearsal(live, changed(FREE, maximum_shipments=3, split_penalty=1))
        more = report.draft.total.units - report.baseline.total.units
        assert (f"It sends {more} units more" in page(report)) == (more > 0)


WEIGHTS = st.fixed_dictionaries(
    {
        "split_penalty": st.sampled_from([0, 250, 5000]),
        "distance_per_100_km": st.sampled_from([0, 4, 90, 1000]),
        "freight_weight": st.sampled_from([1.0, 0.3, 0.0, 2.0]),
        "handling_weight": st.sampled_from([1.0, 0.5]),
        "packaging_per_shipment": st.sampled_from([0, 35]),
        "packaging_per_unit": st.sampled_from([0, 7]),
        "capacity_balance": st.sampled_from([0, 500]),
        "days_of_supply": st.sampled_from([None, DaysOfSupply(per_unit=50)]),
        "service_choice": st.sampled_from(["as_asked", "no_later"]),
        "maximum_shipments": st.integers(1, 3),
        "exchange_rates": st.sampled_from([{}, {"EUR": 0.8}, {"EUR": 1.3}]),
    }
)
UNITS = st.integers(0, 4)
METHODS = st.sampled_from([ShippingMethod.STANDARD, ShippingMethod.EXPRESS])


def small_world(stock: list[tuple[int, int]]) -> World:
    world = World().sku("A", 6000)
    places = (("near", LEEDS, "GB", "GBP"), ("far", PARIS, "FR", "EUR"), ("away", ATHENS, "GR", "GBP"))
    for (name, place, country, currency), (a, b) in zip(places, stock, strict=True):
        more = {"handling_cost": handling(70, 11), "currency": currency, "daily_capacity": 2}
        world = world.node(name, place, country, A=a, B=b, **more)
    return replace(world, tariffs=(NORTHLINE, only_express("swift", 0.6)))


@settings(max_examples=60, deadline=None)
@given(
    live=WEIGHTS, draft=WEIGHTS, stock=st.lists(st.tuples(UNITS, UNITS), min_size=3, max_size=3),
    orders=st.lists(st.tuples(UNITS, UNITS, METHODS).filter(lambda o: any(o[:2])), min_size=1, max_size=5),
)  # fmt: skip
def test_what_is_saved_is_the_difference_of_the_terms_over_the_same_orders(
    live: dict[str, Any],
    draft: dict[str, Any],
    stock: list[tuple[int, int]],
    orders: list[tuple[int, int, ShippingMethod]],
) -> None:
    system = Live(small_world(stock), changed(FREE, **live))
    for number, (a, b, method) in enumerate(orders):
        units: dict[str, Any] = {sku: units for sku, units in (("A", a), ("B", b)) if units}
        system.order(f"web-{number}", shipping_method=method, **units)
    add_up(rehearsal(system, changed(FREE, **draft)))
    same = rehearsal(system, system.policy)
    add_up(same)
    assert same.baseline.total == same.draft.total
    assert same.baseline.total.unpriced == 0


@settings(max_examples=60, deadline=None)
@given(weights=WEIGHTS, stock=st.lists(st.tuples(UNITS, UNITS), min_size=3, max_size=3), method=METHODS)
@pytest.mark.parametrize("carbon", [False, True])
def test_a_shipment_costs_what_its_planner_says_it_costs(
    carbon: bool, weights: dict[str, Any], stock: list[tuple[int, int]], method: ShippingMethod
) -> None:
    factors = {ShippingMethod.STANDARD: 100.0, ShippingMethod.EXPRESS: 600.0}
    more = {"carbon": Carbon(per_kg=10_000, grams_per_tonne_km=factors)} if carbon else {}
    policy = changed(FREE, **weights, lateness_per_day=40, **more)
    world = small_world(stock)
    demand = world.demand(A=3, B=2, shipping_method=method, requested_by=MONDAY_NOON)
    decision = plan(demand, world.snapshot(), policy, 1)
    for shipment in decision.shipments:
        found = shipment_costs(shipment, demand, world.snapshot(), policy, costs_of(policy, decision.strategy))
        assert found is not None
        told_so = {term: amount for term, amount in shipment.costs.items() if amount and term is not CostTerm.SPLIT}
        assert {term: amount for term, amount in found.items() if amount} == told_so
