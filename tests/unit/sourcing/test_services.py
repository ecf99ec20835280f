"""Node and service are chosen together: another service than was asked for, if the customer waits no longer for it."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dom.delivery.tariffs import Break, Lane, Tariff, TariffService
from dom.network import ShippingMethod
from dom.sourcing.models import SourcingDecision
from dom.sourcing.policy.document import Fence
from tests.worlds.sourcing import LEEDS, LONDON, World, decide, failed, told

STANDARD, EXPRESS, ECONOMY = ShippingMethod.STANDARD, ShippingMethod.EXPRESS, ShippingMethod.ECONOMY
NO_LATER = {"service_choice": "no_later"}


def carrier(name: str, **services: tuple[int, int]) -> Tariff:
    """A carrier within Great Britain: by service (price, days)."""
    return Tariff(
        carrier=name,
        name=name.title(),
        currency="GBP",
        divisor=5000,
        services=tuple(
            TariffService(
                method=ShippingMethod(service),
                max_parcel_grams=20_000,
                lanes=(
                    Lane(
                        origins=("GB",),
                        destinations=("GB",),
                        zone="home",
                        transit_days_min=days,
                        transit_days_max=days,
                        breaks=(Break(20_000, price),),
                    ),
                ),
            )
            for service, (price, days) in services.items()
        ),
    )


def world(*carriers: Tariff, **node: object) -> World:
    return World().node("leeds", LEEDS, A=5, **node).carried_by(*carriers).under(**NO_LATER)


def sent(decision: SourcingDecision) -> tuple[str | None, ShippingMethod]:
    (shipment,) = decision.shipments
    return shipment.carrier, shipment.service


class TestNoLater:
    def test_a_cheaper_service_that_is_as_soon_takes_it(self) -> None:
        house = world(carrier("swift", standard=(500, 2)), carrier("slow", economy=(300, 2)))
        decision = decide(house, house.demand(A=1))
        assert sent(decision) == ("slow", ECONOMY)
        assert told(decision, "Economy instead of standard", "no later")

    def test_one_that_comes_later_does_not(self) -> None:
        house = world(carrier("swift", standard=(500, 2)), carrier("slow", economy=(300, 3)))
        assert sent(decide(house, house.demand(A=1))) == ("swift", STANDARD)

    def test_the_soonest_of_the_service_asked_for_is_the_measure(self) -> None:
        house = world(
            carrier("swift", standard=(500, 1)), carrier("late", standard=(400, 3)), carrier("slow", economy=(300, 2))
        )
        assert sent(decide(house, house.demand(A=1))) == ("late", STANDARD)

    def test_a_dearer_one_takes_it_where_being_late_costs_more(self) -> None:
        house = world(carrier("swift", standard=(300, 4), express=(700, 1))).under(lateness_per_day=400)
        by = house.demand(A=1).as_of + timedelta(days=2)
        assert sent(decide(house, house.demand(A=1, requested_by=by))) == ("swift", EXPRESS)
        assert sent(decide(house, house.demand(A=1))) == ("swift", STANDARD)

    def test_a_node_that_does_not_offer_it_sends_by_a_quicker_one(self) -> None:
        house = world(carrier("swift", economy=(200, 4), standard=(300, 2)), services=("standard", "express"))
        decision = decide(house, house.demand(A=1, shipping_method=ECONOMY))
        assert sent(decision) == ("swift", STANDARD)
        assert told(decision, "does not send by economy", "quicker")

    def test_and_never_by_a_slower_one(self) -> None:
        house = world(carrier("swift", economy=(200, 1), standard=(300, 2)), services=("economy",))
        decision = decide(house, house.demand(A=1))
        assert failed(decision, "leeds") is Fence.SERVICE

    def test_work_that_the_node_limits_is_left_to_those_who_asked_for_it(self) -> None:
        carriers = carrier("swift", standard=(500, 2), express=(300, 1))
        house = world(carriers, service_capacity={"express": 10})
        assert sent(decide(house, house.demand(A=1))) == ("swift", STANDARD)

    def test_as_asked_is_what_holds_where_nothing_is_said(self) -> None:
        house = world(carrier("swift", standard=(500, 2), express=(300, 1))).under(service_choice="as_asked")
        assert sent(decide(house, house.demand(A=1))) == ("swift", STANDARD)

    def test_a_price_on_carbon_keeps_to_the_service_whose_factor_counts(self) -> None:
        carbon = {"per_kg": 10, "grams_per_tonne_km": {"standard": 100.0}}
        house = world(carrier("swift", standard=(500, 2), express=(300, 1))).under(carbon=carbon)
        assert sent(decide(house, house.demand(A=1))) == ("swift", STANDARD)


prices = st.integers(100, 900)
days = st.integers(0, 5)
offers = st.fixed_dictionaries({service.value: st.tuples(prices, days) for service in (ECONOMY, STANDARD, EXPRESS)})


class TestEveryChoice:
    @given(near=offers, far=offers, asked=st.sampled_from([ECONOMY, STANDARD, EXPRESS]))
    def test_costs_no_more_and_comes_no_later_than_the_service_asked_for(
        self, near: dict[str, tuple[int, int]], far: dict[str, tuple[int, int]], asked: ShippingMethod
    ) -> None:
        house = (
            World()
            .node("leeds", LEEDS, A=2)
            .node("london", LONDON, A=2)
            .carried_by(carrier("one", **near), carrier("two", **far))
        )
        plain = decide(house, house.demand(A=1, shipping_method=asked))
        free = decide(house.under(**NO_LATER), house.demand(A=1, shipping_method=asked))
        assert free.cost <= plain.cost
        (chosen,) = free.shipments
        if chosen.service is not asked:
            alike = house.under(carriers=["one"]), house.under(carriers=["two"])
            soonest = min(
                decide(each, each.demand(A=1, shipping_method=asked)).shipments[0].promise.latest for each in alike
            )
            assert chosen.promise.latest <= soonest
