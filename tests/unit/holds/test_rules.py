"""Rules act on what happens to an order, if their condition holds; one that fails on an order puts its hold on."""

from typing import Any

import pytest

from dom.holds.policy import HoldPolicy, Trigger
from dom.holds.rules import HoldTrigger, answers
from dom.holds.screening import SCREENING, facts
from dom.orders.order import Order
from tests.worlds import small

ACCEPTED = HoldTrigger(Trigger.ACCEPTED)


def policy(*rules: dict[str, Any]) -> HoldPolicy:
    types = {name: {"purpose": name, "blocks": ["release"]} for name in ("fraud", "address", "vip")}
    return HoldPolicy.model_validate({"types": types, "rules": rules})


def an_order(**changes: Any) -> Order:
    return small.order("screened", A=2, **changes)


def test_every_field_of_the_language_is_given() -> None:
    found = facts(an_order())
    assert found.keys() == SCREENING.order_fields
    assert found["lines"][0].keys() == SCREENING.line_fields


@pytest.mark.parametrize(
    ("when", "acts"),
    [
        (None, True),
        ('order.channel == "web"', True),
        ("order.units > 2", False),
        ('order.lines.exists(line, line.sku == "A")', True),
        ('"fraud" in order.holds', False),
        ('order.email.endsWith("@nowhere.example")', False),
    ],
)
def test_its_condition(when: str | None, acts: bool) -> None:
    found = policy({"name": "r", "on": "accepted", "when": when, "place": "fraud"})
    assert [each.rule.name for each in answers(found, an_order(), ACCEPTED, frozenset())] == (["r"] if acts else [])


def test_one_that_cannot_be_judged_is_looked_at() -> None:
    when = "order.units / (order.value - order.value) > 3"
    found = policy(
        {"name": "r", "on": "accepted", "when": when, "place": "fraud"},
        {"name": "s", "on": "accepted", "when": when, "release": "address"},
    )
    (answer,) = answers(found, an_order(), ACCEPTED, frozenset({"address"}))
    assert answer.rule.name == "r"
    assert answer.failure


def test_what_stands_is_not_put_on_again() -> None:
    found = policy({"name": "r", "on": "accepted", "place": "fraud"}, {"name": "s", "on": "accepted", "release": "vip"})
    assert list(answers(found, an_order(), ACCEPTED, frozenset({"fraud"}))) == []


def test_each_acts_on_what_it_names() -> None:
    found = policy(
        {"name": "r", "on": "released", "hold": "fraud", "place": "address"},
        {"name": "s", "on": "placed", "hold": "fraud", "place": "vip"},
    )
    for happening, named in (
        (ACCEPTED, []),
        (HoldTrigger(Trigger.RELEASED, "fraud"), ["r"]),
        (HoldTrigger(Trigger.PLACED, "fraud"), ["s"]),
        (HoldTrigger(Trigger.RELEASED, "address"), []),
    ):
        assert [each.rule.name for each in answers(found, an_order(), happening, frozenset())] == named
