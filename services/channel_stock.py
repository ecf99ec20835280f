"""Channels show what they may sell: told of changes as they come, and compared once a day.

Changes are written into the outbox by the job that publishes availability, one message at a time for each channel, so
that what changes while a channel does not answer is told once, as it stands then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.channels.port import StockLevel
from connectors.notifications.port import OutboundMessage, Sender, TemporaryFailureError
from dom.channels.channel import Level, Publish
from services import availability_news
from services.channel_connections import Connected, Connections, understood
from services.database import Database
from store import channels
from store.availability import changes, published_levels
from store.availability.changes import Changed, News
from store.connections import told
from store.ledger.cursors import START

_log = structlog.get_logger("channels")
_SHOWN_SKUS: Final = 5
_MANY: Final = 100
_OF_LEVEL: Final[dict[str, int]] = {Level.OUT: 0, Level.LOW: 1}


@dataclass(frozen=True, slots=True)
class StockCompared:
    """A page of what a channel shows: how many SKUs, of how many it was told anew, and where the next page begins."""

    skus: int
    wrong: int
    after: str | None


class ChannelStock:
    """A `Sender` of news of availability: to a channel's platform where that shows stock, to its webhook else."""

    def __init__(self, database: Database, connections: Connections, webhooks: Sender) -> None:
        self._database = database
        self._connections = connections
        self._webhooks = webhooks

    async def send(self, message: OutboundMessage) -> None:
        """Have the platform show it; raises as the senders do."""
        channel = message.recipient
        connected = await self._connections.of(channel)
        items = message.payload["data"]["items"]
        if connected is None or not connected.connection.stock:
            await self._webhooks.send(message)
        elif connected.paused:
            raise TemporaryFailureError(f"channel {channel} is paused")
        else:
            levels = [shown(connected, item["sku"], item.get("quantity"), item["level"]) for item in items]
            with understood(channel):
                unknown = await connected.connector.set_levels(levels)
            if unknown:
                _log.info("a channel does not sell what it was told of", channel=channel, skus=unknown[:_SHOWN_SKUS])
        async with self._database.transaction() as connection:
            await told.stock_taken(connection, channel, [item["sku"] for item in items])

    async def close(self) -> None:
        """Let go of open connections."""
        await self._webhooks.close()


def shown(connected: Connected, sku: str, quantity: int | None, level: str) -> StockLevel:
    """What a channel is to show of a SKU: no more than its cap. Of one that is told levels alone (no quantity): none,
    one unit where few are left, and its cap, or a hundred, where there are many.
    """
    cap = connected.connection.stock_cap
    if quantity is None:
        quantity = _OF_LEVEL.get(level, _MANY if cap is None else cap)
    return StockLevel(sku, max(quantity if cap is None else min(quantity, cap), 0))


async def compare(database: Database, connected: Connected, after: str | None) -> StockCompared:
    """Compare a page of what the platform shows with what the channel may sell, and have it told of what differs.

    Raises as a connector does.
    """
    with understood(connected.channel):
        page = await connected.connector.levels(after)
    async with database.transaction() as connection:
        wrong = await _differing(database, connection, connected, page.levels)
        if wrong:
            channel = await channels.get(connection, connected.channel)
            await availability_news.write(connection, channel, wrong)
    return StockCompared(len(page.levels), len(wrong), page.after)


async def _differing(
    database: Database, connection: AsyncConnection, connected: Connected, levels: Sequence[StockLevel]
) -> list[News]:
    there = {each.sku: each.quantity for each in levels}
    channel = await channels.get(connection, connected.channel)
    known = await published_levels.known_skus(connection, list(there))
    news = await changes.now(connection, database.reference, channel.id, [Changed(sku, START) for sku in known])
    exact = channel.publish is Publish.QUANTITY
    return [
        each
        for each in news
        if shown(connected, each.sku, each.quantity if exact else None, each.level).quantity != there[each.sku]
    ]
