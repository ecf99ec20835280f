"""Mappings with mistakes: each is named with its line and a way to mend it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.channels.mapping.reading import check
from dom.shared.errors import MappingInvalid
from tests.unit.channels.test_mapping_applying import SHOP

GOOD = SHOP.read_text()


def test_the_sample_has_none() -> None:
    assert check(GOOD).findings == ()


@pytest.mark.parametrize(
    ("wrong", "right", "code"),
    [
        ("  curency: currency", "  currency: currency", "unknown-field"),
        ("", "  placed_at: created_at\n", "missing-field"),
        ("", "    sku: sku\n", "missing-field"),
        ("lookup: method,", "lookup: methods,", "unknown-table"),
        ("  where: line.quantity >", "  where: line.quantity > 0", "wrong-expression"),
        ("  where: lines.quantity > 0", "  where: line.quantity > 0", "wrong-expression"),
        ("numbers: dot", "numbers: point", "unknown-value"),
        ("  customer.id: customer..id", "  customer.id: customer.id", "wrong-value"),
        ("  total: {path: total_price, value: 7}", "  total: total_price", "wrong-value"),
        ("zone: Europe/Londn\nname: our shop", "name: our shop", "unknown-zone"),
        ("times: yesterday\nname: our shop", "name: our shop", "wrong-time-form"),
        ("  each: line items", "  each: line_items", "wrong-value"),
        ("lnes:", "lines:", "unknown-field"),
    ],
)
def test_a_mistake_is_named_where_it_stands(wrong: str, right: str, code: str) -> None:
    assert GOOD.count(right) >= 1
    text = GOOD.replace(right, wrong, 1)
    found = [each for each in check(text).findings if each.code == code]
    assert found, check(text).findings
    assert found[0].line >= 1
    assert found[0].hint
    with pytest.raises(MappingInvalid):
        check(text).publishable()


def test_a_table_that_nothing_looks_up_in_is_a_warning() -> None:
    text = GOOD.replace("tables:", "tables:\n  spare: {a: b}", 1)
    (finding,) = check(text).findings
    assert (finding.code, finding.severity) == ("unused-table", "warning")
    assert check(text).publishable().name == "our shop"


def _any_json(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(NAMES), inner, max_size=4)


NAMES = ["name", "order", "lines", "tables", "tenders", "fields", "each", "path", "lookup", "numbers", "zone", "times"]
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@settings(deadline=None)
@given(_any_json(st.recursive(PLAIN, _any_json)))
def test_no_document_breaks_the_reader(document: Any) -> None:
    checked = check(json.dumps(document))
    assert checked.mapping is not None or checked.findings


@pytest.mark.parametrize("text", ["", "[]", "name: x", "a: [", '{"name": "x"}', "order: 7"])
def test_what_is_none_says_so(text: str) -> None:
    assert check(text).mapping is None
    assert check(text).findings
