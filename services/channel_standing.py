"""How a channel's connection goes: its health, its feeds, and what waits."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.secrets.port import SecretStore
from services.channel_connections import needed_of, secrets_of
from store.connections import feeds, told, waiting
from store.connections.connections import KeptConnection


async def of(connection: AsyncConnection, secrets: SecretStore, kept: KeptConnection) -> dict[str, Any]:
    """The standing of a connected channel; for a connection on which each statement stands for itself."""
    read = [dict(row) for row in await feeds.of_channel(connection, kept.channel)]
    for each in read:
        each.pop("run")
    there = secrets_of(secrets, kept)
    complete = all(there[name] for name in needed_of(kept))
    return {
        "channel": kept.channel,
        "connection": kept.connection,
        "healthy": kept.paused_at is None and complete and not any(each["failures"] for each in read),
        "paused_at": kept.paused_at,
        "paused_by": kept.paused_by,
        "pause_reason": kept.pause_reason,
        "secrets": there,
        "feeds": read,
        **await waiting.of_channel(connection, kept.channel),
        "stock": await told.stock_age(connection, kept.channel),
    }
