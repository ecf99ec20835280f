"""Harmless oddities of an order are corrected and said; rubbish is refused with the field at fault."""

from typing import Any

import pytest
from pydantic import ValidationError

from dom.orders.intake import as_captured_before
from dom.shared import postal
from dom.shared.texts import visible
from tests.worlds.order_documents import GOOD, Change, fields_at_fault, order, put


class TestAPostalCode:
    @pytest.mark.parametrize(
        ("country", "sent", "kept"),
        [
            ("GB", " LS1  4AP ", "LS1 4AP"),
            ("GB", "LS1\u00a04AP", "LS1 4AP"),
            ("GB", "LS1 4AP.", "LS1 4AP"),
            ("GB", "LS1-4AP", "LS1 4AP"),
            ("GB", "LS1", "LS1"),
            ("DE", "D-10115", "10115"),
            ("DE", "DE 10115", "10115"),
            ("SE", "SE-111 22", "111 22"),
            ("NL", "1011ab", "1011AB"),
            ("PL", "00950", "00-950"),
            ("LV", "1073", "LV-1073"),
            ("JP", "〒154-0023", "154-0023"),
            ("HK", "", ""),
            ("GB", "UK LS1 4AP", "LS1 4AP"),
            ("GB", "GB LS1 4AP", "LS1 4AP"),
            ("IE", "IRL-D02 X285", "D02 X285"),
            ("US", "USA 10001", "10001"),
            ("US", "'01234", "01234"),
            ("US", "10001-", "10001"),
            ("JP", "154ー0023", "154-0023"),
            ("JP", "154\u22120023", "154-0023"),
        ],
    )
    def test_is_written_as_its_country_does(self, country: str, sent: str, kept: str) -> None:
        assert postal.written(country, sent) == kept

    @pytest.mark.parametrize(
        ("country", "sent"),
        [
            ("IE", "Dublin 2"),
            ("US", "1001.0"),
            ("DE", "1067.0"),
            ("GB", "LS1 4AP, England"),
            ("GB", "LS1 4APXX"),
            ("DE", "F-10115"),
            ("US", "1234"),
            ("CH", "8001 Zürich"),
        ],
    )
    def test_that_is_none_of_the_country_is_refused(self, country: str, sent: str) -> None:
        with pytest.raises(ValueError, match=f"no postal code of {country}"):
            postal.written(country, sent)


class TestAnOrder:
    @pytest.mark.parametrize(
        ("path", "sent", "kept"),
        [
            ("ship_to.postal_code", " LS1  4AP ", "LS1 4AP"),
            ("customer.phone", "07700 900123", "+447700900123"),
            ("customer.phone", "n/a", ""),
            ("customer.phone", "-", ""),
            ("customer.phone", "000000", ""),
            ("customer.email", "Ada Fenn <ada@customer.example>", "ada@customer.example"),
            ("customer.email", '"Fenn, Ada" <ada@customer.example>', "ada@customer.example"),
            ("customer.email", "mailto:ada@customer.example", "ada@customer.example"),
            ("customer.email", "ada@customer.example.", "ada@customer.example"),
            ("customer.email", "ada@customer.example;", "ada@customer.example"),
            ("customer.email", "ada\uff20customer.example", "ada@customer.example"),
            ("customer.name", " Ada\u00a0Fenn\u200b", "Ada Fenn"),
            ("customer.email", " ada@customer.example ", "ada@customer.example"),
        ],
    )
    def test_is_corrected_and_the_correction_said(self, path: str, sent: str, kept: str) -> None:
        part, name = path.split(".")
        taken = order(put(path, sent))
        assert getattr(getattr(taken, part), name) == kept
        assert [(each.field, each.sent, each.kept) for each in taken.corrections] == [(path, sent, kept)]

    def test_says_of_half_a_character_what_it_was_in_a_way_that_can_be_kept(self) -> None:
        """A channel's column cuts an emoji in two; what is left of it has no bytes in UTF-8."""
        half = chr(0xD83D)
        for path, sent in (("ship_to.name", f"Ada{half}"), ("tags", [f"Ada{half}"])):
            (correction,) = order(put(path, sent)).corrections
            assert (correction.sent, correction.kept) == ("Ada\\ud83d", "Ada")
            assert correction.model_dump_json()

    def test_as_it_should_be_has_no_corrections(self) -> None:
        assert order().corrections == ()
        assert order().hashes() == (order().content_hash(),)

    def test_in_two_spellings_is_the_same(self) -> None:
        assert order(put("ship_to.postal_code", " LS1  4AP ")).content_hash() == order().content_hash()

    def test_captured_before_it_was_corrected_is_known_again(self) -> None:
        body: dict[str, Any] = GOOD | {"ship_to": GOOD["ship_to"] | {"city": " Leeds"}}
        before = as_captured_before(body)
        assert before is not None
        assert before.content_hash() in order(put("ship_to.city", " Leeds")).hashes()

    def test_needs_line_ids_that_people_can_tell_apart(self) -> None:
        assert fields_at_fault(put("lines.1.line_id", "1 ")) == ["lines.1.line_id"]

    @pytest.mark.parametrize(
        ("path", "sent"),
        [
            ("customer.email", "ünï@customer.example"),
            ("customer.phone", "call me"),
            ("customer.name", "\u200b \u200b"),
            ("customer.id", " "),
            ("external_id", "5\u200b36"),
            ("ship_to.postal_code", "LS1 4APXX"),
            ("ship_to.city", "-"),
            ("lines.0.line_id", " "),
            ("placed_at", "0001-01-01T00:00:00Z"),
            ("requested_by", "0001-01-01T00:00:00Z"),
            ("requested_by", "9999-12-31T23:59:59Z"),
        ],
    )
    def test_that_is_rubbish_is_refused_by_the_field(self, path: str, sent: str) -> None:
        change: Change = put(path, sent)
        assert fields_at_fault(change) == [path]

    def test_of_more_money_than_can_be_kept_is_refused(self) -> None:
        def priced(each: int) -> Change:
            def change(body: dict[str, Any]) -> None:
                body["lines"] = [
                    {"line_id": str(n), "sku": "A", "quantity": 10**6, "unit_price": each} for n in range(10)
                ]

            return change

        assert order(priced(10**8)).total == 10**15
        assert fields_at_fault(priced(10**8 + 1)) == ["lines"]

    def test_with_letters_in_its_mail_domain_is_taken(self) -> None:
        assert order(put("customer.email", "ada@bücher.example")).customer.email == "ada@bücher.example"

    def test_is_not_read_where_it_is_none(self) -> None:
        with pytest.raises(ValidationError):
            order(put("customer", "Ada"))
        assert as_captured_before(None) is None


def test_what_is_seen_of_a_text() -> None:
    assert visible("\ufeff a\tb\u00a0 ") == "a b"
