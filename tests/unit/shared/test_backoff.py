"""The pause doubles with each failure, from the first one's up to the longest."""

import pytest

from dom.shared.backoff import pause


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, 0.5), (1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (8, 30.0), (10**9, 30.0)]
)
def test_doubles_up_to_the_longest(failures: int, expected: float) -> None:
    assert pause(failures, 0.5, 30.0) == expected


def test_of_a_limit_below_the_first_is_the_limit() -> None:
    assert pause(1, 5.0, 2.0) == 2.0
