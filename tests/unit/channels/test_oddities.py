"""What goes wrong with every platform, as each of them writes it: edits, two moneys, odd lines, odd addresses."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dom.channels import intake
from dom.channels.channel_order import ChannelOrder
from dom.channels.connection import Platform
from dom.channels.mapping.applying import Mapped, apply
from dom.channels.mapping.reading import check
from dom.channels.outcomes import MessageOutcome
from services.channel_connections import template
from tests.unit.channels.test_templates import PLATFORMS

Message = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """Where a platform says it: its lines, and what stands in an order or a line of it."""

    lines: Callable[[Message], list[Message]]
    removed: Callable[[Message], None]
    sku: Callable[[Message, str], None]
    unsent: Callable[[Message], None]
    address: Callable[[Message], Message]
    country: str
    zip: str


def _shopify_removed(line: Message) -> None:
    line.update(wantedQuantity=0, shippedQuantity=0)


def _amazon_removed(line: Message) -> None:
    line["fulfillment"]["quantityUnfulfilled"] = 0


def _amazon_sku(line: Message, sku: str) -> None:
    line["product"]["sellerSku"] = sku


def _vendure_sku(line: Message, sku: str) -> None:
    line["productVariant"]["sku"] = sku


WORDS = {
    Platform.SHOPIFY: Words(
        lambda order: order["lineItems"]["nodes"], _shopify_removed, lambda line, sku: line.update(sku=sku),
        lambda order: order.update(displayFinancialStatus="PENDING"), lambda order: order["shippingAddress"],
        "countryCodeV2", "zip",
    ),
    Platform.AMAZON: Words(
        lambda order: order["orderItems"], _amazon_removed, _amazon_sku,
        lambda order: order["fulfillment"].update(fulfillmentStatus="PENDING"),
        lambda order: order["recipient"]["deliveryAddress"], "countryCode", "postalCode",
    ),
    Platform.WOOCOMMERCE: Words(
        lambda order: order["line_items"], lambda line: line.update(current_quantity=0),
        lambda line, sku: line.update(sku=sku), lambda order: order.update(status="on-hold"),
        lambda order: order["shipping"], "country", "postcode",
    ),
    Platform.VENDURE: Words(
        lambda order: order["lines"], lambda line: line.update(quantity=0), _vendure_sku,
        lambda order: order.update(state="ArrangingPayment"), lambda order: order["shippingAddress"],
        "countryCode", "postalCode",
    ),
}  # fmt: skip


async def state(platform: Platform) -> Message:
    """An order of the platform: one A of two that were ordered, and one B."""
    body: Message = json.loads(await PLATFORMS[platform]())
    return body


def read(platform: Platform, message: Message) -> Mapped:
    return apply(check(template(platform) or "").publishable(), message)


def order(platform: Platform, message: Message) -> ChannelOrder:
    found, faults = intake.checked(read(platform, message), {})
    assert found is not None, faults
    return found


each_platform = pytest.mark.parametrize("platform", WORDS)


@each_platform
async def test_a_line_that_was_taken_off_is_kept_and_not_sent(platform: Platform) -> None:
    message = await state(platform)
    WORDS[platform].removed(WORDS[platform].lines(message)[1])
    found = order(platform, message)
    assert [(line.sku, line.ordered, line.wanted) for line in found.lines] == [("A", 2, 1), ("B", 1, 0)]
    assert [line.quantity for line in intake.request("web", found).lines] == [1]


@each_platform
async def test_one_sku_on_two_lines_is_two_lines(platform: Platform) -> None:
    message = await state(platform)
    WORDS[platform].sku(WORDS[platform].lines(message)[1], "A")
    found = order(platform, message)
    assert [line.sku for line in found.lines] == ["A", "A"]
    assert len({line.line_id for line in found.lines}) == 2


@each_platform
async def test_what_is_not_paid_is_no_order_yet_whatever_it_lacks(platform: Platform) -> None:
    message = await state(platform)
    WORDS[platform].unsent(message)
    WORDS[platform].address(message).clear()
    none_yet = intake.is_none_yet(read(platform, message))
    assert none_yet is not None
    assert none_yet.outcome is MessageOutcome.IGNORED


@each_platform
async def test_an_address_without_a_country_is_a_fault_of_that_field(platform: Platform) -> None:
    message = await state(platform)
    WORDS[platform].address(message).pop(WORDS[platform].country)
    found, faults = intake.checked(read(platform, message), {})
    assert found is None
    assert [fault.field for fault in faults] == ["ship_to.country"]


@each_platform
async def test_an_address_without_a_postal_code_is_read(platform: Platform) -> None:
    message = await state(platform)
    WORDS[platform].address(message).update({WORDS[platform].country: "HK", WORDS[platform].zip: ""})
    assert (order(platform, message).ship_to.country, order(platform, message).ship_to.postal_code) == ("HK", "")


@each_platform
@pytest.mark.parametrize(
    "nonsense", ["NULL", "\U0001f381 Ada", "\u202eadA", "x" * 200], ids=["null", "emoji", "bidi", "long"]
)
async def test_whatever_stands_in_a_name_is_read_or_named(platform: Platform, nonsense: str) -> None:
    message = await state(platform)
    for name, value in list(WORDS[platform].address(message).items()):
        if isinstance(value, str) and value and name not in {WORDS[platform].country, WORDS[platform].zip}:
            WORDS[platform].address(message)[name] = nonsense
    found, faults = intake.checked(read(platform, message), {})
    assert found is not None or all(fault.field.startswith("ship_to") for fault in faults)


async def test_two_moneys_are_kept_and_what_rounding_leaves_is_told() -> None:
    message = await state(Platform.SHOPIFY)
    message["presentmentCurrencyCode"] = "EUR"
    message["totalPriceSet"]["presentmentMoney"] = {"amount": "12.34", "currencyCode": "EUR"}
    message["totalPriceSet"]["shopMoney"]["amount"] = "8.96"  # goods 2.50 and 2.50, sending 3.95
    found = order(Platform.SHOPIFY, message)
    assert (found.currency, found.total) == ("GBP", 896)
    assert (found.presentment_currency, found.presentment_total) == ("EUR", 1234)
    assert found.residue == 1


async def test_what_is_not_sent_a_test_and_a_gift_card_become_nothing_to_send() -> None:
    message = await state(Platform.SHOPIFY)
    for line in message["lineItems"]["nodes"]:
        line["requiresShipping"] = False
    assert intake.unsent_lines(order(Platform.SHOPIFY, message)) == ()
    message["test"] = True
    assert intake.is_none_yet(read(Platform.SHOPIFY, message)) is not None


async def test_prices_without_tax_say_so() -> None:
    message = await state(Platform.WOOCOMMERCE)
    message["prices_include_tax"] = False
    message["line_items"][0]["total_tax"] = "0.50"
    found = order(Platform.WOOCOMMERCE, message)
    assert (found.tax_included, found.lines[0].tax) == (False, 50)


async def test_numbers_that_nobody_rounded_are_rounded_and_the_rest_is_kept() -> None:
    message = await state(Platform.WOOCOMMERCE)
    message["line_items"][0]["price"] = 2.4958333333
    found = order(Platform.WOOCOMMERCE, message)
    assert (found.lines[0].unit_price, found.rounded["lines[0].unit_price"]) == (250, "-0.41666667")
