"""Messages that are meant to break what reads them: each costs little, and is a fault of its field."""

import time
from decimal import Decimal
from typing import Any

import pytest

from dom.channels import intake
from dom.channels.channel_order import ChannelOrder
from dom.channels.faults import FaultCode
from dom.channels.mapping import paths
from dom.channels.mapping.applying import apply
from dom.channels.mapping.values import Unfit, amount, count, number
from tests.unit.channels.test_mapping_applying import MESSAGE, changed, mapping

HUGE = ["1e999999", "1e5000", "(1e9999999)", "-1e999999999", "9" * 90, "1e-999999999", "1" + "a" * 1_000_000 + "1"]


@pytest.mark.parametrize("text", HUGE, ids=lambda text: text[:12])
def test_a_number_that_nothing_costs_is_refused_at_once(text: str) -> None:
    begun = time.monotonic()
    with pytest.raises(Unfit):
        amount(text, "point", "GBP", minor=False)
    with pytest.raises(Unfit):
        count(text, "point")
    assert time.monotonic() - begun < 1


def test_nothing_is_nothing_in_whatever_form() -> None:
    assert number("0e999999", "point") == number("0.00", "point") == Decimal(0)


def test_a_huge_number_is_a_fault_of_its_field() -> None:
    message = changed(total_price="1e999999")
    message["line_items"][0]["current_quantity"] = "1e5000"
    order, faults = intake.checked(apply(mapping(), message), {})
    assert order is None
    assert {(each.field, each.code) for each in faults} == {
        ("total", FaultCode.WRONG_VALUE),
        ("lines[0].current", FaultCode.WRONG_VALUE),
    }


def test_a_large_message_is_not_handed_to_each_of_its_lines() -> None:
    lines = [{**MESSAGE["line_items"][0], "id": number} for number in range(30)]
    pad: Any = [{"a": number, "b": "xyz"} for number in range(20_000)]
    begun = time.monotonic()
    order, _ = intake.checked(apply(mapping(), changed(line_items=lines, pad=pad)), {})
    assert order is not None
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize(
    ("version", "than"),
    [
        ("20260302093000000002", "20260302093000000001"),
        ("10", "9"),
        ("2026-03-02T10:00:01+02:00", "2026-03-02T08:00:00Z"),
    ],
)
def test_a_later_version_is_later(version: str, than: str) -> None:
    assert intake.is_later(version, than)
    assert not intake.is_later(than, version)


@pytest.mark.parametrize("field", ["lines[7].sku", "tenders[9].amount"])
def test_a_repair_of_a_line_that_is_not_there_is_said_and_can_be_taken_back(field: str) -> None:
    order, faults = intake.checked(apply(mapping(), MESSAGE), {field: "X"})
    assert order is None
    assert [(each.field, each.code, each.value) for each in faults] == [(field, FaultCode.WRONG_VALUE, "X")]
    order, _ = intake.checked(apply(mapping(), MESSAGE), {field: None})
    assert order is not None


@pytest.mark.parametrize(
    ("field", "value"), [("total", "much"), ("ship_to.planet", "Mars"), ("lines", ["a"]), ("x", 1)]
)
def test_a_repair_that_fits_nowhere_is_a_fault_of_its_field(field: str, value: Any) -> None:
    order, faults = intake.checked(apply(mapping(), MESSAGE), {field: value})
    assert order is None
    assert all(each.field.startswith(field) for each in faults)


def test_a_line_that_stands_twice_counts_twice() -> None:
    def told(*units: int) -> ChannelOrder:
        lines = [{**MESSAGE["line_items"][0], "quantity": each, "current_quantity": each} for each in units]
        order, _ = intake.checked(apply(mapping(), changed(line_items=lines)), {})
        assert order is not None
        return order

    assert intake.touched(told(3), told(2, 1)) == frozenset()
    assert intake.touched(told(2, 1), told(3)) == frozenset()


@pytest.mark.parametrize("field", ["ship_to.planet", "x", "total.x", "x.y", "lines[0].colour", "note"])
def test_null_takes_back_a_repair_of_a_field_that_no_order_has(field: str) -> None:
    order, faults = intake.checked(apply(mapping(), MESSAGE), {field: None})
    assert (order is not None, faults) == (True, ())


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("lines[0].sku", 84879, "84879"),
        ("lines[0].sku", "84879", "84879"),
        ("lines[0].ordered", "2", 2),
        ("lines[0].unit_price", 250, 250),
        ("number", 1001, "1001"),
        ("customer.phone", 447700900123, "447700900123"),
        ("total", "1200", 1200),
        ("test", True, True),
        ("lines[0].ships", False, False),
    ],
)
def test_a_repair_is_what_its_field_holds_however_a_person_types_it(field: str, given: object, kept: object) -> None:
    order, faults = intake.checked(apply(mapping(), MESSAGE), {field: given})
    assert faults == ()
    assert order is not None
    found = paths.at(order.model_dump(mode="json"), field)
    assert (found, type(found)) == (kept, type(kept))
