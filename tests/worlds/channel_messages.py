"""Messages of a shop in the tests: what it sends of an order, and its mapping."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.channel import Channel
from dom.channels.mapping.reading import check
from dom.channels.outcomes import MessageSource
from services import channel_inbox
from services.database import Database
from store import channels
from store.inbox import mappings
from store.inbox.messages import KeptMessage

SHOP: Final = Path(__file__).parents[1] / "mappings" / "shop.yaml"


async def open_shop(engine: AsyncEngine, mapping: str | None = None) -> None:
    """The channel `web` with its mapping."""
    source = SHOP.read_text() if mapping is None else mapping
    published = check(source).publishable()
    async with engine.begin() as connection:
        await channels.put(connection, Channel(id="web", name="web"))
        await mappings.publish(connection, "web", published, source=source, comment="", by="test")


def told(
    number: str,
    at: str = "2026-03-02T12:00:00+00:00",
    /,
    *,
    skus: Mapping[str, int] | None = None,
    cancelled: bool = False,
    **units: int,
) -> dict[str, Any]:
    """What the shop says of an order of so many units of each SKU, as of a moment."""
    return {
        "id": f"gid-{number}",
        "name": f"#{number}",
        "created_at": "2026-03-02T12:00:00+00:00",
        "updated_at": at,
        "cancelled_at": at if cancelled else None,
        "currency": "GBP",
        "taxes_included": True,
        "test": False,
        "email": "ada@customer.example",
        "customer": {"id": 77, "first_name": "Ada", "last_name": "Lovelace"},
        "shipping_address": {
            "name": "Ada Lovelace",
            "address1": "12 Mill Lane",
            "city": "Leeds",
            "zip": "LS1 4AP",
            "country_code": "GB",
        },
        "shipping_lines": [{"title": "Royal Mail 48", "price": "3.95"}],
        "line_items": [
            {"id": place, "sku": sku, "quantity": 9, "current_quantity": count, "price": "2.50"}
            for place, (sku, count) in enumerate({**(skus or {}), **units}.items(), 1)
        ],
        "transactions": [],
        "total_discounts": "0.00",
        "total_price": None,
        "tags": "",
        "note": None,
    }


async def send(engine: AsyncEngine, message: Any, delivery: str = "", *, raw: bytes | None = None) -> KeptMessage:
    """The shop sends a message, under an id of its delivery."""
    body = json.dumps(message).encode() if raw is None else raw
    headers = {"webhook-id": delivery} if delivery else {}
    return await channel_inbox.receive(Database(engine=engine), "web", MessageSource.WEBHOOK, headers, body)
