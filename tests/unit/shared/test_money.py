"""Money has as many decimals as its currency, wherever it is shown or converted; what is no money is refused."""

from __future__ import annotations

from typing import Any

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.reservations.models import ReservationRequest
from connectors.notifications.templates import MessageContext, render
from dom.delivery.tariffs import Tariff
from dom.notifications.messages import MessageKind
from dom.orders.order import Order
from dom.shared.money import Money, decimals, figures, is_currency, minor_per_minor
from dom.sourcing.models import CostTerm
from dom.sourcing.planning.matching import MatchSubject
from simulator.money import money
from tests.worlds.order_documents import GOOD, order, put
from tests.worlds.policies import changed
from tests.worlds.policy_files import check
from tests.worlds.sourcing import FREE, NORTHLINE, World, decide, handling

NOT_PAID_IN = [
    *("XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XBA", "XBB", "XBC", "XBD", "XSU", "XUA"),
    *("BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI"),
    *("UYW", "XAD"),
]
"""All codes of ISO 4217 that goods are not paid in: no minor units, funds, and units of account without the mark."""
NO_MONEY = ["ZZZ", "AAA", *NOT_PAID_IN]
SHOWN = [
    (2468, "JPY", "2468 JPY"),
    (3702, "KWD", "3.702 KWD"),
    (3702, "GBP", "37.02 GBP"),
    (5, "KWD", "0.005 KWD"),
    (-5, "GBP", "-0.05 GBP"),
    (-250, "JPY", "-250 JPY"),
    (0, "JPY", "0 JPY"),
    (12345, "CLF", "1.2345 CLF"),
    (1999, "XOF", "1999 XOF"),
    (1999, "HRK", "19.99 HRK"),
]


@pytest.mark.parametrize(("minor", "currency", "said"), SHOWN)
def test_an_amount_has_the_decimals_of_its_currency(minor: int, currency: str, said: str) -> None:
    assert str(Money(amount=minor, currency=currency)) == said


@pytest.mark.parametrize(("minor", "currency", "said"), [(246800, "JPY", "246,800 JPY"), (3702, "KWD", "3.702 KWD")])
def test_the_simulator_says_the_same(minor: int, currency: str, said: str) -> None:
    assert money(minor, currency) == said


@given(st.integers(-(10**12), 10**12), st.sampled_from(["JPY", "GBP", "KWD", "CLF"]))
def test_what_is_shown_is_the_amount(minor: int, currency: str) -> None:
    assert round(float(figures(minor, currency)) * 10 ** decimals(currency)) == minor


def test_a_refund_is_mailed_in_its_own_decimals() -> None:
    context = MessageContext(
        order_id="web-1", external_id="1", channel="web", customer_name="Ada", refund=Money(amount=2468, currency="JPY")
    )
    assert "You get 2468 JPY back" in render(MessageKind.REFUNDED, context).text


class TestConversion:
    @pytest.mark.parametrize(
        ("worth", "of", "into", "minor", "expected"),
        [
            (0.0053, "JPY", "GBP", 1000, 530),
            (190.0, "GBP", "JPY", 530, 1007),
            (2.5, "KWD", "GBP", 1000, 250),
            (0.4, "GBP", "KWD", 250, 1000),
            (0.8, "EUR", "GBP", 100, 80),
        ],
    )
    def test_a_rate_is_of_major_units(self, worth: float, of: str, into: str, minor: int, expected: int) -> None:
        assert round(minor * minor_per_minor(worth, of, into)) == expected

    def test_work_that_is_paid_in_yen_costs_pounds(self) -> None:
        policy = changed(FREE, exchange_rates={"JPY": 0.005})
        world = World(policy=policy).node("tokyo", A=9, currency="JPY", handling_cost=handling(fixed=1000))
        (shipment,) = decide(world, world.demand(A=1)).shipments
        assert shipment.costs[CostTerm.HANDLING] == 500

    def test_freight_in_yen_costs_pounds(self) -> None:
        yen = Tariff.model_validate({**NORTHLINE.model_dump(), "currency": "JPY"})
        world = World(policy=changed(FREE, exchange_rates={"JPY": 0.005}), tariffs=(yen,)).node("n", A=9)
        (shipment,) = decide(world, world.demand(A=1)).shipments
        assert shipment.costs[CostTerm.FREIGHT] == 150

    def test_an_order_in_dinars_is_worth_pounds(self) -> None:
        world = World(policy=changed(FREE, exchange_rates={"KWD": 2.5})).node("n", A=9)
        demand = world.demand(A=1, currency="KWD")
        lines = tuple(line.model_copy(update={"unit_price": 3000}) for line in demand.lines)
        subject = MatchSubject(demand.model_copy(update={"lines": lines}), world.skus, world.policy)
        assert subject.value == 750

    def test_a_fence_says_its_threshold_in_the_policys_currency(self) -> None:
        policy = changed(FREE, currency="JPY", minimum_picking_value={"any": 5000}, exchange_rates={"GBP": 190.0})
        world = World(policy=policy).node("n", A=9)
        (candidate,) = decide(world, world.demand(A=1, currency="JPY")).candidates
        assert candidate.fences[-1].expected == "worth at least 5000 JPY"
        assert candidate.fences[-1].actual == "0 JPY"


class TestWhatIsNoMoney:
    def test_every_other_code_of_the_standard_is_money(self) -> None:
        codes = {each.code for each in iso4217.Currency}
        assert {code for code in codes if not is_currency(code)} == set(NOT_PAID_IN)

    @pytest.mark.parametrize("code", ["XOF", "XAF", "XPF", "XCD", "XCG", "CHF", "UYU", "VED", "EUR"])
    def test_money_with_a_name_like_theirs_is_taken(self, code: str) -> None:
        assert is_currency(code)

    @pytest.mark.parametrize("code", NO_MONEY)
    def test_it_is_refused_where_it_comes_in(self, code: str) -> None:
        assert not is_currency(code)
        with pytest.raises(ValidationError, match=f"{code} is no currency of ISO 4217"):
            order(put("currency", code))
        cart = {"owner": "cart-1", "channel": "web", "lines": [{"line_id": "1", "sku": "A", "quantity": 1}]}
        with pytest.raises(ValidationError, match=f"{code} is no currency"):
            ReservationRequest.model_validate({**cart, "currency": code})

    @pytest.mark.parametrize("code", ["HRK", "CLF"])
    def test_an_order_that_was_kept_in_it_stays_readable(self, code: str) -> None:
        body: dict[str, Any] = {**GOOD, "currency": code}
        assert Order.model_validate(body).currency == code

    def test_a_policy_in_it_is_not_published(self) -> None:
        text = "name: x\ncurrency: XTS\nexchange_rates: {XAU: 1900.0}\nstrategies:\n  - name: a\n"
        found = [(each.line, each.code, each.path) for each in check(text).findings]
        assert found == [(2, "unknown-currency", "currency"), (3, "unknown-currency", "exchange_rates.XAU")]
