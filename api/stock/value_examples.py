"""What stock is worth."""

from typing import Final

from api.contract.example import Example

STOCK_VALUES: Final[Example] = {
    "sku": "85123A",
    "currency": "GBP",
    "nodes": [
        {
            "node_id": "dc-daventry",
            "opportunity": 38,
            "priced_opportunity": 40,
            "priced_currency": "GBP",
            "priced_at": "2026-03-02T10:10:00Z",
            "fades_at": "2026-03-02T16:10:00Z",
            "daily_demand": 4.25,
            "mark_down": 0,
            "marked_by": "",
            "marked_at": None,
        },
        {
            "node_id": "store-london",
            "opportunity": 0,
            "priced_opportunity": 0,
            "priced_currency": "GBP",
            "priced_at": "2026-03-02T10:10:00Z",
            "fades_at": "2026-03-02T16:10:00Z",
            "daily_demand": 0.1,
            "mark_down": 150,
            "marked_by": "M. Reed",
            "marked_at": "2026-03-01T08:00:00Z",
        },
    ],
}
MARK_DOWNS: Final[dict[str, Example]] = {
    "a season that ends": {
        "mark_downs": [
            {"node_id": "example-node", "sku": "EXAMPLE-1", "per_unit": 150},
            {"node_id": "st-nowhere", "sku": "EXAMPLE-1", "per_unit": 150},
        ],
    }
}
MARK_DOWN_RESULTS: Final[Example] = {
    "results": [
        {"index": 0, "status": "applied"},
        {
            "index": 1,
            "status": "refused",
            "problem": {
                "type": "/problems/unknown-node",
                "title": "Unknown node",
                "status": 422,
                "detail": "there is no node st-nowhere",
                "field": "mark_downs[1].node_id",
                "data": {"node_id": "st-nowhere"},
            },
        },
    ]
}
