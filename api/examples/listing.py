"""Lists of nodes, SKUs, carriers, shipments, messages and exceptions."""

from typing import Final

from api.examples.network import NODE, SKU
from api.examples.orders import Example

NODE_LIST: Final[Example] = {"items": [NODE], "next_cursor": None}
SKU_LIST: Final[Example] = {"items": [SKU], "next_cursor": "WyI4NTEyM0EiXQ"}
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
        }
    ],
    "next_cursor": None,
}
MESSAGE_LIST: Final[Example] = {
    "items": [
        {
            "id": 4711,
            "order_id": "web-EXAMPLE-1",
            "occasion": "shipped:web-EXAMPLE-1-F1",
            "kind": "shipped",
            "medium": "mail",
            "status": "sent",
            "created_at": "2026-03-02T16:02:00Z",
            "sent_at": "2026-03-02T16:02:01Z",
        }
    ],
    "next_cursor": None,
}
EXCEPTION_LIST: Final[Example] = {
    "items": [
        {
            "id": 17,
            "order_id": "web-EXAMPLE-1",
            "kind": "parcel_lost",
            "detail": "northline lost web-EXAMPLE-1-F1-B1; its units are sourced again",
            "status": "open",
            "owner": None,
            "opened_at": "2026-03-05T09:00:00Z",
            "closed_at": None,
        }
    ],
    "next_cursor": None,
}
