"""Examples of API keys and the audit log."""

from typing import Final

from api.contract.example import Example

KEY_REQUESTS: Final[dict[str, Example]] = {
    "a person of support, who may read orders": {
        "name": "R. Osei",
        "role": "support",
        "scopes": ["orders:read"],
        "expires_at": "2036-03-02T00:00:00Z",
    },
}
KEY_ROTATIONS: Final[dict[str, Example]] = {"the old one works for an hour more": {"overlap_seconds": 3600}}
CREDENTIAL: Final[Example] = {
    "created_by": "command line",
    "created_at": "2026-03-02T10:15:00Z",
    "expires_at": None,
    "revoked_at": None,
    "revoked_by": None,
    "last_used_at": "2026-03-02T11:00:00Z",
    "rotated_from": None,
}
NEW: Final[Example] = {"last_used_at": None}
REVOKED: Final[Example] = {"revoked_at": "2026-03-02T12:00:00Z", "revoked_by": "R. Osei"}
API_KEY: Final[Example] = {
    **CREDENTIAL,
    "id": "0f6b1c2d3e4f",
    "prefix": "dom_0f6b1c2d3e4f",
    "name": "web shop",
    "role": "channel",
    "channels": ["web"],
    "nodes": None,
    "carriers": None,
    "scopes": None,
}
NEW_API_KEY: Final[Example] = {**API_KEY, **NEW, "key": "dom_0f6b1c2d3e4f_this-once"}
REVOKED_API_KEY: Final[Example] = {**API_KEY, **REVOKED}
API_KEY_LIST: Final[Example] = {"items": [API_KEY], "next_cursor": None}
AUDIT_LOG: Final[Example] = {
    "items": [
        {
            "id": 41,
            "recorded_at": "2026-03-02T10:20:00Z",
            "request_id": "9f1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e",
            "principal": "web shop",
            "key_id": "0f6b1c2d3e4f",
            "roles": ["channel"],
            "method": "POST",
            "route": "/v1/orders/{order_id}/cancel",
            "object": "web-EXAMPLE-1",
            "status": 200,
            "reason": "ordered twice",
            "source": "192.0.2.7",
        }
    ],
    "next_cursor": None,
}
