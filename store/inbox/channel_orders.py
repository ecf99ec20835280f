"""What a channel told of an order last: its version, its state, and the order that was captured of it, if any."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel_order import ChannelState


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order of a channel as it was told of last. `document` is None of one that was only told to be cancelled."""

    version: str
    state: ChannelState
    order_id: str | None
    document: dict[str, Any] | None


_FIND: Final = text("""
SELECT version, state, order_id, document FROM channel_orders WHERE channel = :channel AND number = :number
""")
_PUT: Final = text("""
INSERT INTO channel_orders (channel, number, version, state, order_id, document)
VALUES (:channel, :number, :version, :state, :order_id, CAST(:document AS jsonb))
ON CONFLICT (channel, number) DO UPDATE SET version = excluded.version, state = excluded.state,
    order_id = coalesce(excluded.order_id, channel_orders.order_id), document = excluded.document, updated_at = now()
""")


async def find(connection: AsyncConnection, channel: str, number: str) -> KnownOrder | None:
    """What the channel told of the order last; None if nothing."""
    row = (await connection.execute(_FIND, {"channel": channel, "number": number})).one_or_none()
    return None if row is None else KnownOrder(row.version, ChannelState(row.state), row.order_id, row.document)


async def put(
    connection: AsyncConnection,
    channel: str,
    number: str,
    *,
    version: str,
    state: ChannelState,
    order_id: str | None,
    document: str | None,
) -> None:
    """Keep what the channel tells of the order now. An order id that is known stays."""
    values = {"version": version, "state": state, "order_id": order_id, "document": document}
    await connection.execute(_PUT, {"channel": channel, "number": number, **values})
