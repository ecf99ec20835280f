"""Names, reasons and ids that callers give: taken as people see them, or refused; what is stored can still be read."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.availability.models import Destination
from api.delivery.models import CarrierEvent
from api.inbound.models import InboundReceipt
from api.stock.models import AdjustmentItem
from api.stock.safety_models import SafetyStockItem
from dom.shared.base import Key
from dom.shared.texts import as_seen
from tests.worlds.order_documents import Change, fields_at_fault, order

UNSEEN = ("\u200b", "\u00ad", "\ufeff", "\u2060", "\x07", "\x1b", "\u00a0", "\t", "\n", " ")


class TestTextsOfPeople:
    @pytest.mark.parametrize("unseen", UNSEEN)
    def test_are_taken_as_they_are_seen(self, unseen: str) -> None:
        sent = {"name": f"{unseen}Leeds{unseen}", "address": {"lines": [f"1 Mill{unseen}"], "city": f"{unseen}Leeds"}}
        assert as_seen(sent) == {"name": "Leeds", "address": {"lines": ["1 Mill"], "city": "Leeds"}}

    @pytest.mark.parametrize("unseen", UNSEEN)
    def test_of_which_nothing_is_seen_are_empty(self, unseen: str) -> None:
        assert as_seen({"adjustments": [{"reason": unseen}], "tags": [unseen, "gift"]}) == {
            "adjustments": [{"reason": ""}],
            "tags": ["gift"],
        }

    def test_leave_what_is_no_text_of_people_alone(self) -> None:
        sent = {"idempotency_key": " k ", "quantity": 3, "policy": {"match": {"channel": " web "}}, "lines": [{"x": 1}]}
        assert as_seen(sent) == sent

    def test_that_are_nested_without_end_are_left_alone(self) -> None:
        deep: Any = "x"
        for _ in range(900):
            deep = {"name": [deep]}
        assert as_seen(deep)


class TestAKey:
    @pytest.mark.parametrize("unseen", [*UNSEEN, "\u200d", "\u200c"])
    def test_with_what_nobody_sees_is_refused(self, unseen: str) -> None:
        for key in (unseen, f"k{unseen}", f"{unseen}k"):
            with pytest.raises(ValidationError):
                TypeAdapter(Key).validate_python(key)

    @pytest.mark.parametrize(
        ("model", "field"),
        [
            (CarrierEvent, "event_id"),
            (CarrierEvent, "tracking_number"),
            (AdjustmentItem, "idempotency_key"),
            (SafetyStockItem, "idempotency_key"),
            (InboundReceipt, "idempotency_key"),
        ],
    )
    def test_is_one_in_every_feed(self, model: Any, field: str) -> None:
        with pytest.raises(ValidationError) as caught:
            model.model_validate({field: "k\u200b"})
        assert "nobody sees" in next(each["msg"] for each in caught.value.errors() if each["loc"] == (field,))


class TestAPlace:
    @pytest.mark.parametrize(
        ("country", "code"),
        [
            ("GB", " ls1  4ap. "),
            ("HK", "n/a"),
            ("DE", "D-10115"),
            ("NL", "NL-1011ab"),
            ("FR", "F-75001"),
            ("PL", "00950"),
            ("GB", "LS1\u00a04AP"),
            ("IE", "d02x285"),
            ("CA", "k1a0b1"),
        ],
    )
    def test_of_a_basket_is_corrected_as_the_address_of_an_order(self, country: str, code: str) -> None:
        basket = Destination.model_validate({"country": country, "postal_code": code, "region": " n/a"})
        taken = order(_to(country, code)).ship_to
        assert (basket.postal_code, basket.region) == (taken.postal_code, taken.region)

    @pytest.mark.parametrize(
        ("country", "code", "field"),
        [("GB", "LS1 4AP, England", "postal_code"), ("GB", "banana", "postal_code"), ("XX", "1", "country")],
    )
    def test_that_is_rubbish_is_refused_for_both(self, country: str, code: str, field: str) -> None:
        with pytest.raises(ValidationError) as caught:
            Destination(country=country, postal_code=code)
        assert [each["loc"] for each in caught.value.errors()] == [(field,)]
        assert f"ship_to.{field}" in fields_at_fault(_to(country, code))


def _to(country: str, code: str) -> Change:
    def change(body: dict[str, Any]) -> None:
        body["ship_to"] |= {"country": country, "postal_code": code, "region": " n/a"}

    return change
