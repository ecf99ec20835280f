"""Watches on milestones."""

from typing import Final

from api.contract.example import Example

WATCH: Final[Example] = {
    "name": "example-watch",
    "description": "The carrier has not delivered",
    "subject": "fulfilment",
    "after": ["fulfilment_handed_over"],
    "milestone": "fulfilment_delivered",
    "within_minutes": 7200,
    "severity": "major",
    "owner_role": "support",
    "active": True,
}
WATCH_LIST: Final[Example] = {"items": [WATCH]}
WATCHES: Final[Example] = {
    "not delivered in five days": WATCH,
    "not accepted in four hours": {
        "name": "example-watch",
        "description": "The node has not taken the work on",
        "subject": "fulfilment",
        "after": ["accepted", "sourced", "reoptimised"],
        "milestone": "fulfilment_accepted",
        "within_minutes": 240,
    },
}
