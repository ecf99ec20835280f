"""Returns."""

from typing import Final

from api.contract.example import Example

_ID: Final = "web-EXAMPLE-1-RK3QZ5A"
RETURN_REQUESTS: Final[dict[str, Example]] = {
    "two units of a line": {
        "order_id": "web-EXAMPLE-1",
        "lines": [{"line_id": "1", "quantity": 2}],
        "reason": "arrived broken",
    },
    "to a store": {
        "order_id": "web-EXAMPLE-1",
        "lines": [{"line_id": "1", "quantity": 2}],
        "node_id": "store-manchester",
    },
}
RETURN_OPENED: Final[Example] = {
    "return_id": _ID,
    "order_id": "web-EXAMPLE-1",
    "status": "requested",
    "node_id": "dc-daventry",
    "links": {"self": f"/v1/returns/{_ID}", "order": "/v1/orders/web-EXAMPLE-1"},
}
_SUMMARY: Final[Example] = {
    "id": _ID,
    "order_id": "web-EXAMPLE-1",
    "node_id": "dc-daventry",
    "fulfilment_id": None,
    "status": "refunded",
    "reason": "arrived broken",
    "requested_at": "2026-03-06T12:00:00Z",
    "received_at": "2026-03-09T09:30:00Z",
    "finished_at": "2026-03-09T10:05:00Z",
    "expires_at": None,
}
RETURN_LIST: Final[Example] = {"items": [_SUMMARY], "next_cursor": None}
RETURN: Final[Example] = {
    **_SUMMARY,
    "lines": [
        {
            "line_id": "1",
            "sku": "85123A",
            "quantity": 2,
            "received": 2,
            "released": 0,
            "dispositions": {"restock": 1, "scrap": 1},
        }
    ],
    "refund": {"amount": 510, "currency": "GBP", "recorded_at": "2026-03-09T10:05:00Z"},
}
RECEIVES: Final[dict[str, Example]] = {
    "everything arrived": {},
    "one of two": {"lines": [{"line_id": "1", "quantity": 1}]},
}
RETURN_RECEIVED: Final[Example] = {
    "return_id": _ID,
    "order_id": "web-EXAMPLE-1",
    "status": "received",
    "refund": 0,
    "currency": "",
}
INSPECTS: Final[dict[str, Example]] = {
    "one as new, one broken": {
        "lines": [
            {"line_id": "1", "quantity": 1, "disposition": "restock"},
            {"line_id": "1", "quantity": 1, "disposition": "scrap"},
        ]
    }
}
RETURN_REFUNDED: Final[Example] = {**RETURN_RECEIVED, "status": "refunded", "refund": 510, "currency": "GBP"}
RETURN_CANCELS: Final[dict[str, Example]] = {"kept": {"reason": "the customer keeps it"}}
RETURN_CANCELLED: Final[Example] = {**RETURN_RECEIVED, "status": "cancelled"}
RETURN_CLOSES: Final[dict[str, Example]] = {"one never came": {"reason": "only one of two was in the parcel"}}
