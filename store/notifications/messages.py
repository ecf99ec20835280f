"""Messages to customers and channels: written with the change they tell of, claimed before they leave."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.notifications.messages import MessageKind
from store.database.parameters import to_json
from store.enums import MessageStatus
from store.exceptions import opening

_WRITE = text("""
INSERT INTO messages (business_key, order_id, occasion, kind, medium, recipient, context, status)
SELECT :order_id || '/' || :occasion || '/' || m.medium, :order_id, :occasion, :kind, m.medium, m.recipient,
       CAST(:context AS jsonb), 'pending'
FROM (SELECT 'mail' AS medium, document->'customer'->>'email' AS recipient FROM orders WHERE id = :order_id
      UNION ALL SELECT 'webhook', channel FROM orders WHERE id = :order_id AND :webhook) AS m
ON CONFLICT (business_key) DO NOTHING
""")


async def write(
    connection: AsyncConnection,
    order_id: str,
    occasion: str,
    kind: MessageKind,
    *,
    context: dict[str, Any],
    webhook: bool,
) -> None:
    """Write what is to be told on an occasion: a mail to the customer and, where one is configured, a webhook."""
    await connection.execute(
        _WRITE,
        {"order_id": order_id, "occasion": occasion, "kind": kind, "context": to_json(context), "webhook": webhook},
    )


async def unsent(connection: AsyncConnection, order_id: str, occasion: str) -> Sequence[RowMapping]:
    """The messages of an occasion that have not gone out as far as anybody knows."""
    rows = await connection.execute(
        text("""
        SELECT id, business_key, kind, medium, recipient, context FROM messages
        WHERE order_id = :order_id AND occasion = :occasion AND status IN ('pending', 'sending') ORDER BY id
        """),
        {"order_id": order_id, "occasion": occasion},
    )
    return rows.mappings().all()


_UNCERTAIN = f"""
    SELECT CAST(:order_id AS text), '{ExceptionKind.MESSAGE_UNCERTAIN}', business_key,
           kind || ' to ' || recipient || ' - its sender died, whether it arrived is not known'
    FROM claimed WHERE status = 'uncertain'"""
_CLAIM = text(f"""
WITH before AS (
    SELECT id, status FROM messages
    WHERE order_id = :order_id AND occasion = :occasion AND status IN ('pending', 'sending') FOR UPDATE
), claimed AS (
    UPDATE messages m
    SET status = CASE WHEN b.status = 'sending' AND m.medium = 'mail' THEN 'uncertain' ELSE 'sending' END
    FROM before b WHERE b.id = m.id
    RETURNING m.id, m.business_key, m.kind, m.medium, m.recipient, m.context, m.status
), doubted AS (
    {opening(_UNCERTAIN)}
)
SELECT * FROM claimed
""")


async def claim(connection: AsyncConnection, order_id: str, occasion: str) -> Sequence[RowMapping]:
    """Claim the unsent messages of an occasion.

    A mail found claimed already was on its way when its sender died: whether it arrived nobody knows, so it becomes
    `uncertain`, stands in the exception queue and is not sent again. A webhook carries an id its receiver knows again,
    and is.
    """
    rows = await connection.execute(_CLAIM, {"order_id": order_id, "occasion": occasion})
    return rows.mappings().all()


_GIVEN_UP = f"""
SELECT CAST(:order_id AS text), '{ExceptionKind.MESSAGE_GIVEN_UP}', business_key,
       kind || ' to ' || recipient || ' - ' || error FROM given_up"""
_GIVE_UP = text(f"""
WITH given_up AS (
    UPDATE messages SET status = 'failed'
    WHERE order_id = :order_id AND occasion = :occasion AND status IN ('pending', 'sending')
    RETURNING business_key, kind, recipient, error
)
{opening(_GIVEN_UP)}
""")


async def give_up(connection: AsyncConnection, order_id: str, occasion: str) -> None:
    """The occasion's unsent messages have failed, and stand in the exception queue."""
    await connection.execute(_GIVE_UP, {"order_id": order_id, "occasion": occasion})


async def settle(connection: AsyncConnection, message_id: int, status: MessageStatus, error: str = "") -> None:
    """Write what became of a claimed message."""
    await connection.execute(
        text("""
        UPDATE messages SET status = :status, error = :error,
            sent_at = CASE WHEN :sent THEN now() ELSE sent_at END WHERE id = :id
        """),
        {"id": message_id, "status": status, "error": error[:500], "sent": status is MessageStatus.SENT},
    )


_DETAILS = text("""
SELECT o.id, o.external_id, o.channel, o.document->'customer'->>'name' AS customer_name, o.promise_earliest,
       o.promise_latest, o.status,
       (SELECT jsonb_agg(jsonb_build_array(l.line_id, l.sku, s.document->>'description', l.quantity)
                         ORDER BY l.position)
        FROM order_lines l JOIN skus s ON s.id = l.sku WHERE l.order_id = o.id) AS lines,
       f.promise_earliest AS f_earliest, f.promise_latest AS f_latest,
       CASE WHEN n.is_told THEN n.document->>'name' END AS node_name,
       CASE WHEN n.is_told THEN n.document->'address' END AS node_address,
       (SELECT jsonb_object_agg(line_id, quantity) FROM fulfilment_lines
        WHERE fulfilment_id = f.id AND quantity > 0) AS f_lines,
       sh.carrier, sh.tracking_number
FROM orders o
LEFT JOIN fulfilments f ON f.id = CAST(:fulfilment_id AS text)
LEFT JOIN LATERAL (
    SELECT p.document, CAST(:node_id AS text) IS NOT NULL OR f.id IS NULL OR f.method = 'pickup' AS is_told
    FROM nodes p WHERE p.id = coalesce(CAST(:node_id AS text), f.node_id, o.document->>'pickup_node')) n ON true
LEFT JOIN LATERAL (
    SELECT s.carrier, s.tracking_number FROM shipment_fulfilments sf JOIN shipments s ON s.id = sf.shipment_id
    WHERE sf.fulfilment_id = f.id AND s.status <> 'voided' ORDER BY s.booked_at DESC LIMIT 1) sh ON true
WHERE o.id = :order_id
""")


async def details(
    connection: AsyncConnection, order_id: str, *, fulfilment_id: str | None = None, node_id: str | None = None
) -> RowMapping:
    """What a message may tell of an order, and of one of its fulfilments or a node.

    A node is named only where the customer has to go there, or to send something there.
    """
    rows = await connection.execute(
        _DETAILS, {"order_id": order_id, "fulfilment_id": fulfilment_id, "node_id": node_id}
    )
    return rows.mappings().one()
