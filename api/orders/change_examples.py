"""Changes of orders."""

from typing import Any, Final

from api.contract.example import Example
from dom.orders.editing.rules import RULES as _RULES

CHANGES: Final = {
    "one more, and another address": {
        "revision": 0,
        "changes": [
            {"change": "set_quantity", "line_id": "1", "quantity": 3},
            {
                "change": "set_ship_to",
                "ship_to": {
                    "name": "Ada Byrne",
                    "lines": ["14 Mill Lane"],
                    "city": "Leeds",
                    "postal_code": "LS1 4AP",
                    "country": "GB",
                },
            },
        ],
        "reason": "asked by phone",
    },
    "another SKU": {
        "revision": 0,
        "changes": [{"change": "swap_sku", "line_id": "1", "new_line_id": "1a", "sku": "85123A"}],
    },
    "a substitute for two units": {
        "revision": 0,
        "changes": [
            {
                "change": "substitute",
                "line_id": "1",
                "units": 2,
                "new_line_id": "1-S1",
                "sku": "85123A",
                "quantity": 4,
                "unit_price": 127,
            }
        ],
    },
    "by express": {"revision": 0, "changes": [{"change": "set_shipping_method", "shipping_method": "express"}]},
}
_WINDOW: Final = {"earliest": "2026-03-04T09:00:00Z", "latest": "2026-03-05T18:00:00Z"}
CHANGED: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "preview": False,
    "revision": 1,
    "status": "accepted",
    "fulfilments": [
        {
            "id": "web-EXAMPLE-1-F2",
            "node_id": "dc-daventry",
            "status": "released",
            "method": "standard",
            "ship_by": "2026-03-03T17:00:00Z",
            "promise": _WINDOW,
            "lines": {"1": 3},
        }
    ],
    "waiting": {},
    "promise_before": _WINDOW,
    "promise": _WINDOW,
    "goods": {"before": 510, "after": 765, "difference": 255, "currency": "GBP"},
}
OF_ORDER: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "revision": 0,
    "possible": [
        {"change": "set_quantity", "line_id": "1", "possible": True, "why": None, "instead": None},
        {
            "change": "set_shipping_method",
            "line_id": None,
            "possible": False,
            "why": "web-EXAMPLE-1-F1 is picked",
            "instead": "cancel what is begun and order it anew",
        },
    ],
    "revisions": [],
}
_ITEMS: Final[list[dict[str, Any]]] = [
    {"change": kind.value, "level": rule.level.value, "until": {r.value: s.value for r, s in rule.until.items()},
     "instead": rule.instead}
    for kind, rule in _RULES.items()
]  # fmt: skip
RULES: Final[Example] = {"items": _ITEMS}
