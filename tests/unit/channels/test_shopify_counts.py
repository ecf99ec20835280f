"""Units of a Shopify order: those that are to be sent or were, whatever was refunded since."""

import json
from typing import Any

import pytest

from connectors.channels.graphql import data_of
from connectors.notifications.port import TemporaryFailureError
from dom.channels.connection import Platform
from dom.shared.errors import OutsideFailure
from simulator.platforms.shopify.stub import ShopifyStub
from tests.unit.channels.test_templates import connector


async def lines(stub: ShopifyStub) -> list[tuple[int, int]]:
    shop = connector(Platform.SHOPIFY, stub, {"access_token": "shpat_stub"})
    body = await shop.order("gid://shopify/Order/1001")
    await shop.close()
    found = json.loads(body or b"")["lineItems"]["nodes"]
    return [(line["wantedQuantity"], line["shippedQuantity"]) for line in found]


def refund(stub: ShopifyStub, units: int, kind: str) -> None:
    line = f"gid://shopify/LineItem/{stub.orders[1001].lines[0].id}"
    item = {"lineItemId": line, "quantity": units, "restockType": kind}
    asked = {"orderId": "gid://shopify/Order/1001", "note": kind, "refundLineItems": [item], "transactions": []}
    stub._Refund({"input": asked, "key": kind})


async def test_a_unit_that_came_back_is_still_one_that_was_sent() -> None:
    stub = ShopifyStub()
    order = stub.place({"A": 3}, number=1001)
    order.lines[0].fulfilled = 1
    refund(stub, 1, "RETURN")
    assert order.lines[0].current == 2  # as Shopify has it
    assert await lines(stub) == [(3, 1)]


async def test_a_unit_that_was_cancelled_is_gone() -> None:
    stub = ShopifyStub()
    stub.place({"A": 3}, number=1001)
    refund(stub, 1, "CANCEL")
    assert await lines(stub) == [(2, 0)]


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "ACCESS_DENIED", "SHOP_INACTIVE", ""])
def test_what_cannot_be_answered_now_is_asked_again(code: str) -> None:
    with pytest.raises(TemporaryFailureError):
        data_of({"errors": [{"message": "no", "extensions": {"code": code}}]})


def test_a_query_that_is_wrong_is_not() -> None:
    answer: dict[str, Any] = {"errors": [{"message": "no", "extensions": {"code": "BAD_USER_INPUT"}}]}
    with pytest.raises(OutsideFailure):
        data_of(answer)
