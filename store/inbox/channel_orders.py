"""What a channel told of an order last: its version, its state, and the order that was captured of it, if any."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel_order import ChannelState
from store.database.parameters import to_json


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order of a channel as it was told of last. `document` is None of one that was only told to be cancelled;
    `sent_before` are units by line that were sent before it was captured here.
    """

    version: str
    state: ChannelState
    order_id: str | None
    document: dict[str, Any] | None
    sent_before: dict[str, int]


_FIND: Final = text("""
SELECT version, state, order_id, document, sent_before FROM channel_orders WHERE channel = :channel AND number = :number
""")
_PUT: Final = text("""
INSERT INTO channel_orders (channel, number, version, state, order_id, document, reference, sent_before)
VALUES (:channel, :number, :version, :state, :order_id, CAST(:document AS jsonb), :reference,
        CAST(:sent_before AS jsonb))
ON CONFLICT (channel, number) DO UPDATE SET version = excluded.version, state = excluded.state,
    order_id = coalesce(excluded.order_id, channel_orders.order_id),
    document = coalesce(excluded.document, channel_orders.document),
    updated_at = now(),
    reference = coalesce(excluded.reference, channel_orders.reference),
    sent_before = CASE WHEN channel_orders.order_id IS NULL THEN excluded.sent_before
                       ELSE channel_orders.sent_before END
""")
_REFERENCE: Final = text("SELECT reference FROM channel_orders WHERE channel = :channel AND number = :number")
_ORDER: Final = text("""
SELECT order_id FROM channel_orders WHERE channel = :channel AND coalesce(reference, number) = :reference LIMIT 1
""")
_NUMBER: Final = text("SELECT number FROM channel_orders WHERE channel = :channel AND reference = :reference LIMIT 1")


async def find(connection: AsyncConnection, channel: str, number: str) -> KnownOrder | None:
    """What the channel told of the order last; None if nothing."""
    row = (await connection.execute(_FIND, {"channel": channel, "number": number})).one_or_none()
    return (
        None
        if row is None
        else KnownOrder(row.version, ChannelState(row.state), row.order_id, row.document, row.sent_before)
    )


async def put(
    connection: AsyncConnection,
    channel: str,
    number: str,
    *,
    version: str,
    state: ChannelState,
    order_id: str | None,
    document: str | None,
    reference: str | None = None,
    sent_before: Mapping[str, int] | None = None,
) -> None:
    """Keep what the channel tells of the order now. An order id that is known stays, and what was sent before it was
    captured.
    """
    values = {
        "version": version,
        "state": state,
        "order_id": order_id,
        "document": document,
        "reference": reference,
        "sent_before": to_json(dict(sent_before or {})),
    }
    await connection.execute(_PUT, {"channel": channel, "number": number, **values})


async def number_of(connection: AsyncConnection, channel: str, reference: str) -> str | None:
    """The number of the order that the platform knows by this id; None if none is known."""
    found = await connection.scalar(_NUMBER, {"channel": channel, "reference": reference})
    return None if found is None else str(found)


async def reference_of(connection: AsyncConnection, channel: str, number: str) -> str | None:
    """The platform's own id of the order; None if it is not known."""
    found = await connection.scalar(_REFERENCE, {"channel": channel, "number": number})
    return None if found is None else str(found)


async def order_of(connection: AsyncConnection, channel: str, reference: str) -> str | None:
    """Our order of the one that the platform knows by this id; None if none was captured."""
    found = await connection.scalar(_ORDER, {"channel": channel, "reference": reference})
    return None if found is None else str(found)
