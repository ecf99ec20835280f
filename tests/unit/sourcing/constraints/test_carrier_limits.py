"""A unit cannot be cut: what is too heavy or too large for a carrier does not go by it, wherever that is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.delivery.parcels import Piece, boxes, piece
from dom.delivery.tariffs import Tariff
from dom.network import ShippingMethod, Sku
from dom.sourcing.constraints.carrier_limits import carried
from dom.sourcing.costs import PricedLane
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Fence
from tests.worlds.sourcing import (
    LEEDS,
    NORTHLINE,
    PARIS,
    YORK,
    World,
    candidate,
    decide,
    failed,
    heavy_duty,
    in_full,
    sku,
    tariff,
    told,
    used,
    waiting,
)


def limited(carrier: str = "northline", /, **limits: int) -> Tariff:
    document = tariff(carrier).model_dump(mode="json")
    for service in document["services"]:
        service.update(limits)
    return Tariff.model_validate(document)


def long_one(millimetres: int = 4_000) -> Sku:
    return sku("POLE", 2_000).model_copy(update={"length_mm": millimetres})


def world_with(goods: Sku, *tariffs: Tariff, **more: Any) -> World:
    world = World().node("near", LEEDS, A=9, **more).node("far", YORK, A=9)
    return replace(
        world,
        skus={**world.skus, goods.id: goods},
        available={**world.available, ("near", goods.id): 5},
        tariffs=tariffs or (NORTHLINE,),
    )


class TestHeavy:
    def test_a_node_whose_carriers_cannot_take_it_is_left_out_with_the_reason(self) -> None:
        world = world_with(sku("SAFE", 35_000))
        decision = decide(world, world.demand(SAFE=1))
        assert (used(decision), waiting(decision)) == ({}, {"SAFE": 1})
        assert failed(decision, "near") is Fence.CARRIER_LIMITS
        assert candidate(decision, "near").fences[0].actual == (
            "no carrier takes them: SAFE is 35.15 kg with packaging, of at most 20 kg"
        )
        assert told(decision, "could not send it", "35.15 kg with packaging")

    def test_it_goes_by_the_carrier_that_takes_it(self) -> None:
        world = world_with(sku("SAFE", 35_000), NORTHLINE, heavy_duty())
        (shipment,) = decide(world, world.demand(SAFE=1)).shipments
        assert shipment.carrier == "strong"

    def test_everything_from_the_node_goes_with_it(self) -> None:
        world = world_with(sku("SAFE", 35_000), NORTHLINE, heavy_duty())
        decision = decide(world, world.demand(SAFE=1, A=1))
        by_carrier = {shipment.carrier: {line.sku for line in shipment.lines} for shipment in decision.shipments}
        assert "SAFE" in by_carrier["strong"]
        assert not waiting(decision)

    def test_what_is_light_goes_without_it(self) -> None:
        world = world_with(sku("SAFE", 35_000))
        decision = decide(world, world.demand(SAFE=1, A=2))
        assert waiting(decision) == {"SAFE": 1}
        results = in_full(world, world.demand(SAFE=1, A=2))["near"]
        assert {each.passed for each in results} == {True}
        assert any(each.actual.startswith("northline: SAFE is 35.15 kg") for each in results)

    def test_a_unit_that_just_fits_with_its_packaging(self) -> None:
        for grams, filled in ((19_850, True), (19_851, False)):
            world = world_with(sku("SAFE", grams))
            assert bool(used(decide(world, world.demand(SAFE=1)))) is filled

    def test_light_and_bulky_goods_are_no_matter_of_weight(self) -> None:
        world = world_with(sku("FOAM", 2_000, 600))
        assert used(decide(world, world.demand(FOAM=1))) == {"near": {"FOAM": 1}}

    def test_over_the_counter_it_does_not_matter(self) -> None:
        world = world_with(sku("SAFE", 35_000), pickup=True)
        demand = world.demand(SAFE=1, shipping_method="pickup", pickup_node="near")
        assert used(decide(world, demand)) == {"near": {"SAFE": 1}}

    def test_no_slower_service_stands_in_for_the_one_asked_for(self) -> None:
        quick = limited(max_parcel_grams=20_000)
        slow = heavy_duty()
        services = (quick.services[1], slow.services[0])
        both = Tariff(carrier="both", name="both", currency="GBP", divisor=5000, services=services)
        world = world_with(sku("SAFE", 35_000), both).under(service_choice="no_later")
        assert not used(decide(world, world.demand(SAFE=1, shipping_method="express")))
        assert used(decide(world, world.demand(SAFE=1)))

    def test_what_the_service_takes_goes_by_it_though_the_rest_cannot(self) -> None:
        services = (limited(max_parcel_grams=20_000).services[1], heavy_duty().services[0])
        both = Tariff(carrier="both", name="both", currency="GBP", divisor=5000, services=services)
        world = world_with(sku("SAFE", 35_000), both).under(service_choice="no_later")
        decision = decide(world, world.demand(SAFE=1, A=1, shipping_method="express"))
        assert waiting(decision) == {"SAFE": 1}
        assert [(s.service, s.lines[0].sku) for s in decision.shipments] == [(ShippingMethod.EXPRESS, "A")]

    def test_a_quicker_service_stands_in_for_it_and_no_slower_one_though_cheaper(self) -> None:
        ordinary, strong = limited(max_parcel_grams=20_000), heavy_duty()
        slow = heavy_duty(price=40_000).services[0].model_copy(update={"method": ShippingMethod.ECONOMY})
        services = (slow, ordinary.services[0], strong.services[1])
        every = Tariff(carrier="every", name="every", currency="GBP", divisor=5000, services=services)
        by = (ShippingMethod.ECONOMY, ShippingMethod.STANDARD, ShippingMethod.EXPRESS)
        world = world_with(sku("SAFE", 35_000), every, services=by).under(service_choice="no_later")
        (shipment,) = decide(world, world.demand(SAFE=1)).shipments
        assert shipment.service is ShippingMethod.EXPRESS

    def test_what_no_lane_of_the_service_takes_is_not_counted_for_a_slower_one(self) -> None:
        lanes = tuple(
            PricedLane(each.carrier, each.rates[service, "GB", "GB"], each.divisor, 1.0, service)
            for each, service in ((NORTHLINE, ShippingMethod.EXPRESS), (heavy_duty(), ShippingMethod.STANDARD))
        )
        units = (piece(sku("A", 400)), piece(sku("SAFE", 35_000)))
        found = carried(lanes, units, (1, 1), ShippingMethod.EXPRESS)
        assert (found.places, found.lanes) == (frozenset({0}), lanes)


class TestLarge:
    def test_stored_tariffs_have_no_limit_of_size(self) -> None:
        world = world_with(long_one())
        assert used(decide(world, world.demand(POLE=1)))

    @pytest.mark.parametrize(
        ("limits", "said"),
        [
            ({"max_length_mm": 1750}, "POLE is 4 m long, of at most 1.75 m"),
            ({"max_length_plus_girth_mm": 3000}, "POLE is 4.2 m of length and girth, of at most 3 m"),
        ],
    )
    def test_a_pole_of_four_metres_is_no_ordinary_parcel(self, limits: dict[str, int], said: str) -> None:
        world = world_with(long_one(), limited(**limits))
        decision = decide(world, world.demand(POLE=1))
        assert failed(decision, "near") is Fence.CARRIER_LIMITS
        assert said in candidate(decision, "near").fences[0].actual
        assert used(decide(world_with(long_one(1_500), limited(**limits)), world.demand(POLE=1)))

    def test_any_side_may_be_the_longest(self) -> None:
        upright = sku("POLE", 2_000).model_copy(update={"height_mm": 4_000})
        world = world_with(upright, limited(max_length_mm=1750))
        assert failed(decide(world, world.demand(POLE=1)), "near") is Fence.CARRIER_LIMITS


GRAMS = st.sampled_from([400, 5_000, 19_000, 35_000, 71_000])


@settings(max_examples=60, deadline=None)
@given(
    weights=st.tuples(GRAMS, GRAMS),
    stock=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=2),
    choice=st.sampled_from(["as_asked", "no_later"]),
    strong=st.booleans(),
)
def test_no_plan_sends_a_unit_by_a_carrier_that_does_not_take_it(
    weights: tuple[int, int], stock: list[tuple[int, int]], choice: str, strong: bool
) -> None:
    world = World().sku("A", weights[0]).sku("B", weights[1]).under(service_choice=choice)
    for (name, place, country), (a, b) in zip((("near", LEEDS, "GB"), ("far", PARIS, "FR")), stock, strict=True):
        world = world.node(name, place, country, A=a, B=b)
    world = world.carried_by(NORTHLINE, *((heavy_duty(),) if strong else ()))
    decision = plan(world.demand(A=2, B=2), world.snapshot(), world.policy, 1)
    most = {"northline": 20_000, "strong": 70_000}
    for shipment in decision.shipments:
        assert shipment.carrier is not None
        for line in shipment.lines:
            assert world.skus[line.sku].weight_grams + 150 <= most[shipment.carrier]
    takes = [code for code, grams in zip("AB", weights, strict=True) if grams + 150 <= (70_000 if strong else 20_000)]
    for number, code in enumerate("AB"):
        held = sum(units[number] for units in stock)
        assert waiting(decision).get(code, 0) == 2 - (min(2, held) if code in takes else 0)


class TestBoxes:
    def piece(self, grams: int, quantity: int = 1, side: int = 50) -> Piece:
        return Piece(weight_grams=grams, length_mm=side, width_mm=side, height_mm=side, quantity=quantity)

    @pytest.mark.parametrize(
        ("grams", "quantity", "expected"),
        [
            (16_000, 3, 3),
            (16_000, 1, 1),
            (10_000, 3, 2),
            (9_950, 3, 1),
            (29_850, 2, 2),
            (300, 1000, 11),
            (20_000, 2, 2),
        ],
    )
    def test_units_are_not_cut(self, grams: int, quantity: int, expected: int) -> None:
        assert boxes([self.piece(grams, quantity)], 30_000, 5000) == expected

    def test_small_ones_fill_up_the_boxes_of_large_ones(self) -> None:
        assert boxes([self.piece(20_000, 2), self.piece(4_000, 4)], 30_000, 5000) == 2

    def test_a_bulky_unit_has_a_box_of_its_own(self) -> None:
        assert boxes([self.piece(5_000, 3, side=600)], 30_000, 5000) == 3

    def test_of_nothing(self) -> None:
        assert boxes([], 30_000, 5000) == 0

    @given(st.lists(st.tuples(st.integers(1, 29_000), st.integers(1, 40)), min_size=1, max_size=6))
    def test_never_fewer_than_the_weight_asks_for(self, goods: list[tuple[int, int]]) -> None:
        pieces = [self.piece(grams, quantity, side=1) for grams, quantity in goods]
        grams = sum(grams * quantity for grams, quantity in goods)
        found = boxes(pieces, 30_000, 5000)
        assert -(-grams // 29_850) <= found <= sum(quantity for _, quantity in goods)
