"""Holds."""

from typing import Any, Final

from api.contract.example import Example
from dom.holds.policy import DEFAULT

_HOLD: Final[dict[str, Any]] = {
    "hold_id": "web-EXAMPLE-1-H1",
    "order_id": "web-EXAMPLE-1",
    "type": "address",
    "blocks": ["release", "hand_over"],
    "purpose": "the house number is missing",
    "owner": "support",
    "placed_by": "ada",
    "placed_at": "2026-03-02T12:05:00Z",
    "due_at": "2026-03-03T12:05:00Z",
    "release_at": None,
    "overdue": False,
    "released_by": None,
    "released_at": None,
    "resolution": None,
}
_RELEASED: Final[dict[str, Any]] = {
    **_HOLD,
    "released_by": "ada",
    "released_at": "2026-03-02T13:10:00Z",
    "resolution": "the customer gave it by phone",
}
REQUESTS: Final = {
    "the address is incomplete": {"type": "address", "reason": "the house number is missing"},
    "until a day": {
        "type": "customer_request",
        "release_at": "2036-03-09T08:00:00Z",
        "reason": "on holiday until then",
    },
}
RELEASES: Final = {"as resolved": {"reason": "the customer gave it by phone"}}
PLACED: Final[Example] = {"hold": _HOLD, "not_blocked": []}
RELEASED: Final[Example] = {"hold": _RELEASED, "recalled": []}
OF_ORDER: Final[Example] = {"order_id": "web-EXAMPLE-1", "holds": [_RELEASED]}
STANDING: Final[Example] = {
    "items": [
        {**_HOLD, "channel": "web", "order_status": "accepted", "promise_latest": "2026-03-05T18:00:00Z"},
    ],
    "next_cursor": None,
}
_RULE: Final = {
    "name": "dear-and-new",
    "on": "accepted",
    "when": 'order.value > 50000 && order.customer_class == ""',
    "place": "fraud",
}
POLICIES: Final = {
    "dear orders of new customers": {
        "types": {"fraud": {"purpose": "somebody looks whether it is genuine", "blocks": ["release", "hand_over"]}},
        "rules": [_RULE],
    }
}
POLICY: Final[Example] = {"version": 0, "policy": DEFAULT.model_dump(mode="json")}
POLICY_VERSIONS: Final[Example] = {
    "items": [{"version": 1, "comment": "", "written_by": "ada", "written_at": "2026-03-02T12:00:00Z"}]
}
