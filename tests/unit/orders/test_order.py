"""What an order must be to be taken, and when two messages say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dom.orders.intake import OrderRequest
from dom.orders.order import MAX_LINES
from tests.worlds.order_documents import GOOD, Change, fields_at_fault, order, put


class TestWhatIsTaken:
    def test_the_good_order(self) -> None:
        assert order().order_id == "web-536365"
        assert order().total == 6 * 255 + 339

    @pytest.mark.parametrize(
        "change",
        [
            put("external_id", "PO 2011/4 é"),
            put("customer.phone", ""),
            put("customer.email", "o'fenn+shop@mail.customer.example"),
            put("lines.0.unit_price", 0),
            put("lines.0.sku", "GIFT 0001"),
            put("requested_by", "2010-12-24T00:00:00+01:00"),
            put("payment", {"method": "card", "amount": 1869, "reference": "ch_1"}),
            put("tags", ["vip"]),
            put("lines", [{"line_id": str(n), "sku": "A", "quantity": 1, "unit_price": 1} for n in range(MAX_LINES)]),
        ],
    )
    def test_what_real_channels_send(self, change: Change) -> None:
        order(change)

    @pytest.mark.parametrize(
        ("country", "postal_code", "city"),
        [
            ("IE", "", "Dublin"),
            ("DE", "20095", "Hamburg"),
            ("JP", "100-0001", ""),
            ("AE", "", ""),
            ("HK", "", ""),
            ("US", "10001", "New York"),
            ("JE", "JE2 3QA", "St Helier"),
            ("SG", "018956", ""),
        ],
    )
    def test_addresses_as_each_country_writes_them(self, country: str, postal_code: str, city: str) -> None:
        address = GOOD["ship_to"] | {"country": country, "postal_code": postal_code, "city": city}
        assert order(put("ship_to", address)).ship_to.country == country

    def test_a_pick_up_at_a_node(self) -> None:
        taken = order(lambda body: body.update(shipping_method="pickup", pickup_node="store-leeds"))
        assert taken.pickup_node == "store-leeds"


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("channel", "Web Shop"),
            ("channel", "my-shop"),
            ("external_id", ""),
            ("external_id", " 1"),
            ("external_id", "1\n"),
            ("external_id", "1" * 65),
            ("placed_at", "2010-12-01T08:26:00"),
            ("placed_at", "yesterday"),
            ("currency", "gbp"),
            ("currency", "pounds"),
            ("customer.email", "ada"),
            ("customer.email", "ada@"),
            ("customer.email", "a@customer.example, b@customer.example"),
            ("customer.email", "ada@customer.example\nBcc: all@customer.example"),
            ("customer.phone", "call me"),
            ("customer.phone", "+44 1"),
            ("customer.name", ""),
            ("ship_to.country", "uk"),
            ("ship_to.country", "GBR"),
            ("ship_to.lines", []),
            ("ship_to.lines", ["a", "b", "c", "d", "e"]),
            ("lines", []),
            ("lines.1.quantity", 0),
            ("lines.1.quantity", -1),
            ("lines.1.quantity", 1.5),
            ("lines.1.unit_price", -1),
            ("lines.1.unit_price", 2.55),
            ("lines.1.sku", ""),
            ("lines.1.sku", " 71053"),
            ("lines.1.sku", "71053\t"),
            ("lines.1.line_id", ""),
            ("shipping_method", "drone"),
            ("pickup_node", "Store Leeds"),
            ("requested_by", "2010-12-24T00:00:00"),
            ("payment", {"method": "barter", "amount": 1}),
            ("tags", [""] * 2),
        ],
    )
    def test_and_the_field_is_named(self, path: str, value: object) -> None:
        faults = fields_at_fault(put(path, value))
        assert faults
        assert all(fault == path or fault.startswith(f"{path}.") for fault in faults), faults

    @pytest.mark.parametrize("path", ["coupon", "customer.vip", "ship_to.street", "lines.0.price"])
    def test_a_field_nobody_knows(self, path: str) -> None:
        assert fields_at_fault(put(path, "x")) == [path]

    @pytest.mark.parametrize("path", sorted(GOOD))
    def test_a_field_that_is_missing(self, path: str) -> None:
        assert fields_at_fault(lambda body: body.pop(path)) == [path]

    @pytest.mark.parametrize(
        ("country", "postal_code"), [("GB", "12345"), ("DE", "LS1 4AP"), ("US", "1234"), ("ZZ", "1")]
    )
    def test_a_postal_code_of_another_country(self, country: str, postal_code: str) -> None:
        faults = fields_at_fault(put("ship_to", GOOD["ship_to"] | {"country": country, "postal_code": postal_code}))
        assert faults == ["ship_to.country" if country == "ZZ" else "ship_to.postal_code"]

    def test_a_line_number_that_stands_twice(self) -> None:
        with pytest.raises(ValidationError, match="line_id '1' stands twice"):
            order(put("lines.1.line_id", "1"))

    def test_more_lines_than_an_order_holds(self) -> None:
        many = [{"line_id": str(n), "sku": "A", "quantity": 1, "unit_price": 1} for n in range(MAX_LINES + 1)]
        assert fields_at_fault(put("lines", many)) == ["lines"]

    def test_pick_up_without_a_node_and_a_node_without_pick_up(self) -> None:
        for change in (put("shipping_method", "pickup"), put("pickup_node", "store-leeds")):
            with pytest.raises(ValidationError, match="go together"):
                order(change)
        assert fields_at_fault(put("shipping_method", "pickup")) == ["pickup_node"]
        assert fields_at_fault(put("pickup_node", "store-leeds")) == ["shipping_method"]


class TestContentHash:
    @pytest.mark.parametrize(
        "change",
        [
            put("placed_at", "2010-12-01T09:26:00+01:00"),
            put("customer.phone", "+44 7700 900 123"),
            put("customer.email", "ada@CUSTOMER.example"),
            put("shipping_method", "standard"),
            put("requested_by", None),
            put("tags", []),
            lambda body: body.update(reversed(list(body.items()))),
        ],
    )
    def test_the_same_said_differently_is_the_same(self, change: Change) -> None:
        assert order(change).content_hash() == order().content_hash()

    @pytest.mark.parametrize(
        "change",
        [
            put("external_id", "536366"),
            put("channel", "social"),
            put("placed_at", "2010-12-01T08:26:01Z"),
            put("currency", "EUR"),
            put("customer.name", "Ada Fen"),
            put("ship_to.lines", ["12", "Mill Lane"]),
            put("lines.0.quantity", 7),
            put("lines.0.unit_price", 256),
            put("lines.0.sku", "85123B"),
            put("lines.0.line_id", "3"),
            put("shipping_method", "express"),
            put("tags", ["gift"]),
            put("ship_complete", True),
            put("priority", 0),
            lambda body: body["lines"].reverse(),
            lambda body: body["lines"].pop(),
        ],
    )
    def test_any_difference_is_a_difference(self, change: Change) -> None:
        assert order(change).content_hash() != order().content_hash()

    def test_an_order_captured_before_a_field_came_keeps_its_hash(self) -> None:
        captured = "87550e02c79beae2d8c78da8c91760b8a4123794ee4705059e469f691183d627"
        assert order().content_hash() == order(put("reservation_id", None)).content_hash() == captured

    def test_the_cart_it_came_through_is_not_its_content(self) -> None:
        assert order(put("reservation_id", "web-S1")).content_hash() == order().content_hash()

    def test_it_survives_the_way_through_json(self) -> None:
        again = OrderRequest.model_validate_json(order().model_dump_json())
        assert again == order()
        assert again.content_hash() == order().content_hash()

    @given(st.integers(1, 10**6), st.integers(1, 10**6))
    def test_quantities_are_told_apart(self, one: int, other: int) -> None:
        hashes = [order(put("lines.0.quantity", quantity)).content_hash() for quantity in (one, other)]
        assert (hashes[0] == hashes[1]) == (one == other)
