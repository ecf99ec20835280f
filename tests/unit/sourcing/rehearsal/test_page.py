"""The report as a page: complete, its own, and safe to open."""

import re
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from api.rehearsal.charts import Pair, pairs
from api.rehearsal.page import amount, page, plain, rows
from dom.sourcing.rehearsal.report import Report
from dom.sourcing.rehearsal.walking import Walk
from tests.worlds.policies import changed
from tests.worlds.recording import DEAR_SPLITS, Live, rehearsed, told, two_nodes

VOID = {"meta", "br", "line", "rect"}


class Balanced(HTMLParser):
    """Fails on a tag that is closed and was not opened last."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def found() -> Report:
    live = Live(two_nodes(name="<b>Near & dear</b>"))
    live.order("web-1", A=1, B=1)
    live.order("web-2", A=2)
    draft = changed(DEAR_SPLITS, distance_per_100_km=100, name="<script>alert(1)</script>")
    return told(rehearsed(live, draft), draft)


def test_it_is_one_file_of_its_own() -> None:
    made = page(found())
    reader = Balanced()
    reader.feed(made)
    assert reader.open == []
    assert {"svg", "table", "section"} <= reader.seen
    assert reader.seen.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert not re.search(r"""(?:src|href)=["'](?!#)|url\(|@import""", made)


def test_names_are_text_and_nothing_else() -> None:
    made = page(found())
    assert "<b>Near" not in made
    assert "&lt;b&gt;Near &amp; dear&lt;/b&gt;" in made


def test_it_shows_both_explanations_of_each_changed_order() -> None:
    report = found()
    made = page(report)
    (order,) = report.changed
    assert order.order_id in made
    for sentence in (*order.baseline.reasons, *order.draft.reasons):
        assert str(escape(sentence)) in made
    assert f"costs <b>{plain(abs(order.saves or 0), 'GBP')}</b> more" in made


def test_of_a_rehearsal_of_nothing() -> None:
    made = page(told(Walk({})))
    assert "No recorded order belongs to this span." in made


def test_the_figures_say_what_is_better_and_what_is_worse() -> None:
    tones = {row.label: row.tone for row in rows(found())}
    assert tones["Split orders"] == "better"
    assert tones["Money paid out"] == "worse"
    assert tones["Units planned"] == ""


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (0, "GBP", "0.00"),
        (5, "GBP", "0.05"),
        (123456, "GBP", "1,234.56"),
        (123456, "JPY", "123,456"),
        (1234567, "KWD", "1,234.567"),
        (None, "GBP", "not known"),
    ],
)
def test_amounts(minor: int | None, currency: str, said: str) -> None:
    assert plain(minor, currency) == said
    assert amount(-150, "GBP") == "\N{MINUS SIGN}1.50 GBP"
    assert amount(-150, "JPY") == "\N{MINUS SIGN}150 JPY"


def test_a_chart_has_a_bar_for_each_number_and_room_for_what_is_below_zero() -> None:
    drawn = pairs([Pair("markdown", -50, 0, "-0.50", "0.00"), Pair("<freight>", 100, 80, "1.00", "0.80")], "costs")
    assert drawn.count("<rect") == 4
    assert "&lt;freight&gt;" in drawn
    assert all(float(width) > 0 for width in re.findall(r'<rect[^>]* width="([^"]+)"', drawn))
    assert "Nothing to show" in pairs([], "nothing")
