"""One channel's webhook: the batches it is told, one after the other, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.notifications.port import OutboundMessage
from connectors.notifications.webhook import WebhookSender
from dom.channels import Channel, Publish
from dom.notifications.messages import Medium
from store import channels, exceptions
from store.availability import changes, published_levels
from store.availability.changes import News
from store.database import engine as database
from store.database.uninterrupted import unbroken
from store.ledger import cursors
from store.ledger.cursors import Cursor
from store.network.reference import ReferenceCache

MOST_SKUS: Final = 500
"""SKUs in one message."""


class Receiver:
    """The receiver of one channel. Its cursor moves on when it has taken a batch, and not before."""

    def __init__(self, engine: AsyncEngine, cache: ReferenceCache, channel_id: str) -> None:
        self._engine = engine
        self._reads = database.reading(engine)
        self._cache = cache
        self._id = channel_id
        self._cursor: Cursor | None = None
        self._sender: WebhookSender | None = None
        self._secret = ""

    async def tell(self) -> bool:
        """Send the next batch; True if there is more to tell.

        Raises what stood in the way; the same changes are then told with the next call.
        """
        batch = await unbroken(self._next())
        if batch is None:
            return False
        if batch.news:
            await self._send(batch)
        await unbroken(self._move_on(batch))
        return batch.more

    async def stuck_for(self) -> float:
        """Seconds the first change the receiver has not taken has been waiting for it."""
        if self._cursor is None:
            return 0
        async with self._reads.connect() as connection:
            return await changes.waiting(connection, self._cursor)

    async def ask_for_help(self, detail: str) -> None:
        """Put the receiver's trouble into the exception queue, once for the place it is stuck at."""
        if self._cursor is None:
            return
        key = f"webhook_stuck/{self._id}/{self._cursor.transaction}/{self._cursor.entry}"
        async with self._engine.begin() as connection:
            await exceptions.open_(connection, None, "webhook_stuck", key, detail)

    async def close(self) -> None:
        """Close the connections to the receiver."""
        if self._sender is not None:
            await self._sender.close()
            self._sender = None

    async def _next(self) -> "_Batch | None":
        async with self._reads.connect() as connection:
            before = self._cursor = self._cursor or await cursors.ensure(connection, cursors.of_webhook(self._id))
            found = await changes.read(connection, before, MOST_SKUS)
            if not found.skus:
                return None
            channel = await channels.get(connection, self._id)
            if channel.webhook_url is None:
                return None
            news = await changes.now(connection, self._cache, self._id, found.skus)
            if channel.publish is Publish.LEVEL:
                told = await published_levels.told(connection, self._id, [each.sku for each in news])
                news = [each for each in news if told.get(each.sku) != each.level]
            secret = await channels.webhook_secret(connection, self._id)
        return _Batch(channel, channel.webhook_url, secret, before, found.cursor, found.more, news)

    async def _send(self, batch: "_Batch") -> None:
        if self._sender is None or batch.secret != self._secret:
            await self.close()
            self._sender, self._secret = WebhookSender(batch.secret), batch.secret
        await self._sender.send(
            OutboundMessage(
                key=f"availability-{self._id}-{batch.after.transaction}-{batch.after.entry}",
                medium=Medium.WEBHOOK,
                recipient=batch.url,
                payload={
                    "type": "availability.changed",
                    "data": {"channel": self._id, "items": [_item(batch.channel, each) for each in batch.news]},
                },
            )
        )

    async def _move_on(self, batch: "_Batch") -> None:
        async with self._engine.begin() as connection:
            name = cursors.of_webhook(self._id)
            moved = await cursors.advance(connection, name, batch.before, batch.after)
            if moved and batch.news:
                await published_levels.note(connection, self._id, batch.news)
        self._cursor = batch.after if moved else None  # somebody set it elsewhere: look where it stands


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is to be told to whom, and the part of the log it stands for."""

    channel: Channel
    url: str
    secret: str
    before: Cursor
    after: Cursor
    more: bool
    news: Sequence[News]


def _item(channel: Channel, news: News) -> dict[str, Any]:
    item = {"sku": news.sku, "level": news.level}
    return item if channel.publish is Publish.LEVEL else {**item, "quantity": news.quantity}
