"""What a carrier charges."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dom.delivery.parcels import ParcelSize
from dom.delivery.tariffs import Break, Lane, Tariff, TariffService, quote
from dom.network import ShippingMethod

SAMPLE = Path(__file__).parents[3] / "data" / "sample" / "tariffs.json"
SHIPPED = (ShippingMethod.ECONOMY, ShippingMethod.STANDARD, ShippingMethod.EXPRESS)
REAL_COUNTRIES = (
    "GB FR AU NL DE NO IE CH ES PL PT IT BE LT JP IS JE GG DK CY SE AT IL FI BH GR HK SG LB AE SA CZ CA BR US MT ZA"
)
NODE_COUNTRIES = "GB IE DE FR NL BE ES IT CH PL"


def lane(*breaks: tuple[int, int], origins: str = "GB", destinations: str = "GB FR", zone: str = "one") -> Lane:
    return Lane(
        origins=tuple(origins.split()),
        destinations=tuple(destinations.split()),
        zone=zone,
        transit_days_min=1,
        transit_days_max=3,
        breaks=tuple(Break(*step) for step in breaks),
    )


def tariff(carrier: str = "northline", *lanes: Lane, max_parcel: int = 10_000, currency: str = "GBP") -> Tariff:
    standard = TariffService(
        method=ShippingMethod.STANDARD,
        max_parcel_grams=max_parcel,
        lanes=lanes or (lane((1000, 300), (5000, 500), (10_000, 800)),),
    )
    return Tariff(carrier=carrier, name=carrier.title(), currency=currency, divisor=5000, services=(standard,))


def grams(weight: int, volume: int = 1) -> ParcelSize:
    return ParcelSize(weight_grams=weight, volume_cm3=volume)


def price(weight: int, volume: int = 1) -> tuple[int, int]:
    offer = quote(tariff(), ShippingMethod.STANDARD, "GB", "FR", grams(weight, volume))
    assert offer is not None
    return offer.parcels, offer.price


class TestWeightBreaks:
    @pytest.mark.parametrize(
        ("weight", "expected"),
        [(1, 300), (1000, 300), (1001, 500), (5000, 500), (5001, 800), (10_000, 800)],
    )
    def test_a_break_covers_its_own_limit_and_no_gram_more(self, weight: int, expected: int) -> None:
        assert price(weight) == (1, expected)

    @pytest.mark.parametrize(
        ("weight", "expected"),
        [(10_001, (2, 1100)), (15_000, (2, 1300)), (20_000, (2, 1600)), (20_001, (3, 1900)), (100_000, (10, 8000))],
    )
    def test_what_is_too_heavy_goes_as_full_parcels_and_the_rest(self, weight: int, expected: tuple[int, int]) -> None:
        assert price(weight) == expected

    def test_a_limit_between_two_breaks_fills_parcels_only_to_the_limit(self) -> None:
        capped = tariff("x", lane((1000, 300), (10_000, 800)), max_parcel=4000)
        offer = quote(capped, ShippingMethod.STANDARD, "GB", "GB", grams(9000))
        assert offer is not None
        assert (offer.parcels, offer.price) == (3, 800 + 800 + 300)

    def test_bulky_goods_pay_for_their_volume(self) -> None:
        assert price(900, 5_000) == (1, 300)
        assert price(900, 25_000) == (1, 500)
        assert price(900, 100_000) == (2, 1600)

    @given(st.integers(0, 200_000), st.integers(0, 200_000), st.integers(0, 900_000))
    def test_more_weight_never_costs_less(self, one: int, other: int, volume: int) -> None:
        lighter, heavier = sorted((one, other))
        assert price(lighter, volume)[1] <= price(heavier, volume)[1]
        assert price(lighter, volume)[0] <= price(heavier, volume)[0]


class TestLanes:
    def test_a_quote_says_what_was_quoted(self) -> None:
        offer = quote(tariff(), ShippingMethod.STANDARD, "GB", "FR", grams(1200, 9000))
        assert offer is not None
        assert (offer.carrier, offer.method, offer.zone) == ("northline", ShippingMethod.STANDARD, "one")
        assert (offer.chargeable_grams, offer.price, offer.currency) == (1800, 500, "GBP")
        assert (offer.transit_days_min, offer.transit_days_max) == (1, 3)

    @pytest.mark.parametrize(
        ("method", "origin", "destination"),
        [
            (ShippingMethod.EXPRESS, "GB", "FR"),
            (ShippingMethod.PICKUP, "GB", "GB"),
            (ShippingMethod.STANDARD, "FR", "GB"),
            (ShippingMethod.STANDARD, "GB", "DE"),
        ],
    )
    def test_what_is_not_offered_has_no_price(self, method: ShippingMethod, origin: str, destination: str) -> None:
        assert quote(tariff(), method, origin, destination, grams(1)) is None

    def test_the_lane_decides_not_its_place_in_the_list(self) -> None:
        both = tariff(
            "x", lane((10_000, 100), destinations="GB"), lane((10_000, 900), destinations="FR DE", zone="two")
        )
        offer = quote(both, ShippingMethod.STANDARD, "GB", "DE", grams(1))
        assert offer is not None
        assert (offer.zone, offer.price) == ("two", 900)


class TestTariffsThatAreRefused:
    def test_breaks_that_do_not_ascend(self) -> None:
        with pytest.raises(ValidationError, match="do not ascend at 1000 g"):
            lane((1000, 1), (1000, 2))

    def test_a_heavier_parcel_that_costs_less(self) -> None:
        with pytest.raises(ValidationError, match="up to 2000 g costs less"):
            lane((1000, 5), (2000, 4))

    def test_no_price_for_the_largest_parcel(self) -> None:
        with pytest.raises(ValidationError, match="no price for a parcel of 10000 g"):
            tariff("x", lane((9999, 1)))

    def test_two_prices_for_one_lane(self) -> None:
        with pytest.raises(ValidationError, match="standard from GB to FR stands twice"):
            tariff("x", lane((10_000, 1)), lane((10_000, 2), destinations="FR"))

    def test_a_carrier_for_what_the_customer_collects(self) -> None:
        with pytest.raises(ValidationError, match="no carrier moves"):
            TariffService(method=ShippingMethod.PICKUP, max_parcel_grams=1, lanes=(lane((1, 1)),))

    def test_transit_that_ends_before_it_begins(self) -> None:
        with pytest.raises(ValidationError, match="transit_days_min"):
            Lane.model_validate(lane((1, 1)).model_dump() | {"transit_days_min": 4})

    def test_a_misspelt_field(self) -> None:
        with pytest.raises(ValidationError, match="note"):
            Tariff.model_validate(tariff().model_dump() | {"note": "made up"})


class TestAsData:
    def test_it_survives_json_and_quotes_the_same(self) -> None:
        again = Tariff.model_validate_json(tariff().model_dump_json())
        assert again == tariff()
        ask = (ShippingMethod.STANDARD, "GB", "FR", grams(17_000))
        assert quote(again, *ask) == quote(tariff(), *ask)


@pytest.fixture(scope="module")
def sample() -> tuple[Tariff, ...]:
    return TypeAdapter(tuple[Tariff, ...]).validate_json(SAMPLE.read_text())


class TestSampleTariffs:
    def test_every_country_of_the_real_orders_is_served_from_the_main_node_countries(
        self, sample: tuple[Tariff, ...]
    ) -> None:
        unserved = [
            (method, origin, destination)
            for method in SHIPPED
            for origin in NODE_COUNTRIES.split()
            for destination in REAL_COUNTRIES.split()
            if not any(quote(one, method, origin, destination, grams(3000)) for one in sample)
        ]
        assert unserved == []

    def test_slower_is_never_dearer_within_a_carrier(self, sample: tuple[Tariff, ...]) -> None:
        for one in sample:
            for destination in REAL_COUNTRIES.split():
                offers = [quote(one, method, "GB", destination, grams(3000)) for method in SHIPPED]
                there = [offer for offer in offers if offer is not None]
                assert all(slow.price < fast.price for slow, fast in pairwise(there)), (one.carrier, destination)
                assert all(slow.transit_days_max >= fast.transit_days_max for slow, fast in pairwise(there))

    def test_more_than_one_carrier_is_the_cheapest_somewhere(self, sample: tuple[Tariff, ...]) -> None:
        offers = [
            [offer for one in sample if (offer := quote(one, method, "GB", destination, grams(weight)))]
            for method in SHIPPED
            for destination in REAL_COUNTRIES.split()
            for weight in (300, 3000, 30_000)
        ]
        cheapest = {min(there, key=lambda offer: (offer.price, offer.carrier)).carrier for there in offers if there}
        assert cheapest == {one.carrier for one in sample}
