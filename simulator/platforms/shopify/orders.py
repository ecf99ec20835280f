"""Orders of the stub, and how its API shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

GID = "gid://shopify/"
Body = dict[str, Any]


@dataclass
class ShopLine:
    """A line of an order: what was ordered, what is current of it, and what was sent."""

    id: int
    sku: str
    quantity: int
    price: Decimal
    current: int
    fulfilled: int = 0
    given_back: int = 0
    """Units of those that were sent and then refunded: they are none of the current ones."""
    ships: bool = True

    @property
    def unfulfilled(self) -> int:
        """Units that are still to be sent."""
        return self.current + self.given_back - self.fulfilled


@dataclass
class ShopOrder:
    """An order of the shop."""

    id: int
    created: datetime
    updated: datetime
    lines: list[ShopLine]
    address: Body
    email: str
    first_name: str
    last_name: str
    cancelled: datetime | None = None
    test: bool = False
    paid: bool = True
    tags: list[str] = field(default_factory=list)
    note: str = ""
    method: str = "Standard"
    shipping: Decimal = Decimal("3.95")
    fulfilments: list[Body] = field(default_factory=list)
    refunds: list[Body] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"#{self.id}"


def _money(amount: Decimal, currency: str) -> Body:
    one = {"amount": f"{amount:.2f}", "currencyCode": currency}
    return {"shopMoney": one, "presentmentMoney": one}


def node(order: ShopOrder, currency: str) -> Body:
    """The order as a query of all that we ask for answers it."""
    goods = sum((line.price * line.current for line in order.lines), Decimal(0))
    return {
        "id": f"{GID}Order/{order.id}",
        "name": order.name,
        "createdAt": order.created.isoformat(),
        "updatedAt": order.updated.isoformat(),
        "cancelledAt": order.cancelled.isoformat() if order.cancelled else None,
        "test": order.test,
        "displayFinancialStatus": "PAID" if order.paid else "PENDING",
        "currencyCode": currency,
        "presentmentCurrencyCode": currency,
        "taxesIncluded": True,
        "email": order.email,
        "phone": None,
        "note": order.note or None,
        "tags": list(order.tags),
        "customAttributes": [],
        "customer": {"id": f"{GID}Customer/7", "firstName": order.first_name, "lastName": order.last_name},
        "shippingAddress": dict(order.address),
        "shippingLines": {
            "nodes": [
                {"title": order.method, "code": order.method, "discountedPriceSet": _money(order.shipping, currency)}
            ]
        },
        "lineItems": {"nodes": [_line(each, currency) for each in order.lines]},
        "totalPriceSet": _money(goods + order.shipping, currency),
        "totalDiscountsSet": _money(Decimal(0), currency),
        "totalTaxSet": _money(Decimal(0), currency),
        "transactions": [
            {
                "id": f"{GID}OrderTransaction/{order.id}",
                "gateway": "shopify_payments",
                "kind": "SALE",
                "status": "SUCCESS" if order.paid else "PENDING",
                "amountSet": _money(goods + order.shipping, currency),
            }
        ],
        "fulfillments": [_fulfilment(each) for each in order.fulfilments],
        "refunds": [
            {"id": each["id"], "note": each["note"], "refundLineItems": {"nodes": each["lines"]}}
            for each in order.refunds
        ],
        "fulfillmentOrders": {"nodes": [_fulfilment_order(order)]},
    }


def _line(line: ShopLine, currency: str) -> Body:
    return {
        "id": f"{GID}LineItem/{line.id}",
        "sku": line.sku,
        "name": line.sku,
        "quantity": line.quantity,
        "currentQuantity": line.current,
        "unfulfilledQuantity": line.unfulfilled,
        "refundableQuantity": line.current,
        "requiresShipping": line.ships,
        "isGiftCard": False,
        "originalUnitPriceSet": _money(line.price, currency),
        "totalDiscountSet": _money(Decimal(0), currency),
        "taxLines": [],
    }


def _fulfilment(each: Body) -> Body:
    units = [
        {"quantity": count, "lineItem": {"id": f"{GID}LineItem/{line_id}"}} for line_id, count in each["units"].items()
    ]
    shown = {name: each[name] for name in ("id", "status", "displayStatus", "trackingInfo")}
    return {**shown, "fulfillmentLineItems": {"nodes": units}}


def _fulfilment_order(order: ShopOrder) -> Body:
    items = [
        {
            "id": f"{GID}FulfillmentOrderLineItem/{line.id}",
            "remainingQuantity": line.unfulfilled,
            "lineItem": {"id": f"{GID}LineItem/{line.id}"},
        }
        for line in order.lines
    ]
    is_open = any(each["remainingQuantity"] for each in items) and order.cancelled is None
    status = "OPEN" if is_open else "CLOSED"
    return {"id": f"{GID}FulfillmentOrder/{order.id}", "status": status, "lineItems": {"nodes": items}}
