"""Scans and changes of stock."""

from typing import Final

from api.examples.orders import Example

CARRIER_EVENTS: Final[dict[str, Example]] = {
    "a parcel delivered": {
        "events": [
            {
                "event_id": "nl-000981-7",
                "tracking_number": "NL123456785GB",
                "kind": "delivered",
                "occurred_at": "2026-03-04T11:02:00Z",
                "place": "Leeds",
            }
        ]
    }
}
CARRIER_RESULTS: Final[Example] = {
    "results": [
        {"index": 0, "event_id": "nl-000981-7", "status": "recorded"},
        {
            "index": 1,
            "event_id": "nl-000981-8",
            "status": "refused",
            "problem": {
                "type": "/problems/not-found",
                "title": "Not found",
                "status": 404,
                "detail": "northline has no shipment NL000000005GB of ours",
                "field": "events[1].tracking_number",
            },
        },
    ]
}
ADJUSTMENTS: Final[dict[str, Example]] = {
    "a receipt and a breakage": {
        "actor": "J. Marsh",
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
