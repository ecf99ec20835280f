"""Which orders a strategy is for, and what an expression may be."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.documents.expressions import SOURCING, ExpressionProblem, compile_expression
from dom.orders.order import MAX_LINES
from dom.sourcing.models import DemandLine, Outcome
from dom.sourcing.planner import plan
from dom.sourcing.planning.matching import MatchSubject, first_rules, mismatch
from dom.sourcing.policy.document import Match
from tests.worlds.policies import policy, strategy
from tests.worlds.sourcing import World, sku, used

WORLD = replace(
    World().node("n", A=50, MATCHES=50, FERN=50),
    skus={
        "A": sku("A", 400, attributes={"brand": "acme", "season": "xmas"}),
        "MATCHES": sku("MATCHES", 100, hazmat=True),
        "FERN": sku("FERN", 900, cold=True, attributes={"brand": "green"}),
    },
)


def demand(*lines: tuple[str, int, int], **changes: Any) -> Any:
    """Lines of (SKU, units, unit price); two of A at 10.00 without any."""
    goods = tuple(
        DemandLine(line_id=str(number), sku=code, quantity=units, unit_price=price)
        for number, (code, units, price) in enumerate(lines or (("A", 2, 1000),), 1)
    )
    return WORLD.demand(lines=goods, **changes)


def matches(order: Any, **match: Any) -> bool:
    return mismatch(Match.model_validate(match), MatchSubject(order, WORLD.skus, policy())) is None


class TestWhatIsNamedMustHold:
    @pytest.mark.parametrize(
        ("match", "order", "other"),
        [
            ({"channels": ["edi"]}, {"channel": "edi"}, {"channel": "web"}),
            ({"countries": ["FR", "GB"]}, {"country": "FR"}, {"country": "DE"}),
            ({"regions": ["Kent"]}, {"region": "Kent"}, {"region": ""}),
            ({"services": ["express"]}, {"shipping_method": "express"}, {"shipping_method": "standard"}),
            ({"tags": ["gift", "vip"]}, {"tags": ("vip", "x")}, {"tags": ("x",)}),
            ({"without_tags": ["gift"]}, {"tags": ("x",)}, {"tags": ("gift", "x")}),
            ({"customer_classes": ["gold"]}, {"customer_class": "gold"}, {"customer_class": ""}),
            ({"when": 'order.channel == "edi"'}, {"channel": "edi"}, {"channel": "web"}),
            ({"when": '"gift" in order.tags && order.region != ""'}, {"tags": ("gift",), "region": "Kent"}, {}),
        ],
    )
    def test_of_the_order(self, match: dict[str, Any], order: dict[str, Any], other: dict[str, Any]) -> None:
        assert matches(demand(**order), **match)
        assert not matches(demand(**other), **match)

    @pytest.mark.parametrize(
        ("match", "fits", "not_"),
        [
            ({"value_at_least": 2000}, ("A", 2, 1000), ("A", 2, 999)),
            ({"value_below": 2000}, ("A", 1, 1999), ("A", 2, 1000)),
            ({"units_at_least": 3}, ("A", 3, 1), ("A", 2, 1)),
            ({"units_below": 3}, ("A", 2, 1), ("A", 3, 1)),
            ({"grams_at_least": 800}, ("A", 2, 1), ("A", 1, 1)),
            ({"grams_below": 800}, ("A", 1, 1), ("A", 2, 1)),
            ({"handling": ["hazmat", "oversize"]}, ("MATCHES", 1, 1), ("FERN", 1, 1)),
            ({"sku_attributes": {"brand": ["acme", "other"]}}, ("A", 1, 1), ("FERN", 1, 1)),
            ({"sku_attributes": {"brand": ["acme"], "season": ["xmas"]}}, ("A", 1, 1), ("MATCHES", 1, 1)),
            ({"when": "order.lines.exists(l, l.hazmat)"}, ("MATCHES", 1, 1), ("A", 1, 1)),
            ({"when": "order.value >= 2000 && order.grams < 900"}, ("A", 2, 1000), ("A", 3, 1000)),
        ],
    )
    def test_of_the_goods(self, match: dict[str, Any], fits: tuple[str, int, int], not_: tuple[str, int, int]) -> None:
        assert matches(demand(fits), **match)
        assert not matches(demand(not_), **match)

    def test_some_of_the_goods_are_enough(self) -> None:
        mixed = demand(("A", 1, 1), ("FERN", 1, 1))
        assert matches(mixed, handling=["cold"], sku_attributes={"season": ["xmas"]})
        assert not matches(mixed, handling=["cold"], sku_attributes={"season": ["easter"]})

    def test_everything_named_must_hold_at_once(self) -> None:
        assert matches(demand(channel="edi", country="FR"), channels=["edi"], countries=["FR"])
        assert not matches(demand(channel="edi"), channels=["edi"], countries=["FR"])
        assert matches(demand())

    def test_the_value_counts_in_the_policys_currency(self) -> None:
        euros = demand(currency="EUR")
        rated = policy(exchange_rates={"EUR": 0.5})
        subject = MatchSubject(euros, WORLD.skus, rated)
        assert mismatch(Match(value_at_least=1000), subject) is None
        assert mismatch(Match(value_at_least=1001), subject) == ""

    def test_without_an_exchange_rate_it_is_not_for_it_and_says_so(self) -> None:
        subject = MatchSubject(demand(currency="USD"), WORLD.skus, policy())
        assert "no exchange rate for USD" in (mismatch(Match(value_below=10**9), subject) or "")
        assert mismatch(Match(value_below=10**9, channels=("edi",)), subject) == ""

    def test_a_made_up_line_whose_sku_nobody_knows_weighs_nothing(self) -> None:
        odd = demand(("?", 3, 100))
        assert matches(odd, grams_below=1, units_at_least=3)
        assert not matches(odd, sku_attributes={"brand": ["acme"]})
        assert matches(odd, when="order.lines.all(l, l.weight_grams == 0 && !l.cold)")


class TestInTheDecision:
    def test_the_first_strategy_that_is_for_the_order_is_used(self) -> None:
        own = policy(strategy("dear", value_at_least=5000), strategy("rest"))
        assert plan(demand(("A", 5, 1000)), WORLD.snapshot(), own, 1).strategy == "dear"
        assert plan(demand(("A", 4, 1000)), WORLD.snapshot(), own, 1).strategy == "rest"

    def test_an_order_none_is_for_goes_to_a_person(self) -> None:
        decision = plan(demand(), WORLD.snapshot(), policy(channels=["edi"]), 1)
        assert (decision.outcome, decision.strategy, decision.shipments) == (Outcome.QUEUED, "", ())

    @pytest.mark.parametrize(
        ("fields", "order", "words"),
        [
            ({"when": 'order.lines.exists(l, l.attributes.colour == "red")'}, {}, "there is no colour"),
            ({"when": "order.requested_by > order.as_of"}, {"requested_by": None}, "failed"),
            ({"when": "order.value / (order.units - 2) > 3"}, {}, "division by zero"),
            ({"value_at_least": 1}, {"currency": "USD"}, "no exchange rate for USD"),
            ({"when": "order.value > 1"}, {"currency": "USD"}, "failed"),
        ],
    )
    def test_a_strategy_that_could_not_be_asked_is_named(
        self, fields: dict[str, Any], order: dict[str, Any], words: str
    ) -> None:
        own = policy(strategy("odd", **fields), strategy("rest"))
        decision = plan(demand(**order), WORLD.snapshot(), own, 1)
        assert decision.strategy == "rest"
        assert used(decision)
        assert any("odd" in sentence and words in sentence for sentence in decision.reasons)
        alone = plan(demand(**order), WORLD.snapshot(), policy(strategy("odd", **fields)), 1)
        assert alone.outcome is Outcome.QUEUED
        assert any("odd" in sentence and words in sentence for sentence in alone.reasons)

    def test_a_policy_whose_expression_is_broken_still_plans(self) -> None:
        own = policy(strategy("broken", when="order.value >"), strategy("rest"))
        assert plan(demand(), WORLD.snapshot(), own, 1).strategy == "rest"

    def test_rules_of_goods_are_passed_over_for_goods_nobody_knows(self) -> None:
        subject = demand(("any", 1, 0))
        chosen = first_rules(
            subject, {}, policy(strategy("acme", sku_attributes={"brand": ["acme"]}), strategy("rest"))
        )
        assert chosen is not None
        assert chosen.strategy.name == "rest"


class TestExpressions:
    @pytest.mark.parametrize(
        "text",
        [
            "order.lines.exists(l, l.quantity > 20) && order.as_of.getDayOfWeek() != 0",
            'order.channel in ["web", "edi"] || order.tags.exists(t, t.startsWith("b2b"))',
            'order.lines.all(l, has(l.attributes.brand) && l.attributes.brand == "acme")',
            "order.lines.exists_one(l, l.oversize) ? order.units > 3 : order.grams > 10",
            'order.requested_by != null && order.requested_by - order.as_of < duration("48h")',
            'order.customer_class.matches("^(gold|silver)$")  // the better ones',
            'size(order.tags) == 0 && order.lines[0].sku != "A"',
            '"order.lines.map(" == order.region',
            'order.as_of > timestamp("2026-01-01T00:00:00Z")',
        ],
    )
    def test_these_are_fine(self, text: str) -> None:
        assert compile_expression(text).text == text

    @pytest.mark.parametrize(
        ("text", "words", "hint", "offset"),
        [
            ("", "empty", "condition", 0),
            ("order.value >", "ends too early", "missing", 13),
            ("order.value > > 3", "extraneous", "cel.dev", 14),
            ("order.value >\n > 3", "extraneous", "cel.dev", 15),
            ("(order.value > 3", "never closed", "close", 0),
            ("order.units > 3)", "closes nothing", "take it out", 15),
            ('order.channel == "web', "means nothing", "close the text", 17),
            ("order.chanel == 'x'", "no chanel", "channel", 6),
            ("ordre.value > 3", "no ordre", "order", 0),
            ("order.value", "answers int", "compare", 0),
            ("order.value > 'a'", "No such overload", "like with like", 0),
            ("total(order.lines) > 3", "no function total", "there are", 0),
            ("order.tags.length() > 3", "no function length", "there are", 11),
            ("order.as_of.getHours('Europe/London') > 3", "getHours with these arguments", "cel.dev", 12),
            ("order.lines.exists(l, l.qty > 3)", "a line has no qty", "quantity", 24),
            ("order.lines.filter(l, l.cold).size() > 1", "costs too much", "exists", 12),
            ("order.lines.map(l, l.sku) == []", "costs too much", "exists", 12),
            ("order.lines.exists(l, order.tags.exists(t, t == l.sku))", "every pair", "side by side", 33),
            ("order.lines.exists(l, order.lines[0].sku == l.sku)", "read for every element", "outside", 28),
            ("order.lines.exists(l, l.sku.matches('a+'))", "for every element", "startsWith", 28),
            ("order['lines'].size() > 3", "as a whole", "name its field", 0),
            ("order.channel.matches('(a{40}){40}')", "repeats too much", "1,000", 22),
            ("order.channel.matches(order.region)", "must be a text", "write it out", 14),
            ("(" * 30 + "true" + ")" * 30, "deep", "flatter", 20),
            ("1" + "+1" * 300 + " > 0", "parts", "split", None),
            ("true //" + "x" * 2000, "characters", "split", 0),
        ],
    )
    def test_these_are_not(self, text: str, words: str, hint: str, offset: int | None) -> None:
        with pytest.raises(ExpressionProblem) as found:
            compile_expression(text)
        assert words in found.value.message
        assert hint in found.value.hint
        if offset is not None:
            assert found.value.offset == offset

    def test_the_fields_it_is_checked_by_are_those_it_gets(self) -> None:
        subject = MatchSubject(demand(), WORLD.skus, policy())
        assert subject.order_with_lines.keys() == SOURCING.order_fields
        assert subject.order_with_lines["lines"][0].keys() == SOURCING.line_fields

    @given(st.text(alphabet="order.lines(){}[]!&|<>=+-\"'x1 ?:,\n", max_size=60))
    def test_whatever_is_written_it_is_refused_or_answers(self, text: str) -> None:
        refused = None
        try:
            expression = compile_expression(text)
        except ExpressionProblem as problem:
            refused = problem
        if refused is None:
            answer = expression.answer(MatchSubject(demand(), WORLD.skus, policy()).order_with_lines)
            assert isinstance(answer.holds, bool)
        else:
            assert refused.message
            assert 0 <= refused.offset <= len(text)

    def test_the_largest_order_is_answered(self) -> None:
        lines = [("A", 1, 1)] * (MAX_LINES - 1) + [("A", 99, 1)]
        order = demand(*lines, as_of=datetime(2026, 3, 3, tzinfo=UTC))
        assert matches(order, when="order.lines.exists(l, l.quantity == 99) && order.as_of.getDayOfWeek() == 2")
        assert not matches(order, when="order.lines.exists(l, l.quantity == 98)")
