"""Exceptions."""

from typing import Any, Final

from api.contract.example import Example
from dom.exceptions import ACTIONS, CATALOGUE, ExceptionAction, ExceptionKind

_KIND: Final = ExceptionKind.PARCEL_LOST
_ACTION: Final = ExceptionAction.ARRIVED
_SUMMARY: Final[Example] = {
    "id": 17,
    "order_id": "web-EXAMPLE-1",
    "kind": "parcel_lost",
    "severity": "major",
    "owner_role": "support",
    "meaning": CATALOGUE[_KIND].meaning,
    "next_steps": CATALOGUE[_KIND].next_steps,
    "closes_itself": False,
    "actions": [{"action": _ACTION.value, "meaning": ACTIONS[_ACTION].meaning, "scope": ACTIONS[_ACTION].scope.value}],
    "detail": "web-EXAMPLE-1-F1 is lost: reported by the carrier",
    "data": {"fulfilment_id": "web-EXAMPLE-1-F1", "node_id": "dc-daventry", "units": {"85123A": 2}},
    "status": "open",
    "version": 2,
    "owner": "Ada Byrne",
    "opened_at": "2026-03-05T09:00:00Z",
    "age_minutes": 95,
    "due_at": "2026-03-06T09:00:00Z",
    "overdue": False,
    "snoozed_until": None,
    "snoozed": False,
    "closed_at": None,
    "resolution": None,
    "resolved_by": None,
}
EXCEPTION_LIST: Final[Example] = {"items": [_SUMMARY], "next_cursor": None}
EXCEPTION: Final[Example] = {
    **_SUMMARY,
    "comments": [
        {
            "id": 4,
            "author": "Ada Byrne",
            "text": "the carrier looks for it in the depot of Leeds",
            "written_at": "2026-03-05T10:12:00Z",
        }
    ],
}
EXCEPTION_SNOOZED: Final[Example] = {
    **EXCEPTION, "version": 3, "snoozed_until": "2026-03-06T08:00:00Z", "snoozed": True,
}  # fmt: skip
EXCEPTION_RESOLVED: Final[Example] = {
    **EXCEPTION,
    "version": 3,
    "status": "closed",
    "actions": [],
    "closed_at": "2026-03-05T10:35:00Z",
    "resolution": "the carrier pays for it",
    "resolved_by": "Ada Byrne",
}
EXCEPTION_ACTED: Final[Example] = {**EXCEPTION_RESOLVED, "resolution": "the parcel arrived after all"}


def _count(value: str | bool | None, of: str) -> dict[str, Any]:
    return {"value": value, "count": 1, "list": f"/v1/exceptions?status=open&{of}"}


EXCEPTION_COUNTS: Final[Example] = {
    "total": {"value": None, "count": 1, "list": "/v1/exceptions?status=open"},
    "by_kind": [_count("parcel_lost", "kind=parcel_lost")],
    "by_severity": [_count("major", "severity=major")],
    "by_owner_role": [_count("support", "owner_role=support")],
    "by_owner": [_count("Ada Byrne", "owner=Ada+Byrne")],
    "by_overdue": [_count(value=False, of="overdue=false")],
    "by_snoozed": [_count(value=False, of="snoozed=false")],
}
ASSIGNMENTS: Final[Example] = {
    "a person": {"version": 1, "owner": "Ada Byrne"},
    "a role": {"version": 1, "owner_role": "planner"},
}
SEEN: Final[Example] = {"as it was seen": {"version": 2}}
SNOOZES: Final[Example] = {
    "until tomorrow": {"version": 2, "until": "2026-03-06T08:00:00Z"},
    "no longer": {"version": 3, "until": None},
}
COMMENTS: Final[Example] = {
    "a comment": {"version": 2, "text": "the carrier looks for it in the depot of Leeds"},
}
RESOLUTIONS: Final[Example] = {"dealt with": {"version": 2, "resolution": "the carrier pays for it"}}
