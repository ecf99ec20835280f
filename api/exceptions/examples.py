"""Exceptions."""

from typing import Final

from api.contract.example import Example
from dom.exceptions import CATALOGUE, ExceptionKind

EXCEPTION_LIST: Final[Example] = {
    "items": [
        {
            "id": 17,
            "order_id": "web-EXAMPLE-1",
            "kind": "parcel_lost",
            "severity": "major",
            "owner_role": "support",
            "meaning": CATALOGUE[ExceptionKind.PARCEL_LOST].meaning,
            "next_steps": CATALOGUE[ExceptionKind.PARCEL_LOST].next_steps,
            "detail": "northline lost web-EXAMPLE-1-F1-B1; its units are sourced again",
            "status": "open",
            "owner": None,
            "opened_at": "2026-03-05T09:00:00Z",
            "closed_at": None,
        }
    ],
    "next_cursor": None,
}
