"""Carriers' events, carriers and shipments."""

from typing import Final

from api.contract.example import Example

CARRIER_LIST: Final[Example] = {
    "items": [
        {
            "carrier": "northline",
            "name": "Northline",
            "currency": "GBP",
            "services": [
                {"method": "express", "max_parcel_grams": 30000, "origins": ["GB"], "destinations": ["GB", "IE"]}
            ],
            "updated_at": "2026-03-01T06:00:00Z",
        }
    ],
    "next_cursor": None,
}
SHIPMENT_LIST: Final[Example] = {
    "items": [
        {
            "id": "web-EXAMPLE-1-F1-B1",
            "carrier": "northline",
            "method": "standard",
            "tracking_number": "NL123456785GB",
            "status": "in_transit",
            "parcels": 1,
            "weight_grams": 1980,
            "price": 355,
            "currency": "GBP",
            "booked_at": "2026-03-02T14:10:00Z",
            "ended_at": None,
            "fulfilments": ["web-EXAMPLE-1-F1"],
            "orders": ["web-EXAMPLE-1"],
            "intercept": None,
        }
    ],
    "next_cursor": None,
}


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
