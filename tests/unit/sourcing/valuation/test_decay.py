"""A price loses its force with age and surprise, and never gains any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.sourcing.valuation.decay import Priced, decayed

PRICED = Priced(opportunity=400, units=100, outflow=0.0)


@pytest.mark.parametrize(
    ("age", "expected"), [(0, 400), (0.25, 300), (0.5, 200), (0.999, 0), (1, 0), (7, 0), (-0.1, 0)]
)
def test_it_falls_to_nothing_over_its_lifetime(age: float, expected: int) -> None:
    assert decayed(PRICED, 100, age, lifetime=1) == expected


@pytest.mark.parametrize(
    ("units", "expected"), [(100, 400), (90, 320), (75, 200), (50, 0), (10, 0), (125, 200), (150, 0)]
)
def test_it_falls_with_what_stock_moved_unexpectedly(units: int, expected: int) -> None:
    assert decayed(PRICED, units, 0, lifetime=1) == expected


def test_what_was_expected_to_go_is_no_surprise() -> None:
    selling = Priced(opportunity=400, units=100, outflow=40.0)
    assert decayed(selling, 80, 0.5, lifetime=1) == 200
    assert decayed(selling, 100, 0.5, lifetime=1) < 200


def test_chance_is_no_surprise() -> None:
    selling = Priced(opportunity=400, units=100, outflow=16.0)
    assert decayed(selling, 100 - 16 - 8, 1, lifetime=10) == decayed(selling, 100 - 16, 1, lifetime=10) == 360


def test_a_unit_or_two_of_a_small_stock_say_little() -> None:
    assert decayed(Priced(400, 2, 0.0), 1, 0, lifetime=1) == 200


@given(
    st.builds(Priced, st.integers(0, 10**6), st.integers(0, 1000), st.floats(0, 100)),
    st.integers(0, 2000),
    st.floats(0, 10),
    st.floats(0.01, 10),
)
def test_it_is_never_below_zero_and_never_above_what_it_was(
    priced: Priced, units: int, age: float, lifetime: float
) -> None:
    assert 0 <= decayed(priced, units, age, lifetime) <= priced.opportunity


@given(st.integers(0, 1000), st.floats(0, 1), st.floats(0, 1))
def test_where_nothing_moves_it_never_rises_again(units: int, one: float, other: float) -> None:
    earlier, later = sorted((one, other))
    assert decayed(PRICED, units, later, lifetime=1) <= decayed(PRICED, units, earlier, lifetime=1)
