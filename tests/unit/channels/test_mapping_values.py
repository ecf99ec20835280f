"""Numbers, amounts, times and flags as people and programs of all countries write them."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.channels.mapping.values import Numbers, Unfit, amount, count, flag, moment, number

LONDON = ZoneInfo("Europe/London")


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "marks", "meant"),
        [
            ("1234.56", "point", "1234.56"),
            ("1,234.56", "point", "1234.56"),
            ("1.234,56", "comma", "1234.56"),
            ("1234,56", "comma", "1234.56"),
            ("1'234.56", "either", "1234.56"),
            ("1 234,56", "either", "1234.56"),
            ("1.234.567", "either", "1234567"),
            ("12,5", "either", "12.5"),
            ("0,125", "either", "0.125"),
            ("£ 7.50", "point", "7.50"),
            ("7,50 €", "comma", "7.50"),
            ("EUR 7,50", "comma", "7.50"),
            ("(3.20)", "point", "-3.20"),
            ("\u22123.20", "point", "-3.20"),
            ("1e3", "point", "1000"),
            (12.5, "comma", "12.5"),
        ],
    )
    def test_is_read_as_it_is_meant(self, text: Any, marks: Numbers, meant: str) -> None:
        assert number(text, marks) == Decimal(meant)

    @pytest.mark.parametrize("text", ["", "abc", "1.2.3,4,5", "NaN", "inf", True, None, [], "1,5,0"])
    def test_what_is_none_is_refused(self, text: Any) -> None:
        with pytest.raises(Unfit):
            number(text, "point")

    @pytest.mark.parametrize("text", ["1.234", "12,345", "-7.500"])
    def test_what_could_be_two_numbers_is_refused(self, text: str) -> None:
        with pytest.raises(Unfit, match="thousands or with decimals"):
            number(text, "either")

    @given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
    def test_every_amount_is_read_back_in_both_ways_of_writing(self, value: Decimal) -> None:
        english = f"{value:,.2f}"
        german = english.translate(str.maketrans(",.", ".,"))
        assert number(english, "point") == number(german, "comma") == value

    def test_a_count_is_whole(self) -> None:
        assert count("3.0", "point") == 3
        with pytest.raises(Unfit, match="whole"):
            count("2.5", "point")


class TestAmounts:
    def test_in_minor_units_of_its_currency(self) -> None:
        assert amount("12.34", "point", "GBP", minor=False) == (1234, Decimal(0))
        assert amount("1234", "point", "JPY", minor=False) == (1234, Decimal(0))
        assert amount("1.234", "point", "KWD", minor=False) == (1234, Decimal(0))
        assert amount("1234", "point", "GBP", minor=True) == (1234, Decimal(0))

    def test_what_is_rounded_off_is_told(self) -> None:
        assert amount("0.125", "point", "GBP", minor=False) == (12, Decimal("0.5"))
        assert amount("0.135", "point", "GBP", minor=False) == (14, Decimal("-0.5"))


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "form", "meant"),
        [
            ("2026-07-01T12:00:00+02:00", None, "2026-07-01T10:00:00+00:00"),
            ("2026-07-01T12:00:00", None, "2026-07-01T11:00:00+00:00"),
            ("2026-01-01", None, "2026-01-01T00:00:00+00:00"),
            (1782900000, None, "2026-07-01T10:00:00+00:00"),
            ("1782900000000", None, "2026-07-01T10:00:00+00:00"),
            ("01/07/2026 12:00", "%d/%m/%Y %H:%M", "2026-07-01T11:00:00+00:00"),
        ],
    )
    def test_a_time_without_an_offset_is_of_the_zone(self, text: Any, form: str | None, meant: str) -> None:
        assert moment(text, LONDON, form) == meant

    @pytest.mark.parametrize("text", ["yesterday", "", "2026-02-30", True, None, 10**30])
    def test_what_is_none_is_refused(self, text: Any) -> None:
        with pytest.raises(Unfit):
            moment(text, LONDON, None)


def test_flags() -> None:
    assert [flag(each) for each in (True, "Yes", 1, "on", "TRUE")] == [True] * 5
    assert [flag(each) for each in (False, "no", 0, "")] == [False] * 4
    with pytest.raises(Unfit):
        flag("maybe")
