"""What the bench of substitutes counts as paid otherwise than the rule says."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.substitution import Day, Line, PriceRow, priced, whole
from dom.network import Substitute, SubstitutePrice
from dom.orders.intake import OrderRequest
from dom.orders.order import Order

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LIST_PRICE = 80


def day(rule: SubstitutePrice) -> Day:
    """One order of four of s0 at 100 each, for one of which two of a0 may be sent."""
    body: dict[str, Any] = {
        "channel": "web",
        "external_id": "1",
        "placed_at": START,
        "currency": "GBP",
        "customer": {"id": "C1", "name": "Ada", "email": "ada@customer.example"},
        "ship_to": {"name": "Ada", "lines": ["1 Road"], "city": "York", "postal_code": "YO1 7EP", "country": "GB"},
        "lines": [{"line_id": "1", "sku": "s0", "quantity": 4, "unit_price": 100}],
    }
    orders: list[Order] = [OrderRequest.model_validate(body)]
    substitutes = {"s0": (Substitute(sku="a0", units=2, price=rule),)}
    return Day(START, orders, {}, {"s0": 100, "a0": LIST_PRICE}, substitutes)


def lines(unit_price: int) -> list[Line]:
    """One of the four was there, of the others went six substitutes."""
    return [Line("web-1", "1", "s0", 4, 3, 0, 100), Line("web-1", "1-S1", "a0", 6, 0, 0, unit_price)]


def of(rows: list[PriceRow], rule: str) -> PriceRow:
    return next(row for row in rows if row.rule == rule)


@pytest.mark.parametrize(
    ("rule", "unit_price"),
    [(SubstitutePrice.KEEP, 50), (SubstitutePrice.LOWER, 50), (SubstitutePrice.DIFFERENCE, LIST_PRICE)],
)
def test_what_is_paid_by_the_rule(rule: SubstitutePrice, unit_price: int) -> None:
    rows = priced(1, day(rule), lines(unit_price))
    found = of(rows, rule)
    assert (found.lines, found.units_replaced, found.units_sent) == (1, 3, 6)
    assert (found.ordered_for, found.sent_for, found.by_the_rule) == (300, 6 * unit_price, 6 * unit_price)
    assert {row.differ for row in rows} == {0}


@pytest.mark.parametrize("rule", SubstitutePrice)
def test_a_penny_is_noticed(rule: SubstitutePrice) -> None:
    rows = priced(1, day(rule), lines(51))
    assert of(rows, rule).differ > 0
    assert of(rows, "all orders").differ == 1


def test_a_unit_that_stands_for_nothing_is_noticed() -> None:
    first, second = lines(50)
    rows = priced(1, day(SubstitutePrice.KEEP), [first, replace(second, quantity=7)])
    assert of(rows, SubstitutePrice.KEEP).differ > 0
    assert whole([first, replace(second, waiting=1)]) == set()
