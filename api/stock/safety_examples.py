"""Safety stocks."""

from typing import Final

from api.contract.example import Example

SAFETY_STOCKS: Final[dict[str, Example]] = {
    "a season begins": {
        "safety_stocks": [
            {
                "node_id": "example-node",
                "sku": "EXAMPLE-1",
                "safety_stock": 5,
                "promise_safety": 12,
                "reason": "December",
                "idempotency_key": "plan-2026-49",
            },
            {
                "node_id": "example-node",
                "sku": "EXAMPLE-1",
                "promise_safety": 2,
                "reason": "counted badly",
                "idempotency_key": "plan-2026-49",
            },
        ],
    }
}


SAFETY_STOCK_RESULTS: Final[Example] = {
    "results": [
        {"index": 0, "status": "applied", "on_hand": 144, "safety_stock": 5, "promise_safety": 12},
        {
            "index": 1,
            "status": "refused",
            "problem": {
                "type": "/problems/unknown-node",
                "title": "A node is not known",
                "status": 422,
                "detail": "there is no node store-manchester",
                "field": "safety_stocks[1].node_id",
                "data": {"node_id": "store-manchester"},
            },
        },
    ]
}
