"""Counts and changes of stock."""

from typing import Final

from api.contract.example import Example

ADJUSTMENTS: Final[dict[str, Example]] = {
    "a receipt and a breakage": {
        "adjustments": [
            {
                "node_id": "example-node",
                "sku": "EXAMPLE-1",
                "quantity": 120,
                "reason": "receipt PO-4471",
                "idempotency_key": "PO-4471-1",
            },
            {
                "node_id": "example-node",
                "sku": "EXAMPLE-1",
                "quantity": -2,
                "reason": "damaged",
                "idempotency_key": "dmg-2026-03-02-17",
                "occurred_at": "2026-03-02T10:15:00Z",
            },
            {
                "node_id": "example-node",
                "sku": "EXAMPLE-1",
                "quantity": 3,
                "reason": "box wet, to be looked at",
                "reason_code": "damage",
                "condition": "sellable",
                "to": "quarantine",
                "idempotency_key": "wet-2026-03-02-18",
            },
        ],
    }
}
ADJUSTMENT_RESULTS: Final[Example] = {
    "results": [
        {
            "index": 0,
            "status": "applied",
            "on_hand": 144,
            "reserved": 30,
            "available": 114,
            "damaged": 0,
            "quarantine": 3,
        },
        {
            "index": 1,
            "status": "refused",
            "problem": {
                "type": "/problems/stock-conflict",
                "title": "The stock does not allow it",
                "status": 409,
                "detail": "200 cannot go: 144 on hand, 30 of them reserved",
                "field": "adjustments[1].quantity",
                "data": {"on_hand": 144, "reserved": 30},
            },
        },
    ]
}


COUNTS: Final[dict[str, Example]] = {
    "a cycle count": {
        "source": "wms-daventry",
        "counts": [
            {
                "node_id": "example-node",
                "sku": "EXAMPLE-1",
                "quantity": 141,
                "as_of": "2026-03-02T10:15:00Z",
                "sequence": 4711,
                "reason_code": "cycle_count",
            }
        ],
    }
}


COUNT_RESULTS: Final[Example] = {
    "results": [
        {"index": 0, "status": "applied", "on_hand": 139, "reserved": 30, "available": 109, "shortfall": 0},
        {"index": 1, "status": "short", "on_hand": 12, "reserved": 12, "available": 0, "shortfall": 2},
        {
            "index": 2,
            "status": "refused",
            "problem": {
                "type": "/problems/unknown-sku",
                "title": "A SKU is not known",
                "status": 422,
                "detail": "there is no SKU 85123Z",
                "field": "counts[2].sku",
            },
        },
    ]
}
