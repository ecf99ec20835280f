"""Each mistake is found and placed; what is right has none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.documents.findings import Finding, Severity, has_errors
from dom.network import ShippingMethod
from dom.sourcing.models import Demand, DemandLine
from dom.sourcing.planning.matching import MatchSubject, mismatch
from dom.sourcing.policy.codes import CODES
from dom.sourcing.policy.document import Policy, Then
from dom.sourcing.policy.lint import NOTHING, Known, lint
from tests.worlds.policies import policy, strategy
from tests.worlds.policy_files import BROKEN, CLEAN, KNOWN, ROOT, check, expected
from tests.worlds.sourcing import MONDAY_NOON

NEEDS_THE_NETWORK = {
    "unknown-node",
    "unknown-carrier",
    "unknown-attribute",
    "unknown-attribute-value",
    "unknown-channel",
    "service-not-offered",
    "no-carrier-there",
    "no-node-there",
    "currency-without-rate",
    "no-node-left",
    "no-carrier-left",
    "empty-group",
}


def found(text: str, known: Known = KNOWN) -> list[tuple[int, str]]:
    return [(each.line, each.code) for each in check(text, known).findings]


def codes(of: Policy, known: Known = NOTHING) -> set[str]:
    return {each.code for each in lint(of, known)}


class TestFiles:
    @pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
    def test_each_mistake_is_found_and_placed_and_no_other(self, file: Path) -> None:
        assert sorted(found(file.read_text())) == sorted(expected(file))
        assert expected(file)

    @pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
    def test_without_a_network_what_needs_none_is_found(self, file: Path) -> None:
        alone = [(line, code) for line, code in expected(file) if code not in NEEDS_THE_NETWORK]
        assert set(alone) <= set(found(file.read_text(), NOTHING))

    @pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
    def test_each_says_what_and_how_to_mend_it_at_a_place_that_is_there(self, file: Path) -> None:
        lines = file.read_text().splitlines()
        for each in check(file.read_text(), KNOWN).findings:
            assert each.message
            assert each.hint or each.code == "wrong-value", each
            assert 1 <= each.column <= len(lines[each.line - 1]) + 1, each

    @pytest.mark.parametrize("file", CLEAN, ids=lambda file: file.name)
    def test_nothing_is_said_against_what_is_right(self, file: Path) -> None:
        checked = check(file.read_text(), KNOWN)
        assert checked.findings == ()
        assert checked.publishable() == checked.policy

    def test_every_code_is_described_and_shown(self) -> None:
        rooms = (ROOT / "dom" / "sourcing" / "policy", ROOT / "dom" / "documents")
        sources = [source for room in rooms for source in room.rglob("*.py")]
        written = {
            code
            for source in sources
            for code in re.findall(r"\b(?:error|warning)\(\s*f?\"([a-z-]+)", source.read_text())
            if not code.endswith("-")
        } | {"unknown-node", "unknown-carrier"}
        assert written == set(CODES)
        shown = {code for file in BROKEN for _, code in expected(file)}
        assert shown | {"service-not-offered", "no-carrier-there"} == set(CODES), "the two stand below"

    def test_what_only_another_network_shows(self) -> None:
        nodes = tuple(node.model_copy(update={"pickup": False}) for node in KNOWN.nodes)
        without_pickup = Known(nodes=nodes, tariffs=KNOWN.tariffs)
        wanting = policy(strategy("a", services=("pickup",)), strategy("b"))
        assert codes(wanting, without_pickup) == {"service-not-offered", "no-node-left"}
        assert codes(wanting, KNOWN) == set()
        to_nowhere = policy(strategy("a", match={"countries": ["ZZ"]}), strategy("b"))
        assert codes(to_nowhere, KNOWN) == {"no-carrier-there"}


class TestSeverity:
    def test_warnings_do_not_keep_it_from_being_published(self) -> None:
        checked = check("name: x\nstrategies: [{name: a, on_none: {relax: [network]}}]\n")
        assert [each.severity for each in checked.findings] == [Severity.WARNING]
        assert checked.publishable().name == "x"

    def test_errors_do(self) -> None:
        checked = check("name: x\nstrategies: [{name: a, fences: {groups: [none]}}]\n")
        assert has_errors(checked.findings)
        with pytest.raises(Exception, match="there is no group none") as refused:
            checked.publishable()
        assert refused.value.field == "strategies[0].fences.groups[0]"  # type: ignore[attr-defined]


class TestCoverage:
    def test_says_which_order_falls_through(self) -> None:
        split = policy(
            strategy("small", value_below=5000),
            strategy("gifts", tags=("gift",)),
            strategy("web", channels=("web",)),
        )
        (said,) = lint(split)
        assert said.code == "orders-fall-through"
        assert "value 5000" in said.message
        assert "no tag gift" in said.message
        assert "another channel" in said.message

    def test_a_whole_cover_of_several_is_none(self) -> None:
        halves = policy(strategy("small", value_below=5000), strategy("large", value_at_least=5000))
        assert "orders-fall-through" not in codes(halves)
        by_tag = policy(strategy("gift", tags=("gift",)), strategy("rest", without_tags=("gift",)))
        assert "orders-fall-through" not in codes(by_tag)
        services = policy(*(strategy(f"s-{each}", services=(each,)) for each in ShippingMethod))
        assert "orders-fall-through" not in codes(services)

    def test_known_channels_are_all_there_are(self) -> None:
        two = policy(strategy("web", channels=("web",)), strategy("store", channels=("store",)))
        assert "orders-fall-through" in codes(two)
        assert "orders-fall-through" not in codes(two, Known(channels=("web", "store")))
        assert "orders-fall-through" in codes(two, Known(channels=("web", "store", "b2b")))

    def test_many_strategies_take_no_time(self) -> None:
        many = policy(
            *(
                strategy(f"s{n}", channels=(f"c{n}",), value_below=n + 1, tags=(f"t{n}", "x"), countries=("GB", "FR"))
                for n in range(50)
            )
        )
        assert "orders-fall-through" in codes(many)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    count = draw(st.integers(1, 5))
    made = []
    for number in range(count):
        match: dict[str, Any] = {
            "channels": draw(st.lists(st.sampled_from(["web", "b2b"]), unique=True, max_size=2)),
            "services": draw(st.lists(st.sampled_from(list(ShippingMethod)), unique=True, max_size=4)),
            "tags": draw(st.lists(st.sampled_from(["gift", "vip"]), unique=True, max_size=1)),
            "without_tags": draw(st.lists(st.sampled_from(["gift", "vip"]), unique=True, max_size=1)),
        }
        follows = {
            field: {
                "then": draw(st.sampled_from([Then.NEXT_STRATEGY, Then.BACKORDER])),
                "strategy": draw(st.none() | st.sampled_from([f"s{each}" for each in range(count)])),
            }
            for field in ("on_partial", "on_none")
        }
        made.append(strategy(f"s{number}", match=match, **follows))
    return policy(*made)


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    return Demand(
        order_id="web-1",
        channel=draw(st.sampled_from(["web", "b2b", "social"])),
        as_of=MONDAY_NOON,
        country="GB",
        place=None,
        shipping_method=draw(st.sampled_from(list(ShippingMethod))),
        lines=(DemandLine(line_id="1", sku="A", quantity=1),),
        tags=tuple(draw(st.lists(st.sampled_from(["gift", "vip"]), unique=True))),
    )


def tried(demand: Demand, of: Policy) -> set[int]:
    """The strategies an order may be tried under, whatever each of them finds."""
    reached: set[int] = set()
    seen: set[int] = set()
    waiting = [0]
    while waiting:
        position = waiting.pop()
        if position in seen or position >= len(of.strategies):
            continue
        seen.add(position)
        here = of.strategies[position]
        if mismatch(here.match, MatchSubject(demand, {}, of)) is not None:
            waiting.append(position + 1)
            continue
        reached.add(position)
        for follows in (here.on_partial, here.on_none):
            if follows.then is Then.NEXT_STRATEGY:
                after = of.after(position, follows.strategy)
                waiting.extend([] if after is None else [after])
    return reached


class TestAgainstThePlannersWay:
    @settings(deadline=None)
    @given(of=policies(), demand=demands())
    def test_what_is_never_reached_is_never_tried(self, of: Policy, demand: Demand) -> None:
        silent = {each.path[1] for each in lint(of) if each.code == "never-reached"}
        assert not silent & tried(demand, of)

    @settings(deadline=None)
    @given(of=policies(), demand=demands())
    def test_an_order_without_a_strategy_was_foretold(self, of: Policy, demand: Demand) -> None:
        if all(mismatch(each.match, MatchSubject(demand, {}, of)) is not None for each in of.strategies):
            assert "orders-fall-through" in codes(of)


class TestBounds:
    def test_groups_in_groups(self) -> None:
        mesh = {f"g{n}": {"groups": [f"g{m}" for m in range(40)]} for n in range(40)}
        (finding,) = check(json.dumps({"name": "x", "groups": mesh, "strategies": [{"name": "a"}]})).findings
        assert (finding.code, finding.path) == ("too-large", "groups")

    def test_thousands_of_names_nobody_knows(self) -> None:
        nodes = [f"dc-{n}" for n in range(20_000)]
        strategies = [{"name": "a", "fences": {"nodes": nodes, "excluded_nodes": nodes}}]
        told = check(json.dumps({"name": "x", "strategies": strategies}), KNOWN).findings
        assert 0 < len(told) <= 200


class TestFindings:
    def test_there_are_not_too_many(self) -> None:
        many = "name: x\nstrategies:\n" + "  - {name: a, nonsense: 1}\n" * 1000
        assert len(check(many).findings) == 200

    def test_they_can_be_sent(self) -> None:
        (each,) = check("name: x\nstrategies: [{name: a, retry: {on_stok: true}}]\n").findings
        assert Finding.model_validate_json(each.model_dump_json()) == each
        assert each.hint == "did you mean on_stock?"
