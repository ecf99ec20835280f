"""Messages read by a mapping: what becomes of each field, and what cannot be read is named."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.channels.channel_order import ChannelOrder, ChannelState
from dom.channels.faults import FaultCode
from dom.channels.mapping.applying import Mapped, apply
from dom.channels.mapping.document import Mapping
from dom.channels.mapping.reading import check
from dom.orders.order import PaymentMethod

SHOP = Path(__file__).parents[2] / "mappings" / "shop.yaml"
MESSAGE: dict[str, Any] = {
    "id": 4501,
    "name": "#1001",
    "created_at": "2026-03-02T09:30:00+00:00",
    "updated_at": "2026-03-02T09:31:10+00:00",
    "cancelled_at": None,
    "currency": "GBP",
    "taxes_included": True,
    "test": False,
    "email": "ada@customer.example",
    "phone": None,
    "customer": {"id": 77, "first_name": "Ada", "last_name": "Lovelace"},
    "shipping_address": {
        "name": "Ada Lovelace",
        "address1": "12 Mill Lane",
        "address2": "",
        "city": "Leeds",
        "zip": "LS1 4AP",
        "country_code": "GB",
        "phone": "07700 900123",
    },
    "shipping_lines": [{"title": "Royal Mail 24", "price": "3.95"}],
    "line_items": [
        {"id": 1, "sku": "85123A", "name": "T-light", "quantity": 2, "current_quantity": 1, "price": "2.55"},
        {"id": 2, "sku": "84879", "quantity": 3, "price": "1.69", "requires_shipping": True},
        {"id": 3, "sku": "GONE", "quantity": 0, "price": "1.00"},
    ],
    "transactions": [
        {"id": "t1", "gateway": "gift_card", "status": "success", "amount": "5.00"},
        {"id": "t2", "gateway": "stripe", "status": "failure", "amount": "6.57"},
        {"id": "t3", "gateway": "stripe", "status": "success", "amount": "6.57"},
    ],
    "total_discounts": "0.00",
    "total_price": "11.57",
    "tags": "gift, loyal",
}


def mapping(text: str | None = None) -> Mapping:
    return check(text or SHOP.read_text()).publishable()


def read(mapped: Mapped) -> ChannelOrder:
    assert mapped.faults == ()
    return ChannelOrder.model_validate(mapped.order)


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(MESSAGE), **fields}


class TestAnOrder:
    def test_has_what_the_message_says(self) -> None:
        order = read(apply(mapping(), MESSAGE))
        assert (order.number, order.state, order.version) == ("1001", ChannelState.OPEN, "2026-03-02T09:31:10+00:00")
        assert (order.customer.name, order.customer.phone) == ("Ada Lovelace", "07700 900123")
        assert order.ship_to.lines == ("12 Mill Lane",)
        assert order.shipping_method == "express"
        assert [(line.sku, line.ordered, line.current) for line in order.lines] == [("85123A", 2, 1), ("84879", 3, 3)]
        assert [(each.method, each.amount) for each in order.tenders] == [
            (PaymentMethod.PREPAID, 500),
            (PaymentMethod.CARD, 657),
        ]
        assert order.tags == ("gift", "loyal")
        assert (order.total, order.reckoned, order.residue) == (1157, 1157, 0)

    def test_what_rounding_left_over_is_kept(self) -> None:
        message = changed(total_price="11.58")
        message["line_items"][0]["price"] = "2.555"
        mapped = apply(mapping(), message)
        assert read(mapped).rounded == {"lines[0].unit_price": "-0.5"}
        assert read(mapped).residue == 1158 - (256 + 507 + 395)

    def test_a_cancelled_one(self) -> None:
        assert read(apply(mapping(), changed(cancelled_at="2026-03-03T00:00:00Z"))).state is ChannelState.CANCELLED


class TestFaults:
    @pytest.mark.parametrize(
        ("message", "faults"),
        [
            (changed(created_at="last week"), [("placed_at", FaultCode.WRONG_VALUE)]),
            (changed(currency=None), [("currency", FaultCode.MISSING)]),
            (changed(total_price="a lot"), [("total", FaultCode.WRONG_VALUE)]),
            (changed(line_items=[]), [("lines", FaultCode.MISSING)]),
            (changed(line_items="none"), [("lines", FaultCode.EXPRESSION_FAILED), ("lines", FaultCode.MISSING)]),
            (changed(taxes_included="perhaps"), [("tax_included", FaultCode.WRONG_VALUE)]),
        ],
        ids=lambda value: str(value)[:20] if isinstance(value, list) else "",
    )
    def test_each_names_its_field(self, message: Any, faults: list[tuple[str, FaultCode]]) -> None:
        found = [(each.field, each.code) for each in apply(mapping(), message).faults]
        assert [each for each in found if each in faults] == faults

    @pytest.mark.parametrize("message", [None, [], "text", 7, {}, {"line_items": {"quantity": [1]}}])
    def test_what_is_no_order_lacks_what_an_order_needs(self, message: Any) -> None:
        found = {each.field for each in apply(mapping(), message).faults if each.code is FaultCode.MISSING}
        assert {"number", "customer.name", "ship_to.country"} <= found

    def test_what_a_table_does_not_name(self) -> None:
        strict = SHOP.read_text().replace(", otherwise: standard", "")
        message = changed(shipping_lines=[{"title": "By pigeon", "price": "1"}])
        (fault,) = apply(mapping(strict), message).faults
        assert (fault.field, fault.code, fault.value) == ("shipping_method", FaultCode.NOT_IN_TABLE, "By pigeon")

    @settings(deadline=None, max_examples=200)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            _json := lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(MESSAGE)), inner, max_size=8)
            ),
        )
    )
    def test_no_message_breaks_it(self, message: Any) -> None:
        mapped = apply(mapping(), message)
        assert mapped.faults or ChannelOrder.model_validate(mapped.order)
