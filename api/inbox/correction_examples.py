"""Corrections, rules made of repairs, and rates."""

from typing import Final

from api.contract.example import Example

ALIKE: Final[dict[str, Example]] = {
    "the same SKU in all": {
        "channel": "web",
        "code": "unknown-sku",
        "field": "lines[*].sku",
        "value": "85123",
        "repair": "85123A",
    },
    "as they are, once the mapping is mended": {
        "channel": "web",
        "code": "not-in-table",
        "field": "shipping_method",
        "value": "Royal Mail 24",
    },
}
REPLAYED_ALIKE: Final[Example] = {
    "items": [
        {"id": 1, "outcome": "received", "problem": None},
        {"id": 4, "outcome": None, "problem": "the message is captured"},
    ],
    "more": False,
}
TRIED: Final[Example] = {
    "order": None,
    "faults": [
        {
            "field": "ship_to.postal_code",
            "code": "wrong-value",
            "message": "String should have at most 20 characters",
            "value": "LS1 4AP, second floor left",
            "severity": "error",
            "proposals": [],
        }
    ],
    "applied": [
        {
            "field": "ship_to.country",
            "before": "england",
            "after": "GB",
            "rule": "country",
            "confidence": 999,
            "why": "it means GB",
        }
    ],
    "proposed": [],
}
RATES: Final[Example] = {
    "items": [
        {
            "channel": "web",
            "day": "2026-03-02",
            "messages": 1020,
            "quarantined": 6,
            "quarantine_share": 5,
            "rules": [{"rule": "country", "applied": 31, "proposed": 1, "accepted": 2, "rejected": 0}],
        }
    ]
}
NEW_RULES: Final[dict[str, Example]] = {
    "of a repaired message": {"field": "lines[0].sku", "message_id": 1},
    "as it is given": {"field": "lines[*].sku", "before": "HEART-W", "after": "85123A", "comment": "the old code"},
}
RULE: Final[Example] = {
    "id": 3,
    "channel": "web",
    "field": "lines[*].sku",
    "before": "HEART-W",
    "after": "85123A",
    "status": "draft",
    "message_id": None,
    "comment": "the old code",
    "rehearsal": None,
    "rehearsed_at": None,
    "created_by": "kim",
    "created_at": "2026-03-02T09:30:00Z",
    "changed_by": "kim",
    "changed_at": "2026-03-02T09:30:00Z",
}
RULES: Final[Example] = {"items": [RULE], "next_cursor": None}
REHEARSED: Final[Example] = {
    **RULE,
    "status": "rehearsed",
    "rehearsal": {
        "since": "2026-01-31T09:31:00Z",
        "looked_at": 4200,
        "complete": True,
        "counts": {"mends": 7, "agrees": 1},
        "examples": [
            {"id": 1, "kind": "mends", "outcome": "quarantined", "field": "lines[0].sku", "taken": None},
        ],
    },
    "rehearsed_at": "2026-03-02T09:31:00Z",
    "changed_at": "2026-03-02T09:31:00Z",
}
LIVE: Final[Example] = {**REHEARSED, "status": "live", "changed_at": "2026-03-02T09:35:00Z"}
RETIRED: Final[Example] = {**REHEARSED, "status": "retired", "changed_at": "2026-03-09T09:35:00Z"}
