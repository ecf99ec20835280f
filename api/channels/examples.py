"""Channels and their rules."""

from typing import Final

from api.contract.example import Example

CHANNEL: Final[Example] = {
    "id": "marketplace",
    "name": "A marketplace",
    "priority": 200,
    "webhook_url": "https://marketplace.example/hooks/stock",
    "publish": "level",
    "low_at": 5,
}
CHANNEL_REQUESTS: Final[dict[str, Example]] = {
    "a marketplace that hears of levels": {
        **CHANNEL,
        "id": "example_shop",
        "webhook_secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    },
    "a shop": {"id": "example_shop", "name": "Example shop", "priority": 900},
}
CHANNELS: Final[Example] = {"items": [{**CHANNEL, "id": "web", "name": "Web shop", "priority": 10}, CHANNEL]}
CHANNEL_RULES: Final[Example] = {
    "rules": [
        {"sku": None, "node_id": None, "buffer": 2, "share": 50, "excluded": False},
        {"sku": None, "node_id": "store-manchester", "buffer": 0, "share": 100, "excluded": True},
        {"sku": "85123A", "node_id": None, "buffer": 10, "share": 100, "excluded": False},
    ]
}
