"""Rates a day out of what was asked for, and the baskets expected of them."""

from collections import defaultdict
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.sourcing.valuation.demand import Bought, expected, region_of
from dom.sourcing.valuation.forecast import DemandRate, regional, shares, smoothed
from dom.sourcing.valuation.scenarios import scenarios
from tests.worlds.sourcing import LEEDS, LONDON, PARIS, YORK, node


class TestSmoothed:
    def test_nothing_was_ever_asked_for(self) -> None:
        assert smoothed([]) == smoothed([0, 0, 0]) == 0

    def test_the_same_every_day_stays_the_same(self) -> None:
        assert smoothed([3.0] * 20) == pytest.approx(3)

    def test_one_step_of_the_method(self) -> None:
        # It begins with p = 1/2 and z = 4; then p falls to 0.45, rises to 0.505, and z stays.
        assert smoothed([0, 4], chance=0.1, size=0.1) == pytest.approx(0.505 * 4)

    def test_what_is_not_asked_for_any_more_is_forgotten(self) -> None:
        """Croston's method would not see it: it learns on days with demand alone."""
        alive, dying = [0.0, 5.0] * 30, [0.0, 5.0] * 15 + [0.0] * 30
        assert smoothed(dying) < 0.1 * smoothed(alive)


class TestRate:
    def test_a_belief_with_its_error(self) -> None:
        rate = DemandRate.believed(mean=4, error=0.5)
        assert rate.mean == pytest.approx(4)
        assert rate.count**-0.5 == pytest.approx(0.5)

    def test_watching_moves_it_and_makes_it_surer(self) -> None:
        rate = DemandRate.believed(mean=4, error=0.5)
        later = rate.seen(200, 100)
        assert 2 < later.mean < 2.1
        assert later.count > rate.count

    def test_a_region_nobody_bought_in_has_its_part_of_the_total(self) -> None:
        assert regional(total=10, share=0.2, own=0, watched=14, trust=14).mean == pytest.approx(1.0)
        assert regional(total=10, share=0.2, own=28, watched=14, trust=14).mean == pytest.approx(2.0)

    @given(st.lists(st.integers(0, 100), min_size=1, max_size=20))
    def test_shares_are_all_there_is_and_none_is_nothing(self, counts: list[int]) -> None:
        found = shares(counts)
        assert sum(found) == pytest.approx(1)
        assert min(found) > 0


class TestScenarios:
    def test_they_are_the_same_every_time_and_have_the_rates_mean(self) -> None:
        rates = [DemandRate.believed(2, 0.3), DemandRate.believed(0.1, 1)]
        found = scenarios(rates, days=10, number=4000)
        assert (found == scenarios(rates, days=10, number=4000)).all()
        assert np.allclose(found.mean(axis=1), [20, 1], rtol=0.1)

    def test_an_unsure_rate_scatters_more_than_chance_does(self) -> None:
        sure, unsure = scenarios([DemandRate.believed(2, 0.01), DemandRate.believed(2, 0.5)], days=50, number=2000)
        assert sure.var() == pytest.approx(100, rel=0.15)
        assert unsure.var() > 10 * sure.var()


histories = st.lists(
    st.builds(
        Bought,
        st.integers(0, 27),
        st.integers(0, 2),
        st.lists(st.tuples(st.integers(0, 7), st.integers(1, 3)), min_size=1, max_size=8, unique_by=lambda x: x[0]).map(
            lambda found: tuple(sorted(found))
        ),
        st.integers(8, 12),
    ),
    max_size=20,
)


class TestExpected:
    @given(histories)
    def test_the_baskets_come_to_the_units_of_the_forecast(self, history: list[Bought]) -> None:
        found = expected(history, skus=8, regions=3, days=28)
        units = defaultdict[tuple[int, int], float](float)
        for basket, rate in zip(found.baskets, found.rates, strict=True):
            for sku, count in basket.lines:
                units[sku, basket.region] += rate.mean * count
        assert units == pytest.approx(found.daily)

    @given(histories)
    def test_a_basket_pays_its_part_of_a_parcel(self, history: list[Bought]) -> None:
        assert all(0 < basket.share <= 1 for basket in expected(history, skus=8, regions=3, days=28).baskets)

    def test_a_region_without_buyers_is_expected_to_have_some(self) -> None:
        found = expected([Bought(day, 0, ((0, 2),), 1) for day in range(28)], skus=1, regions=2, days=28)
        assert found.daily[0, 0] == pytest.approx(2, rel=0.05)
        assert 0 < found.daily[0, 1] < 0.1

    def test_what_was_bought_together_is_expected_together(self) -> None:
        found = expected([Bought(1, 0, ((0, 1), (1, 2)), 4)], skus=2, regions=1, days=10)
        together = [basket for basket in found.baskets if len(basket.lines) == 2]
        assert [(basket.lines, basket.share) for basket in together] == [(((0, 1), (1, 2)), 0.5)]
        assert mean(basket.share for basket in found.baskets if len(basket.lines) == 1) == pytest.approx(0.25)


class TestRegion:
    NODES = (node("a", LEEDS), node("b", LONDON), node("c", PARIS, "FR"))

    def test_it_is_the_nearest_node(self) -> None:
        assert region_of(self.NODES, "GB", YORK) == 0

    @pytest.mark.parametrize(("country", "region"), [("FR", 2), ("GB", 0), ("GR", 0)])
    def test_without_a_place_it_is_the_first_node_of_the_country(self, country: str, region: int) -> None:
        assert region_of(self.NODES, country, None) == region
