"""Inbound goods."""

from typing import Final

from api.contract.example import Example

_AT: Final = "2026-03-06T08:40:00Z"
INBOUND_ANNOUNCEMENTS: Final[dict[str, Example]] = {
    "a purchase order": {
        "kind": "purchase_order",
        "node_id": "example-node",
        "due_on": "2036-03-09",
        "confidence": 80,
        "lines": [{"sku": "EXAMPLE-1", "quantity": 240}],
    },
    "a transfer between nodes": {
        "kind": "transfer",
        "origin_node": "example-node",
        "node_id": "store-manchester",
        "due_on": "2036-03-06",
        "lines": [{"sku": "EXAMPLE-1", "quantity": 24}],
    },
}
INBOUND_SHIPS: Final[dict[str, Example]] = {
    "now": {},
    "earlier": {"occurred_at": "2026-03-05T16:10:00Z"},
}
INBOUND_RECEIPTS: Final[dict[str, Example]] = {
    "a part of it": {
        "idempotency_key": "pallet-1",
        "lines": [{"sku": "EXAMPLE-1", "quantity": 20, "damaged": 1, "quarantine": 1}],
    },
    "the rest will not come": {"idempotency_key": "end", "closed": True},
    "it came back": {
        "idempotency_key": "back-1",
        "node_id": "example-node",
        "lines": [{"sku": "EXAMPLE-1", "quantity": 24}],
    },
}
INBOUND_CANCELS: Final[dict[str, Example]] = {"called off": {}}
_HEAD: Final[Example] = {
    "reference": "T-1180",
    "kind": "transfer",
    "status": "received",
    "origin_node": "dc-daventry",
    "node_id": "store-manchester",
    "due_on": "2026-03-06",
    "confidence": 100,
    "actor": "dock 2",
    "created_at": "2026-03-04T10:00:00Z",
    "updated_at": _AT,
}
INBOUND: Final[Example] = {
    **_HEAD,
    "lines": [{"sku": "85123A", "quantity": 24, "received": 22, "expected": 0, "missing": 2, "surplus": 0}],
    "receipts": [
        {
            "idempotency_key": "pallet-1",
            "node_id": "store-manchester",
            "lines": [{"sku": "85123A", "quantity": 20, "damaged": 1, "quarantine": 1}],
            "closed": True,
            "actor": "dock 2",
            "occurred_at": _AT,
        }
    ],
}
INBOUND_RECEIVED: Final[Example] = {**INBOUND, "repeated": False}
INBOUND_ANNOUNCED: Final[Example] = {
    **_HEAD,
    "status": "announced",
    "actor": "R. Osei",
    "updated_at": "2026-03-04T10:00:00Z",
    "lines": [{"sku": "85123A", "quantity": 24, "received": 0, "expected": 24, "missing": 0, "surplus": 0}],
    "receipts": [],
}
INBOUND_SHIPPED: Final[Example] = {**INBOUND_ANNOUNCED, "status": "in_transit", "actor": "dock 4"}
INBOUND_CANCELLED: Final[Example] = {
    **INBOUND_ANNOUNCED,
    "status": "cancelled",
    "lines": [{"sku": "85123A", "quantity": 24, "received": 0, "expected": 0, "missing": 0, "surplus": 0}],
}
INBOUND_LIST: Final[Example] = {"items": [{**_HEAD, "quantity": 24, "received": 22}], "next_cursor": None}
