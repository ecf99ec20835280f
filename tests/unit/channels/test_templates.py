"""Mappings as they are delivered: each is free of findings, and reads an order of its platform whole."""

import json
from typing import Any

import httpx
import pytest

from connectors.channels.port import ChannelConnector
from connectors.channels.registry import CONNECTORS
from dom.channels import intake
from dom.channels.channel_order import ChannelOrder
from dom.channels.connection import Connection, Platform
from dom.channels.mapping.applying import apply
from dom.channels.mapping.reading import check
from services.channel_connections import template
from simulator.platforms.amazon.stub import AmazonStub
from simulator.platforms.shopify.stub import ShopifyStub
from simulator.platforms.woocommerce.stub import WooCommerceStub
from tests.worlds.shops import reached

TEMPLATES = [platform for platform in Platform if template(platform) is not None]


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_template_has_no_findings(platform: Platform) -> None:
    checked = check(template(platform) or "")
    assert checked.findings == ()
    assert checked.publishable()


def connector(platform: Platform, stub: Any, secrets: dict[str, str], **settings: Any) -> ChannelConnector:
    connection = Connection(platform=platform, settings={"url": "https://shop.example", **settings})
    transport: httpx.AsyncBaseTransport = reached(stub.app)
    return CONNECTORS[platform](connection, secrets, transport=transport)


async def _shopify() -> tuple[ChannelConnector, str]:
    stub = ShopifyStub()
    order = stub.place({"A": 2, "B": 1}, number=1001)
    order.lines[0].current = 1
    return connector(Platform.SHOPIFY, stub, {"access_token": "shpat_stub"}), "gid://shopify/Order/1001"


async def _amazon() -> tuple[ChannelConnector, str]:
    stub = AmazonStub()
    order = stub.place({"A": 2, "B": 1}, number="202-0001001-0000001")
    stub.drop(order, 0, 1)
    secrets = {"client_secret": "s", "refresh_token": "r"}
    told = {"token_url": "https://shop.example/auth/o2/token", "client_id": "c", "marketplace": "M"}
    return connector(Platform.AMAZON, stub, secrets, **told), "202-0001001-0000001"


async def _woocommerce() -> tuple[ChannelConnector, str]:
    stub = WooCommerceStub()
    stub.take_off(stub.place({"A": 2, "B": 1}, number=1001), 0, 1)
    return connector(Platform.WOOCOMMERCE, stub, {"consumer_secret": "cs"}, consumer_key="ck"), "1001"


@pytest.mark.parametrize("platform", [_shopify, _amazon, _woocommerce], ids=lambda each: each.__name__)
async def test_an_order_is_read_as_it_stands(platform: Any) -> None:
    asked, reference = await platform()
    body = await asked.order(reference)
    assert body is not None
    mapping = check(template(asked.platform) or "").publishable()
    order, faults = intake.checked(apply(mapping, json.loads(body)), {})
    assert isinstance(order, ChannelOrder), faults
    assert [(line.sku, line.ordered, line.wanted) for line in order.lines] == [("A", 2, 1), ("B", 1, 1)]
    assert [line.unit_price for line in order.lines] == [250, 250]
    assert order.channel_id == asked.known(body).reference
    assert {line.line_id: line.wanted for line in order.lines} == {
        line_id: line.wanted for line_id, line in asked.known(body).lines.items()
    }
    assert await asked.order("gid://shopify/Order/9" if asked.platform is Platform.SHOPIFY else "9") is None
    await asked.close()


async def _state(platform: Any) -> bytes:
    asked, reference = await platform()
    body = await asked.order(reference)
    await asked.close()
    return bytes(body)


async def _vendure() -> bytes:
    """As Vendure's Admin API had one in tests/vendure."""
    return json.dumps(
        {
            "id": "1", "code": "319V58FFQT5XQDYU", "state": "PaymentSettled", "updatedAt": "2026-03-02T12:00:00.000Z",
            "orderPlacedAt": "2026-03-02T12:00:00.000Z", "currencyCode": "GBP", "totalWithTax": 895,
            "shippingWithTax": 395, "shippingLines": [{"shippingMethod": {"code": "standard"}}],
            "customer": {"id": "7", "firstName": "Ada", "lastName": "Young", "emailAddress": "ada@customer.example"},
            "shippingAddress": {
                "fullName": "Ada Young", "streetLine1": "12 Mill Lane", "city": "York", "postalCode": "YO1 7EP",
                "countryCode": "GB",
            },
            "lines": [
                {
                    "id": str(number), "quantity": 1, "orderPlacedQuantity": ordered, "unitPriceWithTax": 250,
                    "linePriceWithTax": 250, "proratedLinePriceWithTax": 250, "shipped": 0,
                    "productVariant": {"id": sku, "sku": sku, "name": sku},
                }
                for number, (sku, ordered) in enumerate({"A": 2, "B": 1}.items(), 1)
            ],
            "payments": [], "fulfillments": [], "history": {"items": []},
        }
    ).encode()  # fmt: skip


PLATFORMS = {
    Platform.SHOPIFY: lambda: _state(_shopify),
    Platform.AMAZON: lambda: _state(_amazon),
    Platform.WOOCOMMERCE: lambda: _state(_woocommerce),
    Platform.VENDURE: _vendure,
}
"""An order of each platform in its own words: one A of two that were ordered, and one B."""
