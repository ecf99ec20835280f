"""What an expression of a hold rule can name of an order.

`order` is a map, as in `dom.documents.expressions`, with more of who bought and how:

| field | what it is |
|---|---|
| channel, country, region, city, postal_code, shipping_method, currency | texts; empty where not known |
| customer_id, customer_class, email, phone, payment_method | texts; empty where not known |
| value, paid | of the goods, and what the channel says was paid, in minor units of `order.currency` |
| units | of all goods |
| tags, holds | lists of texts; the types of the holds that stand |
| placed_at, requested_by | timestamps |
| ship_complete | whether nothing is to be sent before everything can be |
| lines | list of maps: line_id, sku, quantity, unit_price |
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from dom.documents.expressions import Vocabulary
from dom.orders.order import Order

_AN_ORDER: Final[dict[str, Any]] = {
    "channel": "web",
    "country": "GB",
    "region": "",
    "city": "Leeds",
    "postal_code": "LS1 4AP",
    "shipping_method": "standard",
    "currency": "GBP",
    "customer_id": "C1",
    "customer_class": "",
    "email": "ada@customer.example",
    "phone": "",
    "payment_method": "card",
    "value": 1,
    "paid": 1,
    "units": 1,
    "tags": ["tag"],
    "holds": ["manual"],
    "placed_at": datetime(2026, 3, 2, 12, tzinfo=UTC),
    "requested_by": datetime(2026, 3, 4, 12, tzinfo=UTC),
    "ship_complete": False,
    "lines": [{"line_id": "1", "sku": "A", "quantity": 1, "unit_price": 1}],
}
SCREENING: Final = Vocabulary(_AN_ORDER)
"""What the expressions of hold rules can name."""


def facts(order: Order, holds: Iterable[str] = ()) -> dict[str, Any]:
    """The `order` of an expression; `holds` are the types that stand."""
    return {
        "channel": order.channel,
        "country": order.ship_to.country,
        "region": order.ship_to.region,
        "city": order.ship_to.city,
        "postal_code": order.ship_to.postal_code,
        "shipping_method": order.shipping_method.value,
        "currency": order.currency,
        "customer_id": order.customer.id,
        "customer_class": order.customer.customer_class,
        "email": order.customer.email,
        "phone": order.customer.phone,
        "payment_method": order.payment.method.value if order.payment else "",
        "value": order.total,
        "paid": order.payment.amount if order.payment else 0,
        "units": sum(line.quantity for line in order.lines),
        "tags": list(order.tags),
        "holds": sorted(holds),
        "placed_at": order.placed_at,
        "requested_by": order.requested_by,
        "ship_complete": order.ship_complete,
        "lines": [
            {"line_id": line.line_id, "sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
            for line in order.lines
        ],
    }
