"""What a channel's webhook is told next of availability: changes since the last message, as they stand now."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel import Channel, Publish
from dom.notifications.messages import Medium
from store.availability import changes, published_levels
from store.availability.changes import News
from store.ledger import cursors
from store.ledger.announcements import Affected, announce
from store.network.reference import ReferenceCache
from store.notifications import outbox
from store.notifications.outbox import Entry

MOST_SKUS: Final = 500
"""SKUs in one message."""
KIND: Final = "availability.changed"
_NOT_PUBLISHED: Final = "its webhook was removed before it was told"


async def write_next(connection: AsyncConnection, cache: ReferenceCache, channel: Channel) -> bool:
    """Write the next message to a channel into the outbox, and move its cursor on; True if there is more to tell.

    In one transaction, for a channel of `channels.to_tell`: what changes while a receiver is away is told with the next
    message, as it stands then. Raises CursorMoved if somebody else wrote it meanwhile; the transaction must then end.
    """
    name = cursors.of_webhook(channel.id)
    before = await cursors.ensure(connection, name)
    found = await changes.read(connection, before, MOST_SKUS)
    if not found.skus:
        return False
    news = await changes.now(connection, cache, channel.id, found.skus)
    if channel.publish is Publish.LEVEL:
        told = await published_levels.last_published(connection, channel.id, [each.sku for each in news])
        news = [each for each in news if told.get(each.sku) != each.level]
    if not await cursors.advance(connection, name, before, found.cursor):
        raise CursorMoved(name)
    if news:
        await write(connection, channel, news)
    return found.more


async def write(connection: AsyncConnection, channel: Channel, news: Sequence[News]) -> None:
    """Have a channel told of this."""
    await outbox.write(connection, _entry(channel, news))
    await published_levels.note(connection, channel.id, news)


async def without_receiver(connection: AsyncConnection, channel_id: str, payload: Mapping[str, Any]) -> None:
    """A channel that has no webhook any more did not take a message. Should it have one again, it is told then.

    The SKUs are announced as if they had changed: that stands in the log behind the channel's cursor, however long it
    takes. Other channels may be told of them once more.
    """
    skus = [item["sku"] for item in payload["data"]["items"]]
    await published_levels.forget(connection, channel_id, skus)
    await announce(connection, [Affected(sku) for sku in skus], reason=_NOT_PUBLISHED, actor=f"channel:{channel_id}")


class CursorMoved(Exception):
    """Another publisher was here at the same time."""


def _entry(channel: Channel, news: Sequence[News]) -> Entry:
    return Entry(
        business_key=f"availability-{channel.id}-{uuid4()}",
        kind=KIND,
        medium=Medium.AVAILABILITY,
        recipient=channel.id,
        receiver=outbox.of_channel(channel.id),
        payload={"type": KIND, "data": {"channel": channel.id, "items": [_item(channel, each) for each in news]}},
    )


def _item(channel: Channel, news: News) -> dict[str, Any]:
    item = {"sku": news.sku, "level": news.level}
    return item if channel.publish is Publish.LEVEL else {**item, "quantity": news.quantity}
