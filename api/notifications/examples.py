"""Messages."""

from typing import Final

from api.contract.example import Example

MESSAGE_LIST: Final[Example] = {
    "items": [
        {
            "id": 4711,
            "order_id": "web-EXAMPLE-1",
            "message_key": "shipped:web-EXAMPLE-1-F1",
            "kind": "shipped",
            "medium": "mail",
            "status": "sent",
            "created_at": "2026-03-02T16:02:00Z",
            "sent_at": "2026-03-02T16:02:01Z",
        }
    ],
    "next_cursor": None,
}
RESENDS: Final = {"the customer asked for it": {"reason": "it went to spam"}}
MESSAGE_RESENT: Final[Example] = {
    "message": {
        "id": 4717,
        "order_id": "web-EXAMPLE-1",
        "message_key": "shipped:web-EXAMPLE-1-F1:resent:1",
        "kind": "shipped",
        "medium": "mail",
        "status": "pending",
        "created_at": "2026-03-03T09:12:00Z",
        "sent_at": None,
    },
    "resent": 4711,
}
