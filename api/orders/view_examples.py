"""Examples of saved views."""

from typing import Any, Final

from api.contract.example import Example

_FILTER: Final[dict[str, Any]] = {"late": True, "node": ["dc-daventry"], "sort": "promise"}
SAVED_VIEW: Final[Example] = {
    "id": "v-0f6b1c2d3e4f",
    "name": "Late at Daventry",
    "owner": "ada",
    "filter": _FILTER,
    "shared": True,
    "created_at": "2026-03-02T10:00:00Z",
    "updated_at": "2026-03-02T10:00:00Z",
}
SAVED_VIEW_LIST: Final[Example] = {"items": [SAVED_VIEW], "next_cursor": None}
SAVED_VIEWS: Final[dict[str, Example]] = {
    "late at a node, for all": {"name": "Late at Daventry", "filter": _FILTER, "shared": True},
    "promised for today or tomorrow and not sent": {
        "name": "Due",
        "filter": {"promise_from": "today", "promise_to": "today+1", "status": ["accepted", "in_fulfilment"]},
    },
    "nothing happened for a day": {"name": "Silent", "filter": {"stuck": True, "stuck_hours": 24, "waiting": False}},
}
