"""Messages to customers and to the webhook that is told of orders: written with the change they tell of.

They stand in the outbox; `store.notifications.outbox` is how they leave.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.notifications.messages import Medium, MessageKind
from store.notifications import outbox
from store.notifications.outbox import Entry

_TO_PLATFORM: Final = "channel.order"


def to_customer(
    order_id: str, message_key: str, kind: MessageKind, *, context: Mapping[str, Any], webhook: bool
) -> list[Entry]:
    """What is to be told, once under a key: a mail to the customer, where one is configured a webhook, and the platform
    of a channel that is told of its orders.

    It is sent once the transaction is committed, whether the order's process still runs or not. Of one order, and to
    one mail address, what was written first goes first.
    """
    return [
        Entry(
            business_key=f"{order_id}/{message_key}/{medium}",
            kind=kind,
            medium=medium,
            recipient=None,
            receiver=None,
            payload=dict(context),
            order_id=order_id,
            message_key=message_key,
        )
        for medium in (Medium.MAIL, *([Medium.WEBHOOK] if webhook else []))
    ] + [to_platform(order_id, message_key)]


def to_platform(order_id: str, key: str) -> Entry:
    """That the platform of the order's channel is to be told how it stands; left out where the channel is told nothing.

    What is said is worked out when it leaves.
    """
    return Entry(
        business_key=f"{order_id}/{key}/{Medium.CHANNEL}",
        kind=_TO_PLATFORM,
        medium=Medium.CHANNEL,
        recipient=None,
        receiver=None,
        payload={"order_id": order_id},
        order_id=order_id,
    )


async def write(
    connection: AsyncConnection,
    order_id: str,
    message_key: str,
    kind: MessageKind,
    *,
    context: Mapping[str, Any],
    webhook: bool,
) -> None:
    """Write what is to be told; see `to_customer`."""
    await outbox.write(connection, *to_customer(order_id, message_key, kind, context=context, webhook=webhook))


_FIND = text("""
SELECT order_id, business_key, message_key, kind, medium, payload, status,
       (SELECT count(*) FROM timeline t WHERE t.order_id = o.order_id AND t.kind = 'message_resent'
        AND t.data->>'message_id' = CAST(o.id AS text)) AS times
FROM outbox o WHERE id = :id AND message_key IS NOT NULL AND order_id IS NOT NULL
""")


async def find(connection: AsyncConnection, message_id: int) -> RowMapping | None:
    """A message about an order, and how often it was sent once more (`times`); None if there is none."""
    return (await connection.execute(_FIND, {"id": message_id})).mappings().one_or_none()


async def latest(connection: AsyncConnection, order_id: str, message_key: str, medium: str) -> RowMapping:
    """The message that was written under a key: its id, status and when it was written."""
    rows = await connection.execute(
        text("""
        SELECT id, order_id, message_key, kind, medium, status, created_at, sent_at
        FROM outbox WHERE order_id = :order_id AND message_key = :key AND medium = :medium ORDER BY id DESC LIMIT 1
        """),
        {"order_id": order_id, "key": message_key, "medium": medium},
    )
    return rows.mappings().one()
