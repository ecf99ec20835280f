"""What a channel was told last of each SKU."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel import Level
from store.availability.changes import News
from store.database.parameters import to_rows

_TOLD = text("SELECT sku, level FROM channel_levels WHERE channel = :channel AND sku = ANY(:skus)")


async def last_published(connection: AsyncConnection, channel: str, skus: Sequence[str]) -> dict[str, Level]:
    """The levels the channel was told last, of those SKUs it was told of."""
    rows = await connection.execute(_TOLD, {"channel": channel, "skus": list(skus)})
    return {row.sku: Level(row.level) for row in rows}


_NOTE = text("""
INSERT INTO channel_levels (channel, sku, level, quantity)
SELECT :channel, sku, level, quantity FROM jsonb_to_recordset(CAST(:news AS jsonb))
    AS n (sku text, level text, quantity int)
ON CONFLICT (channel, sku) DO UPDATE SET level = EXCLUDED.level, quantity = EXCLUDED.quantity
""")


async def note(connection: AsyncConnection, channel: str, news: Sequence[News]) -> None:
    """The channel was told this."""
    rows = to_rows({"sku": each.sku, "level": each.level, "quantity": each.quantity} for each in news)
    await connection.execute(_NOTE, {"channel": channel, "news": rows})


_FORGET = text("DELETE FROM channel_levels WHERE channel = :channel AND sku = ANY(:skus)")


async def forget(connection: AsyncConnection, channel: str, skus: Sequence[str]) -> None:
    """The channel was not told after all."""
    await connection.execute(_FORGET, {"channel": channel, "skus": list(skus)})


_KNOWN = text("SELECT id FROM skus WHERE id = ANY(:skus) ORDER BY id")


async def known_skus(connection: AsyncConnection, skus: Sequence[str]) -> list[str]:
    """Those of the SKUs that the catalogue holds."""
    return [row.id for row in await connection.execute(_KNOWN, {"skus": list(skus)})]
