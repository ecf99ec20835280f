"""What can be promised."""

from typing import Final

from api.contract.example import Example

_SOON = {"earliest": "2026-03-04T08:00:00Z", "latest": "2026-03-05T20:00:00Z"}

AVAILABILITY: Final[Example] = {
    "items": [
        {
            "sku": "85123A",
            "available": 114,
            "nodes": [
                {
                    "node_id": "dc-daventry",
                    "on_hand": 150,
                    "reserved": 30,
                    "safety_stock": 2,
                    "available": 114,
                    "reserved_soft": 4,
                    "damaged": 1,
                    "quarantine": 0,
                    "promise_safety": 0,
                },
            ],
            "level": "in_stock",
            "later": [{"date": "2026-03-09", "quantity": 214}],
            "on_day": 214,
            "earliest": {"standard": _SOON},
            "release_on": None,
            "waiting": 0,
            "wait_limit": 500,
            "may_wait": 500,
        }
    ]
}
AVAILABILITY_QUERIES: Final[dict[str, Example]] = {
    "two SKUs for one customer": {
        "skus": ["85123A", "22423"],
        "channel": "web",
        "ship_to": {"country": "GB", "postal_code": "LS1 4AP"},
        "day": "2036-03-09",
    },
    "a catalogue page": {"skus": ["85123A", "22423", "47566"], "channel": "marketplace", "detail": "sku"},
}
PROMISE_REQUESTS: Final[dict[str, Example]] = {
    "a basket": {
        "channel": "web",
        "ship_to": {"country": "GB", "postal_code": "LS1 4AP"},
        "lines": [{"sku": "85123A", "quantity": 6}, {"sku": "22423", "quantity": 1}],
    },
    "to collect": {
        "channel": "web",
        "pickup_node": "store-manchester",
        "lines": [{"line_id": "1", "sku": "85123A", "quantity": 1}],
    },
}
PROMISES: Final[Example] = {
    "items": [
        {
            "method": "standard",
            "complete": False,
            "promise": _SOON,
            "shipments": [
                {
                    "node_id": "dc-daventry",
                    "carrier": "northline",
                    "lines": [{"line_id": "1", "sku": "85123A", "quantity": 6}],
                    "ship_by": "2026-03-02T16:00:00Z",
                    "promise": _SOON,
                }
            ],
            "unfilled": [{"line_id": "2", "sku": "22423", "quantity": 1, "available_on": "2026-03-09"}],
            "exact": True,
            "policy_version": 3,
        }
    ]
}
