"""Messages to customers and to the webhook that is told of orders: written with the change they tell of.

They stand in the outbox; `store.notifications.outbox` is how they leave.
"""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.notifications.messages import MessageKind
from store.database.parameters import to_json
from store.notifications import outbox

# A mail to the customer and, where :webhook, a webhook.
_WRITE: Final = text(
    outbox.writing("""
SELECT :order_id || '/' || :message_key || '/' || m.medium AS business_key, CAST(:order_id AS text) AS order_id,
       CAST(:message_key AS text) AS message_key, CAST(:kind AS text) AS kind, m.medium, m.recipient, m.receiver,
       CAST(:context AS jsonb) AS payload
FROM (
    SELECT 'mail' AS medium, document->'customer'->>'email' AS recipient,
           'mail/' || (document->'customer'->>'email') AS receiver
    FROM orders WHERE id = :order_id
    UNION ALL
    SELECT 'webhook', channel, 'webhook/' || id FROM orders WHERE id = :order_id AND :webhook
) AS m
""")
)


async def write(
    connection: AsyncConnection,
    order_id: str,
    message_key: str,
    kind: MessageKind,
    *,
    context: dict[str, Any],
    webhook: bool,
) -> None:
    """Write what is to be told, once under a key: a mail to the customer and, where one is configured, a webhook.

    It is sent once the transaction is committed, whether the order's process still runs or not. Of one order, and to
    one mail address, what was written first goes first.
    """
    await connection.execute(
        _WRITE,
        {
            "order_id": order_id,
            "message_key": message_key,
            "kind": kind,
            "context": to_json(context),
            "webhook": webhook,
        },
    )
