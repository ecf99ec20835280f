"""Soft reservations."""

from typing import Final

from api.contract.example import Example
from api.orders.examples import PROMISE

_LINE: Final[Example] = {"sku": "85123A", "quantity": 2}

RESERVATION_REQUESTS: Final[dict[str, Example]] = {
    "a cart, to a home": {
        "channel": "web",
        "owner": "cart-8812",
        "reason": "cart",
        "seconds": 900,
        "ship_to": {"country": "GB", "postal_code": "LS1 4AP"},
        "shipping_method": "standard",
        "lines": [_LINE, {"sku": "71053", "quantity": 1}],
    },
    "to be collected at a store": {
        "channel": "web",
        "owner": "cart-8813",
        "pickup_node": "store-manchester",
        "lines": [_LINE],
    },
    "a till holds goods on its own shelf": {
        "channel": "store",
        "owner": "till-3",
        "reason": "customer at the till",
        "seconds": 300,
        "lines": [{**_LINE, "node_id": "store-manchester"}],
    },
}
RESERVATION: Final[Example] = {
    "reservation_id": "web-SJ5XK3QWZ7R2M4YTA",
    "channel": "web",
    "owner": "cart-8812",
    "reason": "cart",
    "status": "active",
    "expires_at": "2026-03-02T09:41:00Z",
    "created_at": "2026-03-02T09:26:00Z",
    "units": [
        {"node_id": "dc-daventry", "sku": "71053", "quantity": 1},
        {"node_id": "dc-daventry", "sku": "85123A", "quantity": 2},
    ],
    "promise": PROMISE,
    "unfilled": [],
    "links": {"self": "/v1/reservations/web-SJ5XK3QWZ7R2M4YTA", "order": None},
}
RESERVATION_RELEASED: Final[Example] = {**RESERVATION, "status": "released"}
RESERVATION_EXTENSIONS: Final[dict[str, Example]] = {"while the customer pays": {"seconds": 600}}
