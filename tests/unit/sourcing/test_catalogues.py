"""Every fence and every cost is known wherever one must be: a new one is missed nowhere."""

from typing import get_args

import pytest

from dom.sourcing.explanation.settings import SETTINGS
from dom.sourcing.models import CostTerm
from dom.sourcing.policy.document import Fence, Fences, Relaxable
from dom.sourcing.policy.lint.fencing import is_set
from dom.sourcing.reasons import phrases


def test_every_fence_has_words_for_a_node_that_fails_it() -> None:
    assert set(phrases.FAILED) == set(Fence)


def test_every_fence_that_may_be_given_up_has_words_for_that() -> None:
    assert set(phrases.GIVEN_UP) == set(get_args(Relaxable))


@pytest.mark.parametrize("fence", get_args(Relaxable))
def test_of_every_fence_that_may_be_given_up_is_known_whether_it_is_set(fence: Fence) -> None:
    assert not is_set(fence, Fences())


def test_every_cost_has_words() -> None:
    assert set(phrases.TERMS) == set(CostTerm)


def test_every_cost_has_the_setting_it_grows_with() -> None:
    assert {setting.term for setting in SETTINGS} == set(CostTerm)
