"""Re-allocation of stock."""

from typing import Any, Final

from api.contract.example import Example

REALLOCATION_REQUESTS: Final[dict[str, Any]] = {
    "a preview of everything": {},
    "of one SKU, made": {"skus": ["85123A"], "preview": False},
}
_GIVES: Final[list[dict[str, Any]]] = [
    {
        "order_id": "web-EXAMPLE-2",
        "customer_class": "",
        "fulfilment_id": "web-EXAMPLE-2-F1",
        "units": 2,
        "new_node": "dc-leeds",
        "due_on": "2026-03-03",
        "promised": "2026-03-08T20:00:00Z",
        "after": "2026-03-06T20:00:00Z",
        "extra": 0,
    }
]
_MADE: Final[list[dict[str, Any]]] = [
    {
        "order_id": "web-EXAMPLE-1",
        "customer_class": "vip",
        "sku": "85123A",
        "units": 2,
        "node_id": "dc-leeds",
        "promised": "2026-03-05T12:00:00Z",
        "before": "2026-03-09T20:00:00Z",
        "after": "2026-03-04T20:00:00Z",
        "days_late_before": 5,
        "days_late_after": 0,
        "lateness_avoided": 10000,
        "extra": 0,
        "gain": 10000,
        "currency": "GBP",
        "gives": _GIVES,
    }
]
_NOT_HELPED: Final[list[dict[str, Any]]] = [
    {
        "order_id": "web-EXAMPLE-3",
        "customer_class": "trade",
        "sku": "85123A",
        "units": 6,
        "promised": "2026-03-06T12:00:00Z",
        "why": "not_enough",
        "says": "no such order has enough of it, nor have two together at one node",
    }
]
REALLOCATIONS: Final[Example] = {"preview": False, "waiting": 3, "made": _MADE, "again": [], "not_helped": _NOT_HELPED}
