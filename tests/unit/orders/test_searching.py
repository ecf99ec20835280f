"""What people type and what orders hold come to the same form."""

import pytest
from pydantic import ValidationError

from dom.orders import searching
from dom.orders.search_filter import OrderFilter, day_of
from tests.worlds import small
from tests.worlds.sourcing import MONDAY


class TestPlain:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("Zoë  O'BRIEN", "zoe obrien"),
            ("Zoe\u0308 O\u2019Brien", "zoe obrien"),
            ("GROSS Groß", "gross gross"),
            ("Łukasz Ørsted Æthel", "lukasz orsted aethel"),
            ("\uff26\uff55\uff4c\uff4c\uff11\uff12", "full12"),
            ("ΑΘΉΝΑ", "αθηνα"),
            ("ОЛЕНА Мельник", "олена мельник"),
            ("山田\u3000花子", "山田 花子"),
            ("김민수", "김민수"),
            ("مُحَمَّد", "محمد"),
            ("\u200b a\u00a0b ", "a b"),
            ("", ""),
        ],
    )
    def test_case_accents_and_widths_do_not_matter(self, typed: str, kept: str) -> None:
        assert searching.plain(typed) == kept
        assert searching.plain(kept) == kept


class TestNumbers:
    @pytest.mark.parametrize("typed", ["ls1 4ap", "LS1-4AP", " LS14AP "])
    def test_a_code_has_no_marks(self, typed: str) -> None:
        assert searching.code(typed) == "LS14AP"

    @pytest.mark.parametrize(
        "typed",
        ["07700 900123", "+44 7700 900123", "+44 (0)7700 900-123", "0044 7700/900123", "(07700) 900.123"],
    )
    def test_a_phone_number_is_found_however_it_is_written(self, typed: str) -> None:
        digits = searching.phone_digits(typed)
        assert digits is not None
        assert digits in "+447700900123"

    @pytest.mark.parametrize("typed", ["0123", "536365", "web-0770090", "0770O900123", "", "(0)"])
    def test_what_is_no_phone_number(self, typed: str) -> None:
        assert searching.phone_digits(typed) is None


class TestSearchText:
    def test_names_each_word_once_with_a_space_around_it(self) -> None:
        order = small.order(
            "PO 7/8", customer={"id": "C9", "name": "Zoë Low", "email": "zoe@shop.example", "phone": "+447700900123"}
        )
        text = searching.search_text(order)
        assert text == (
            " web-po~207~2f8 po 7/8 c9 zoe low zoe@shop.example +447700900123 ada young york yo1 7ep yo17ep replay "
        )


class TestFilterDays:
    def test_are_counted_from_the_day_of_asking(self) -> None:
        assert [day_of(text, MONDAY).isoformat() for text in ("today", "today+2", "today-1", "2026-12-24")] == [
            "2026-03-02",
            "2026-03-04",
            "2026-03-01",
            "2026-12-24",
        ]

    @pytest.mark.parametrize("text", ["", "tomorrow", "today+", "today+1000", "2026-02-30", "20260302", "9999-12-31"])
    def test_others_are_refused(self, text: str) -> None:
        with pytest.raises(ValidationError, match="placed_from"):
            OrderFilter(placed_from=text)
