"""What may come back, and what is paid for it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dom.orders.status import Disposition
from dom.returns import check_inspected, check_received, check_returnable, refund_amount
from dom.shared.errors import InvalidInput, NothingToReturn

DELIVERED = {"1": 3, "2": 1, "3": 0}
RESTOCK, SCRAP = Disposition.RESTOCK, Disposition.SCRAP
UNITS = st.dictionaries(st.sampled_from("123456"), st.integers(1, 50), min_size=1)


class TestReturnable:
    @pytest.mark.parametrize(
        ("asked", "returned"),
        [
            ([("1", 3)], {}),
            ([("1", 1), ("2", 1)], {"1": 2}),
            ([("1", 1)], {"1": 2, "2": 1}),
        ],
    )
    def test_delivered_units_may_come_back_once(self, asked: list[tuple[str, int]], returned: dict[str, int]) -> None:
        check_returnable(asked, DELIVERED, returned)

    @pytest.mark.parametrize(
        ("asked", "returned", "field", "returnable"),
        [
            ([("1", 4)], {}, "lines[0].quantity", 3),
            ([("2", 1), ("1", 2)], {"1": 2}, "lines[1].quantity", 1),
            ([("3", 1)], {}, "lines[0].quantity", 0),
            ([("2", 1)], {"2": 1}, "lines[0].quantity", 0),
            ([("2", 1)], {"2": 5}, "lines[0].quantity", 0),
        ],
    )
    def test_more_than_that_is_refused_with_what_is_left(
        self, asked: list[tuple[str, int]], returned: dict[str, int], field: str, returnable: int
    ) -> None:
        with pytest.raises(NothingToReturn) as refused:
            check_returnable(asked, DELIVERED, returned)
        assert (refused.value.field, refused.value.data) == (field, {"returnable": returnable})

    @pytest.mark.parametrize(
        ("asked", "field"),
        [([("9", 1)], "lines[0].line_id"), ([("1", 1), ("2", 1), ("1", 1)], "lines[2].line_id")],
    )
    def test_unknown_and_repeated_lines_are_wrong_input(self, asked: list[tuple[str, int]], field: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            check_returnable(asked, DELIVERED, {})
        assert refused.value.field == field

    @given(delivered=UNITS, data=st.data())
    def test_returns_one_after_the_other_never_exceed_what_was_delivered(
        self, delivered: dict[str, int], data: st.DataObject
    ) -> None:
        returned: Counter[str] = Counter()
        for _ in range(8):
            line_id, quantity = data.draw(st.sampled_from(sorted(delivered))), data.draw(st.integers(1, 30))
            try:
                check_returnable([(line_id, quantity)], delivered, returned)
            except NothingToReturn:
                assert returned[line_id] + quantity > delivered[line_id]
            else:
                returned[line_id] += quantity
        assert all(returned[line_id] <= units for line_id, units in delivered.items())


class TestReceived:
    @pytest.mark.parametrize("received", [{"1": 3}, {"1": 1}, {}, {"1": 3, "2": 1}])
    def test_no_more_than_announced(self, received: dict[str, int]) -> None:
        check_received(received, DELIVERED)

    @pytest.mark.parametrize("received", [{"1": 4}, {"9": 1}, {"1": 1, "2": 2}])
    def test_more_is_wrong_input(self, received: dict[str, int]) -> None:
        with pytest.raises(InvalidInput):
            check_received(received, DELIVERED)


class TestInspected:
    @pytest.mark.parametrize(
        "found",
        [
            [("1", RESTOCK, 3), ("2", SCRAP, 1)],
            [("1", RESTOCK, 1), ("1", SCRAP, 2), ("2", RESTOCK, 1)],
            [("1", RESTOCK, 1), ("1", RESTOCK, 2), ("2", SCRAP, 1)],
        ],
    )
    def test_every_unit_has_one_disposition(self, found: list[tuple[str, Disposition, int]]) -> None:
        check_inspected(found, {"1": 3, "2": 1})

    @pytest.mark.parametrize(
        "found",
        [
            [],
            [("1", RESTOCK, 3)],
            [("1", RESTOCK, 2), ("2", SCRAP, 1)],
            [("1", RESTOCK, 4), ("2", SCRAP, 1)],
            [("1", RESTOCK, 3), ("2", SCRAP, 1), ("9", SCRAP, 1)],
        ],
    )
    def test_too_few_too_many_and_foreign_units_are_wrong(self, found: list[tuple[str, Disposition, int]]) -> None:
        with pytest.raises(InvalidInput, match="every received unit needs one disposition"):
            check_inspected(found, {"1": 3, "2": 1})


class TestRefund:
    def test_is_the_price_that_was_paid(self) -> None:
        assert refund_amount({"1": 3, "2": 1}, {"1": 250, "2": 999, "3": 1}) == 3 * 250 + 999

    def test_of_nothing_is_nothing(self) -> None:
        assert refund_amount({}, {"1": 250}) == 0

    @given(units=UNITS, price=st.integers(0, 10**6))
    def test_of_parts_is_the_refund_of_the_whole(self, units: dict[str, int], price: int) -> None:
        prices = dict.fromkeys(units, price)
        parts = sum(refund_amount({line_id: quantity}, prices) for line_id, quantity in units.items())
        assert parts == refund_amount(units, prices)
