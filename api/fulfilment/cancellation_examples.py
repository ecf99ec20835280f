"""Cancellations that nodes are asked for."""

from typing import Any, Final

from api.contract.example import Example

_ASKED: Final[dict[str, Any]] = {
    "request_id": "web-EXAMPLE-1-C1",
    "order_id": "web-EXAMPLE-1",
    "fulfilment_id": "web-EXAMPLE-1-F1",
    "node_id": "dc-daventry",
    "asked_of": "node",
    "units": {"1": 2},
    "status": "asked",
    "reason": "changed mind",
    "asked_by": "ada",
    "asked_at": "2026-03-02T12:05:00Z",
    "answer_by": "2026-03-02T14:05:00Z",
    "answered_by": None,
    "answered_at": None,
    "reply": None,
    "ended_by": None,
}
_ANSWERED: Final[dict[str, Any]] = {**_ASKED, "answered_by": "daventry", "answered_at": "2026-03-02T12:20:00Z"}
REQUESTED: Final[Example] = {"items": [_ASKED], "next_cursor": None}
GRANTED: Final[Example] = {**_ANSWERED, "status": "granted", "reply": "put back"}
REFUSED: Final[Example] = {**_ANSWERED, "status": "refused", "reply": "on the lorry"}
GRANTS: Final = {"the goods are put back": {"reason": "put back"}}
REFUSALS: Final = {"it is too late": {"reason": "on the lorry"}}
