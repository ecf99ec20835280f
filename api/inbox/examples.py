"""Messages of a channel, and its mapping."""

from typing import Any, Final

from api.contract.example import Example

MAPPING: Final[Example] = {
    "name": "our shop",
    "numbers": "point",
    "order": {
        "number": "name",
        "version": "updated_at",
        "placed_at": "created_at",
        "currency": "currency",
        "customer.name": "customer.name",
        "customer.email": "customer.email",
        "ship_to.name": "address.name",
        "ship_to.lines": "address.street",
        "ship_to.city": "address.city",
        "ship_to.postal_code": "address.zip",
        "ship_to.country": "address.country",
    },
    "lines": {"each": "items", "fields": {"sku": "sku", "ordered": "quantity", "unit_price": "price"}},
}
ORDER_MESSAGE: Final[dict[str, Any]] = {
    "name": "EXAMPLE-SHOP-1",
    "created_at": "2026-03-02T09:30:00+00:00",
    "updated_at": "2026-03-02T09:30:00+00:00",
    "currency": "GBP",
    "customer": {"name": "Ada Lovelace", "email": "ada@customer.example"},
    "address": {"name": "Ada Lovelace", "street": "12 Mill Lane", "city": "Leeds", "zip": "LS1 4AP", "country": "GB"},
    "items": [{"sku": "85123A", "quantity": 2, "price": "2.55"}],
}
RECEIVED: Final[Example] = {"id": 1, "repeated": False}
MESSAGE: Final[Example] = {
    "id": 1,
    "channel": "web",
    "source": "webhook",
    "delivery_id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    "event_id": None,
    "topic": "orders/create",
    "order_number": "1001",
    "received_at": "2026-03-02T09:30:01Z",
    "outcome": "quarantined",
    "detail": "lines[0].sku: there is no SKU 85123",
    "order_id": None,
    "faults": [
        {
            "field": "lines[0].sku",
            "code": "unknown-sku",
            "message": "there is no SKU 85123",
            "value": "85123",
            "severity": "error",
            "proposals": [
                {
                    "value": "85123A",
                    "rule": "sku-history",
                    "confidence": 940,
                    "why": "the customer ordered it before",
                }
            ],
        }
    ],
    "repairs": {},
    "repeats": 1,
    "replays": 0,
    "mapping_version": 3,
    "settled_at": "2026-03-02T09:30:02Z",
}
MESSAGES: Final[Example] = {"items": [MESSAGE], "next_cursor": None}
CORRECTION: Final[Example] = {
    "id": 5,
    "field": "ship_to.country",
    "before": "england",
    "after": "GB",
    "rule": "country",
    "confidence": 999,
    "why": "it means GB",
    "status": "applied",
    "found_at": "2026-03-02T09:30:02Z",
    "decided_by": None,
    "decided_at": None,
}
DETAIL: Final[Example] = {
    **MESSAGE,
    "corrections": [CORRECTION],
    "headers": {"content-type": "application/json"},
    "body": '{"name": "1001"}',
    "reference": None,
    "fetched": None,
    "fetched_at": None,
}
REPLAYED: Final[Example] = {
    **MESSAGE,
    "outcome": "received",
    "repairs": {"lines[0].sku": "85123A"},
    "replays": 1,
    "settled_at": None,
}
REPLAYS: Final[dict[str, Example]] = {
    "with another SKU": {"repairs": {"lines[0].sku": "85123A"}},
    "as it is, once the mapping is mended": {"repairs": {}},
}
DISMISSAL: Final[Example] = {"reason": "a test of the shop's agency"}
DISMISSED: Final[Example] = {
    **MESSAGE,
    "outcome": "dismissed",
    "detail": "dismissed by kim: a test of the shop's agency",
}
BALANCE: Final[Example] = {
    "items": [
        {
            "channel": "web",
            "day": "2026-03-02",
            "received": 105,
            "repeated": 5,
            "outcomes": {"captured": 96, "changed": 2, "quarantined": 2},
        }
    ]
}
VERSION: Final[Example] = {
    "channel": "web",
    "version": 3,
    "name": "our shop",
    "comment": "gift cards are payments",
    "published_by": "kim",
    "published_at": "2026-03-01T16:00:00Z",
}
VERSIONS: Final[Example] = {"items": [VERSION], "next_cursor": None}
CHECKED: Final[Example] = {
    "valid": False,
    "findings": [
        {
            "severity": "error",
            "code": "unknown-field",
            "path": "order.curency",
            "line": 4,
            "column": 3,
            "message": "an order has no field curency here",
            "hint": "did you mean currency?",
        }
    ],
}
PREVIEW: Final[Example] = {
    "readable": 0,
    "messages": [
        {
            "id": 1,
            "order": None,
            "faults": [
                {
                    "field": "placed_at",
                    "code": "missing",
                    "message": "the message does not say it",
                    "value": "",
                    "severity": "error",
                    "proposals": [],
                }
            ],
        }
    ],
}
