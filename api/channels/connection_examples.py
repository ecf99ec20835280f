"""How channels are connected."""

from typing import Final

from api.contract.example import Example

CONNECTION: Final[Example] = {
    "platform": "shopify",
    "settings": {"url": "https://example.myshopify.com", "location": "gid://shopify/Location/1"},
    "pull_seconds": 300,
    "overlap_seconds": 120,
    "reconcile_hours": 24,
    "reconcile_days": 14,
    "tells": True,
    "stock": True,
    "stock_hours": 24,
    "stock_cap": 50,
}
REQUESTS: Final[dict[str, Example]] = {
    "a Shopify shop": CONNECTION,
    "any sender that signs": {"platform": "webhook"},
}
FEED: Final[Example] = {
    "feed": "orders",
    "due_at": "2026-03-02T12:05:00Z",
    "started_at": "2026-03-02T12:00:00Z",
    "finished_at": "2026-03-02T12:00:01Z",
    "read": 12,
    "failures": 0,
    "error": "",
    "failed_at": None,
    "position": {"since": "2026-03-02T11:59:58+00:00"},
}
STANDING: Final[Example] = {
    "channel": "web",
    "connection": CONNECTION,
    "healthy": True,
    "paused_at": None,
    "paused_by": "",
    "pause_reason": "",
    "secrets": {"access_token": True, "webhook_secret": True},
    "feeds": [FEED],
    "waiting": 0,
    "waits_since": None,
    "quarantined": 3,
    "untold": 0,
    "stock": {"skus": 420, "told": 420, "oldest": "2026-03-02T06:00:00Z", "newest": "2026-03-02T12:00:00Z"},
}
STANDINGS: Final[Example] = {"items": [STANDING]}
PAUSES: Final[dict[str, Example]] = {"while the shop is moved": {"reason": "the shop moves to another host"}}
READS: Final[dict[str, Example]] = {
    "now": {},
    "a back-fill of a week": {"since": "2026-02-01T00:00:00Z", "until": "2026-02-08T00:00:00Z"},
}
