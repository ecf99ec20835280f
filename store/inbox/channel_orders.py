"""What a channel told of an order last: its version, its state, and the order that was captured of it, if any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel_order import ChannelState
from store.database.parameters import to_json


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order of a channel as it was told of last. `document` is None of one that was only told to be cancelled;
    `sent_before` are units by line that were sent before it was captured here, `repairs` what a person put in place of
    fields of its messages: by field what stood there, and what it is.
    """

    version: str
    state: ChannelState
    order_id: str | None
    document: dict[str, Any] | None
    sent_before: dict[str, int]
    repairs: dict[str, list[Any]]


_FIND: Final = text("""
SELECT version, state, order_id, document, sent_before, repairs FROM channel_orders
WHERE channel = :channel AND number = :number
""")
_PUT: Final = text("""
INSERT INTO channel_orders (channel, number, version, state, order_id, document, reference, sent_before, repairs)
VALUES (:channel, :number, :version, :state, :order_id, CAST(:document AS jsonb), :reference,
        CAST(:sent_before AS jsonb), CAST(:repairs AS jsonb))
ON CONFLICT (channel, number) DO UPDATE SET version = excluded.version, state = excluded.state,
    order_id = coalesce(excluded.order_id, channel_orders.order_id),
    document = coalesce(excluded.document, channel_orders.document),
    updated_at = now(),
    reference = coalesce(excluded.reference, channel_orders.reference),
    repairs = channel_orders.repairs || excluded.repairs,
    sent_before = CASE WHEN channel_orders.order_id IS NULL THEN excluded.sent_before
                       ELSE channel_orders.sent_before END
""")
_REFERENCE: Final = text("SELECT reference FROM channel_orders WHERE channel = :channel AND number = :number")
_ORDER: Final = text("""
SELECT order_id FROM channel_orders
WHERE channel = :channel AND (reference = :reference OR (reference IS NULL AND number = :reference)) LIMIT 1
""")
_CAPTURED_AS: Final = text("""
SELECT number FROM channel_orders
WHERE channel = :channel AND reference = :reference AND order_id IS NOT NULL LIMIT 1
""")
_NUMBER: Final = text("SELECT number FROM channel_orders WHERE channel = :channel AND reference = :reference LIMIT 1")


async def find(connection: AsyncConnection, channel: str, number: str) -> KnownOrder | None:
    """What the channel told of the order last; None if nothing."""
    row = (await connection.execute(_FIND, {"channel": channel, "number": number})).one_or_none()
    return (
        None
        if row is None
        else KnownOrder(row.version, ChannelState(row.state), row.order_id, row.document, row.sent_before, row.repairs)
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
    repairs: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Keep what the channel tells of the order now. An order id that is known stays, what was sent before it was
    captured, and repairs.
    """
    values = {
        "version": version,
        "state": state,
        "order_id": order_id,
        "document": document,
        "reference": reference,
        "sent_before": to_json(dict(sent_before or {})),
        "repairs": to_json(dict(repairs or {})),
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


async def captured_as(connection: AsyncConnection, channel: str, reference: str) -> str | None:
    """The number under which the platform's order was captured; None if it was not."""
    found = await connection.scalar(_CAPTURED_AS, {"channel": channel, "reference": reference})
    return None if found is None else str(found)


async def any_captured(connection: AsyncConnection, channel: str) -> bool:
    """Whether orders of the channel were captured from its messages."""
    query = text("SELECT EXISTS (SELECT FROM channel_orders WHERE channel = :channel AND order_id IS NOT NULL)")
    return bool(await connection.scalar(query, {"channel": channel}))
