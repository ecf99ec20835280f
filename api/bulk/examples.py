"""Requests, runs and items of bulk runs."""

from typing import Final

from api.contract.example import Example

REQUESTS: Final[dict[str, Example]] = {
    "cancel a recalled SKU": {
        "action": {"kind": "cancel", "sku": "EXAMPLE-1"},
        "selection": {"orders": ["web-EXAMPLE-1", "web-EXAMPLE-2"]},
        "reason": "recalled by the maker",
    },
    "source anew what a closed node has": {
        "action": {"kind": "source_again", "node_id": "example-node"},
        "selection": {"orders": ["web-EXAMPLE-1"]},
        "reason": "the node is flooded",
    },
    "hold orders": {
        "action": {"kind": "hold", "type": "manual"},
        "selection": {"orders": ["web-EXAMPLE-1"]},
        "reason": "the carrier is on strike",
    },
    "release them": {
        "action": {"kind": "release", "type": "manual"},
        "selection": {"orders": ["web-EXAMPLE-1"]},
        "reason": "the strike is over",
    },
}
PREVIEW: Final[Example] = {"orders": 2, "first": ["web-EXAMPLE-1", "web-EXAMPLE-2"], "not_found": []}
_ID: Final = "bulk-0f6b1c2d3e4f5a6b7c8d"
RUN: Final[Example] = {
    "id": _ID,
    "status": "queued",
    "action": {"kind": "cancel", "sku": "EXAMPLE-1"},
    "selection": {"filter": {"sku": "EXAMPLE-1"}},
    "reason": "recalled by the maker",
    "orders": 20,
    "outcomes": {},
    "open": 20,
    "orders_per_second": None,
    "requested_by": "kim@shop.example",
    "stopped_by": None,
    "created_at": "2026-03-02T10:15:00Z",
    "started_at": None,
    "finished_at": None,
    "links": {"self": f"/v1/bulk/{_ID}", "items": f"/v1/bulk/{_ID}/items"},
}
DONE: Final[Example] = {
    **RUN,
    "status": "done",
    "outcomes": {"done": 18, "refused": 2},
    "open": 0,
    "orders_per_second": 41.2,
    "started_at": "2026-03-02T10:15:00Z",
    "finished_at": "2026-03-02T10:15:01Z",
}
STOPPED: Final[Example] = {
    **RUN,
    "status": "stopped",
    "outcomes": {"done": 8},
    "open": 12,
    "stopped_by": "kim@shop.example",
    "started_at": "2026-03-02T10:15:00Z",
}
LIST: Final[Example] = {"items": [DONE], "next_cursor": None}
ITEMS: Final[Example] = {
    "items": [
        {
            "position": 1,
            "order_id": "web-EXAMPLE-1",
            "outcome": "done",
            "detail": "2 units cancelled",
            "problem": None,
            "data": {"cancelled": {"1": 2}, "not_cancelled": {}},
            "done_at": "2026-03-02T10:15:00Z",
        },
        {
            "position": 2,
            "order_id": "web-EXAMPLE-2",
            "outcome": "refused",
            "detail": "all of it was handed over or cancelled already",
            "problem": "cannot-cancel",
            "data": {},
            "done_at": "2026-03-02T10:15:01Z",
        },
    ],
    "next_cursor": None,
}
