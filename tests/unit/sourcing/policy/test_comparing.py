"""What changes between two policies: nothing is left out, nothing is made up."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.sourcing.policy.comparing import PolicyChange, PolicyChangeKind, compare
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.reading import read_policy
from tests.worlds.policies import policy, strategy
from tests.worlds.policy_files import SAMPLE

LIVE = read_policy((SAMPLE / "policy.yaml").read_text())


def edited(**fields: Any) -> Policy:
    document = LIVE.model_dump(mode="json")
    for name, value in fields.items():
        where = document["strategies"][2]
        *way, last = name.split("__")
        for step in way:
            where = where[step]
        where[last] = value
    return Policy.model_validate(document)


def words(after: Policy, before: Policy = LIVE) -> list[str]:
    return [change.words for change in compare(before, after)]


class TestFields:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"cost__split_penalty": 125}, "standard: split_penalty goes from 250 to 125"),
            ({"fences__maximum_distance_km": {"store": 9}}, "standard: maximum_distance_km store goes from 600 to 9"),
            ({"fences__nodes": ["wh-london"]}, "standard: sets nodes to wh-london"),
            ({"on_none__relax": []}, "standard: drops on_none relax, which was within_distance"),
            ({"on_none__relax": ["network"]},
             "standard: adds network to on_none relax and takes within_distance out of on_none relax"),
            ({"fences__same_country": True}, "standard: same_country goes from false to true"),
            ({"tie_breaks": ["earlier", "fewer_shipments", "nearer", "priority"]},
             "standard: tie_breaks in another order: earlier, fewer_shipments, nearer, priority"),
            ({"cost__days_of_supply": {"target_days": 7, "per_unit": 3}},
             "standard: sets days_of_supply to target_days 7, per_unit 3"),
        ],
    )  # fmt: skip
    def test_in_words(self, fields: dict[str, Any], said: str) -> None:
        assert words(edited(**fields)) == [said]

    def test_by_their_place(self) -> None:
        (change,) = compare(LIVE, edited(cost__split_penalty=125))
        assert change == PolicyChange(
            kind=PolicyChangeKind.CHANGED,
            strategy="standard",
            path="strategies[2].cost.split_penalty",
            before=250,
            after=125,
            words="standard: split_penalty goes from 250 to 125",
        )

    def test_of_the_policy_itself(self) -> None:
        other = Policy.model_validate(
            LIVE.model_dump(mode="json") | {"currency": "EUR", "groups": {"n": {"nodes": ["a"]}}}
        )
        assert words(other) == ["currency goes from GBP to EUR", "sets groups n to nodes a"]


class TestStrategies:
    a, b, c, d = (strategy(name, tags=(name,)) for name in "abcd")

    def test_added_and_removed(self) -> None:
        assert words(policy(self.a, self.c), policy(self.a, self.b)) == [
            "b: the strategy is removed",
            "c: a new strategy, at place 2",
        ]

    def test_one_that_moves_is_told_and_those_it_passes_are_not(self) -> None:
        before, after = policy(self.a, self.b, self.c, self.d), policy(self.d, self.a, self.b, self.c)
        assert words(after, before) == ["d: moves from place 4 to 1"]

    def test_matched_by_name_wherever_it_stands(self) -> None:
        changed = strategy("a", tags=("a",), split_penalty=1)
        assert words(policy(self.b, changed), policy(self.a, self.b))[-1] == "a: split_penalty goes from 250 to 1"

    def test_another_name_and_nothing_else(self) -> None:
        renamed = self.b.model_copy(update={"name": "gifts"})
        assert words(policy(self.a, renamed), policy(self.a, self.b)) == ["gifts: is what was called b"]

    def test_two_of_one_name(self) -> None:
        twice = policy(self.a, self.a)
        assert words(twice, policy(self.a)) == ["a (2): a new strategy, at place 2"]
        assert compare(twice, twice) == ()


@st.composite
def edits(draw: st.DrawFn) -> Policy:
    document = LIVE.model_dump(mode="json")
    strategies = document["strategies"]
    for _ in range(draw(st.integers(0, 3))):
        one = draw(st.sampled_from(strategies))
        one["cost"]["split_penalty"] = draw(st.integers(0, 3))
        one["fences"]["nodes"] = draw(st.lists(st.sampled_from(["x", "y"]), unique=True))
        one["match"]["value_below"] = draw(st.none() | st.integers(1, 3))
    document["strategies"] = draw(st.permutations(strategies))[: draw(st.integers(1, 3))]
    return Policy.model_validate(document)


class TestEverything:
    @settings(deadline=None)
    @given(before=edits(), after=edits())
    def test_nothing_is_said_only_where_nothing_changes(self, before: Policy, after: Policy) -> None:
        assert (compare(before, after) == ()) == (before == after)

    @settings(deadline=None)
    @given(before=edits(), after=edits())
    def test_back_is_as_much_as_there(self, before: Policy, after: Policy) -> None:
        there, back = compare(before, after), compare(after, before)
        assert sum(c.kind is PolicyChangeKind.ADDED and c.before is None for c in there) == sum(
            c.kind is PolicyChangeKind.REMOVED and c.after is None for c in back
        )

    @settings(deadline=None)
    @given(before=edits(), after=edits())
    def test_the_values_are_those_of_the_documents(self, before: Policy, after: Policy) -> None:
        for change in compare(before, after):
            if change.kind is PolicyChangeKind.CHANGED:
                found: Any = after.model_dump(mode="json")
                for step in change.path.replace("[", ".").replace("]", "").split("."):
                    found = found[int(step)] if step.isdigit() else found[step]
                assert found == change.after
