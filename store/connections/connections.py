"""How channels are connected, and whether somebody paused it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.connection import Connection
from dom.shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class KeptConnection:
    """A channel's connection. `paused_at` is None while it works."""

    channel: str
    connection: Connection
    paused_at: datetime | None
    paused_by: str
    pause_reason: str
    updated_at: datetime


_COLUMNS: Final = "channel, document, paused_at, paused_by, pause_reason, updated_at"
_GET: Final = text(f"SELECT {_COLUMNS} FROM channel_connections WHERE channel = :channel")
_ALL: Final = text(f"SELECT {_COLUMNS} FROM channel_connections ORDER BY channel")
_PUT: Final = text("""
INSERT INTO channel_connections (channel, platform, tells, stock, document)
VALUES (:channel, :platform, :tells, :stock, CAST(:document AS jsonb))
ON CONFLICT (channel) DO UPDATE SET platform = excluded.platform, tells = excluded.tells, stock = excluded.stock,
    document = excluded.document, updated_at = now()
RETURNING xmax = 0 AS created
""")
_DELETE: Final = text("DELETE FROM channel_connections WHERE channel = :channel")
_PAUSE: Final = text("""
UPDATE channel_connections SET paused_at = coalesce(paused_at, now()), paused_by = :by, pause_reason = :reason
WHERE channel = :channel
""")
_RESUME: Final = text("""
UPDATE channel_connections SET paused_at = NULL, paused_by = '', pause_reason = '' WHERE channel = :channel
""")


async def find(connection: AsyncConnection, channel: str) -> KeptConnection | None:
    """The channel's connection; None if it has none."""
    row = (await connection.execute(_GET, {"channel": channel})).one_or_none()
    return None if row is None else KeptConnection(row[0], Connection.model_validate(row[1]), *row[2:])


async def get(connection: AsyncConnection, channel: str) -> KeptConnection:
    """The channel's connection. Raises NotFound."""
    found = await find(connection, channel)
    if found is None:
        raise NotFound(f"channel {channel} is not connected")
    return found


async def everyone(connection: AsyncConnection) -> Sequence[KeptConnection]:
    """All connections, by channel."""
    rows = (await connection.execute(_ALL)).all()
    return [KeptConnection(row[0], Connection.model_validate(row[1]), *row[2:]) for row in rows]


async def put(connection: AsyncConnection, channel: str, wanted: Connection) -> bool:
    """Connect a channel, or connect it otherwise; True if it is new. A pause stays."""
    values = {
        "channel": channel,
        "platform": wanted.platform,
        "tells": wanted.tells,
        "stock": wanted.stock,
        "document": wanted.model_dump_json(),
    }
    return bool(await connection.scalar(_PUT, values))


async def delete(connection: AsyncConnection, channel: str) -> None:
    """Connect a channel no more; its cursors go with it. Raises NotFound."""
    if not (await connection.execute(_DELETE, {"channel": channel})).rowcount:
        raise NotFound(f"channel {channel} is not connected")


async def pause(connection: AsyncConnection, channel: str, by: str, reason: str) -> None:
    """Read nothing of the channel and tell it nothing until it is resumed. Raises NotFound."""
    if not (await connection.execute(_PAUSE, {"channel": channel, "by": by, "reason": reason})).rowcount:
        raise NotFound(f"channel {channel} is not connected")


async def resume(connection: AsyncConnection, channel: str) -> None:
    """Go on with the channel. Raises NotFound."""
    if not (await connection.execute(_RESUME, {"channel": channel})).rowcount:
        raise NotFound(f"channel {channel} is not connected")
