"""A hold policy with mistakes is refused, each mistake with its place; one whose rules go in a circle too."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.holds.policy import DEFAULT, HoldPolicy, Trigger, check
from dom.orders.holds import BlockedStep
from dom.shared.errors import InvalidInput

CODES = st.sampled_from("abcd")
TYPES = {name: {"purpose": name, "blocks": ["release"]} for name in "abcd"}


def rule(on: str, hold: str | None = None, **does: Any) -> dict[str, Any]:
    return {"name": "-".join(filter(None, (on, hold, *does.values()))), "on": on, "hold": hold, **does}


def policy(*rules: dict[str, Any]) -> HoldPolicy:
    return HoldPolicy.model_validate({"types": TYPES, "rules": rules})


def errors(found: HoldPolicy) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        check(found)
    assert refused.value.field == refused.value.data["errors"][0]["field"]
    return [(each["field"], each["message"]) for each in refused.value.data["errors"]]


def test_the_default_has_none() -> None:
    check(DEFAULT)
    assert {step for each in DEFAULT.types.values() for step in each.blocks} == set(BlockedStep)


@pytest.mark.parametrize(
    ("wrong", "place", "words"),
    [
        (rule("accepted"), "rules[0]", "puts on"),
        (rule("accepted", place="a", release="b"), "rules[0]", "puts on"),
        (rule("accepted", place="zebra"), "rules[0].place", "no type zebra"),
        (rule("released", "zebra", place="a"), "rules[0].hold", "no type zebra"),
        (rule("released", place="a"), "rules[0].hold", "names the type"),
        (rule("accepted", "b", place="a"), "rules[0].hold", "no hold yet"),
        (rule("accepted", place="a") | {"when": "order.valu > 3"}, "rules[0].when", "did you mean value?"),
        (rule("accepted", place="a") | {"when": "order.value"}, "rules[0].when", "not true or false"),
        (rule("accepted", place="a") | {"when": "order.grams > 1"}, "rules[0].when", "has no grams"),
    ],
)
def test_a_mistake_has_its_place(wrong: dict[str, Any], place: str, words: str) -> None:
    (found,) = errors(policy(wrong))
    assert found[0] == place
    assert words in found[1]


def test_every_mistake_is_named() -> None:
    same = rule("accepted", place="a")
    assert [place for place, _ in errors(policy(same, same, rule("accepted", release="z")))] == [
        "rules[1].name",
        "rules[2].release",
    ]


@pytest.mark.parametrize(
    "rules",
    [
        (rule("placed", "a", place="b"), rule("placed", "b", place="a")),
        (rule("placed", "a", place="b"), rule("placed", "b", release="a"), rule("released", "a", place="a")),
        (rule("released", "a", place="a"),),
        (rule("released", "a", place="b"), rule("released", "b", place="a")),
    ],
)
def test_a_circle_is_refused(rules: tuple[dict[str, Any], ...]) -> None:
    (found,) = errors(policy(*rules))
    assert "lead back" in found[1]


class TestAny:
    """Whatever rules are let through come to an end."""

    @staticmethod
    def acts(found: HoldPolicy, on: Trigger, hold: str) -> list[tuple[Trigger, str]]:
        """What follows: what the rules do, and that what was put on is released some day."""
        rules = [each for each in found.rules if (each.on, each.hold) == (on, hold)]
        by_rule = [(Trigger.PLACED, r.place) if r.place else (Trigger.RELEASED, r.release or "") for r in rules]
        return by_rule + ([(Trigger.RELEASED, hold)] if on is Trigger.PLACED else [])

    @given(st.lists(st.tuples(st.sampled_from(["placed", "released"]), CODES, st.booleans(), CODES), max_size=6))
    def test_it_ends(self, drawn: list[tuple[str, str, bool, str]]) -> None:
        rules = [
            rule(on, hold, **({"place": target} if places else {"release": target})) | {"name": f"r{number}"}
            for number, (on, hold, places, target) in enumerate(drawn)
        ]
        found = policy(*rules)
        try:
            check(found)
        except InvalidInput:
            return
        for start in [(on, code) for on in (Trigger.PLACED, Trigger.RELEASED) for code in "abcd"]:
            now = {start}
            for _ in range(20):
                now = {after for each in now for after in self.acts(found, *each)}
            assert not now
