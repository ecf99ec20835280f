"""Rules that correct what channels send: precise on labelled inputs, safe on any, and in a sequence that ends."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.corrections import making
from bench.corrections.measuring import BASE, inputs, known_skus, measure
from dom.channels import intake
from dom.channels.correcting import confidence, engine, skus
from dom.channels.correcting.learned import LearnedRule, matching, pattern_of, values
from dom.channels.corrections import CorrectionRule, CorrectionSettings
from dom.channels.faults import FaultCode, FaultSeverity, MessageFault
from dom.channels.mapping.applying import Mapped
from dom.channels.mapping.reading import check
from tests.worlds.channel_messages import SHOP


def corrected(changes: dict[str, Any], **more: Any) -> engine.Correcting:
    order: Any = dict(BASE)
    for name, value in changes.items():
        order = intake.put(order, name, value)
    correcting = engine.begin(Mapped(order, more.pop("faults", ())), **more)
    correcting.tidy()
    correcting.match_skus(known_skus(correcting.codes(), {}))
    assert correcting.failed == []
    return correcting


class TestLabelledInputs:
    def test_are_what_the_maker_makes(self) -> None:
        made = [json.loads(json.dumps({"id": place, **each})) for place, each in enumerate(making.make(), 1)]
        assert inputs() == made, "python -m bench.corrections.making writes them anew"
        assert len(made) >= making.TOTAL

    @pytest.mark.parametrize("kept_apart", [False, True])
    def test_at_least_995_of_1000_automatic_corrections_are_right(self, kept_apart: bool) -> None:
        found = measure([each for each in inputs() if each["kept_apart"] is kept_apart])
        assert found.precision >= 0.995, found.wrong
        assert found.needs_person <= 0.25

    def test_a_clean_order_is_left_alone(self) -> None:
        found = corrected({})
        assert (found.applied, found.proposed, found.doubts) == ([], [], [])

    def test_what_was_corrected_once_is_right_for_good(self) -> None:
        for each in inputs():
            order = corrected(each["set"]).mapped().order
            again = engine.begin(Mapped(order, ()))
            again.tidy()
            again.match_skus(known_skus(again.codes(), {}))
            assert again.applied == [], each


TEXTS = st.text(max_size=60)
FIELDS = [
    "currency", "customer.name", "customer.email", "customer.phone", "ship_to.name", "ship_to.lines[0]", "ship_to.city",
    "ship_to.region", "ship_to.postal_code", "ship_to.country", "lines[0].sku", "lines[0].name", "note",
]  # fmt: skip


class TestAnything:
    @given(st.dictionaries(st.sampled_from(FIELDS), TEXTS, max_size=4))
    def test_can_come_and_breaks_no_rule(self, changes: dict[str, Any]) -> None:
        found = corrected(changes)
        assert all(each.before != each.after for each in found.applied)

    @pytest.mark.parametrize(
        "order", [{}, {"lines": None}, {"lines": [None, 1]}, {"ship_to": "x"}, {"ship_to": {"lines": "x"}}, None]
    )
    def test_of_any_shape(self, order: Any) -> None:
        correcting = engine.begin(Mapped(order, ()))
        correcting.tidy()
        correcting.match_skus(known_skus((), {}))
        assert (correcting.applied, correcting.failed) == ([], [])

    def test_a_rule_that_breaks_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(_: object) -> Any:
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(engine, "SEQUENCE", [(CorrectionRule.COUNTRY, broken), *engine.SEQUENCE])
        correcting = engine.begin(Mapped(dict(BASE), ()))
        correcting.tidy()
        assert correcting.failed == ["country"]


class TestPeople:
    def test_go_before_rules(self) -> None:
        found = corrected({"ship_to.country": "england"}, repairs={"ship_to.country": "IE", "ship_to.lines[0]": " a "})
        assert found.applied == []
        assert found.case.country == "IE"

    def test_say_what_is_not_to_be_made(self) -> None:
        found = corrected({"ship_to.country": "england"}, rejected={("ship_to.country", "country", "GB")})
        assert (found.applied, found.proposed) == ([], [])


class TestThresholds:
    def test_make_a_proposal_of_what_is_not_sure_enough(self) -> None:
        settings = CorrectionSettings(rules={CorrectionRule.COUNTRY: "never", CorrectionRule.EMAIL_DOMAIN: 900})
        shop = check(SHOP.read_text()).publishable().model_copy(update={"corrections": settings})
        found = corrected({"ship_to.country": "england", "customer.email": "a@gmial.com"}, mapping=shop)
        assert [each.after for each in found.applied] == ["a@gmail.com"]
        assert [each.after for each in found.proposed] == ["GB"]

    def test_of_every_rule_there_is_a_figure(self) -> None:
        told = {rule for rule, _ in confidence.ALL}
        assert told == set(CorrectionRule) - {CorrectionRule.SKU_HISTORY}
        assert all(0 <= each <= 1000 for each in confidence.ALL.values())


class TestFaults:
    def test_of_a_corrected_field_are_gone(self) -> None:
        wrong = MessageFault(field="total", code=FaultCode.WRONG_VALUE, message="no number", value="5,10")
        missing = MessageFault(field="shipping", code=FaultCode.MISSING, message="the message does not say it")
        found = corrected({}, faults=(wrong, missing))
        assert found.mapped().order["total"] == 510
        assert found.mapped().faults == (missing,)

    def test_have_their_proposals_and_doubts_are_warnings(self) -> None:
        unknown = MessageFault(field="lines[0].sku", code=FaultCode.UNKNOWN_SKU, message="", value="85123AA")
        found = corrected({"lines[0].sku": "85123AX", "ship_to.city": "M\ufffdnchen", "customer.email": "a@gmial.com"})
        told = engine.explained([unknown], found.proposed, found.doubts)
        assert [(each.field, each.severity) for each in told] == [
            ("lines[0].sku", FaultSeverity.ERROR),
            ("customer.email", FaultSeverity.WARNING),
            ("ship_to.city", FaultSeverity.WARNING),
        ]
        assert "85123A" in [each.value for each in told[0].proposals]


class TestDoubts:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"ship_to.country": "US", "ship_to.region": "TX", "ship_to.postal_code": "02139"}, "ship_to.postal_code"),
            ({"total": 700}, "total"),
            ({"ship_to.name": "Ren\ufffde"}, "ship_to.name"),
        ],
    )
    def test_are_told_of_what_no_rule_can_mend(self, changes: dict[str, Any], field: str) -> None:
        found = corrected(changes)
        assert [(each.field, each.severity) for each in found.doubts] == [(field, FaultSeverity.WARNING)]
        assert found.applied == []

    def test_are_not_told_of_rounding(self) -> None:
        assert corrected({"total": 511}).doubts == []


class TestSkus:
    @pytest.mark.parametrize(("code", "key"), [("85123a", "85123A"), ("00-1 b", "1B"), ("000", ""), ("\uff18", "8")])
    def test_have_a_key_without_what_is_lost_on_the_way(self, code: str, key: str) -> None:
        assert skus.key(code) == key

    def test_that_a_spreadsheet_wrote_as_powers_of_ten_are_read(self) -> None:
        known = skus.keys("SKU: 8.5E+4")
        assert [key for key, _ in known][-1] == "85000"


class TestLearnedRules:
    def test_are_about_the_field_of_every_line(self) -> None:
        order = {"lines": [{"sku": "OLD"}, {"sku": "NEW"}, {"sku": " OLD "}]}
        assert list(matching(order, LearnedRule(1, pattern_of("lines[7].sku"), "OLD", "NEW"))) == [
            "lines[0].sku",
            "lines[2].sku",
        ]

    def test_are_looked_up_by_what_stands_there_and_what_could_not_be_read(self) -> None:
        fault = MessageFault(field="shipping_method", code=FaultCode.NOT_IN_TABLE, message="", value="Royal Mail 24")
        order = {"lines": [{"sku": " OLD ", "ordered": 3}], "ship_to": {"city": "MÃ¼nchen"}}
        assert values(order, [fault]) == {"OLD", "3", "MÃ¼nchen", "München", "Royal Mail 24"}
        correcting = engine.begin(Mapped(order, (fault,)))
        correcting.tidy([LearnedRule(2, "shipping_method", "Royal Mail 24", "express")])
        assert correcting.mapped().faults == ()
        assert correcting.mapped().order["shipping_method"] == "express"

    def test_act_whatever_the_threshold(self) -> None:
        correcting = engine.begin(Mapped({"ship_to": {"country": "Blighty"}}, ()))
        correcting.tidy([LearnedRule(7, "ship_to.country", "Blighty", "GB")])
        assert [(each.after, each.rule) for each in correcting.applied] == [("GB", "learned:7")]
