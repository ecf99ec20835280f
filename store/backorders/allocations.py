"""Units allocated to a waiting order: a soft reservation of its own, which grows with each grant.

It is `ready` when the order is to take what it has; units of an order that is to be shipped complete and still lacks
something are allocated without that, and for longer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import ALLOCATION, OFL
from dom.stock.allocation import Balance
from store.stock import soft

READY_SECONDS: Final = 15 * 60
"""How long units stay allocated to an order that is told of them; what it does not take is dealt out anew."""
LACKING_SECONDS: Final = 24 * 60 * 60
"""How long units stay allocated to an order that still lacks others. A background job renews it."""


@dataclass(frozen=True, slots=True)
class AllocationShare:
    """Units to be added to what is allocated to an order, and whether it is to take what it has then."""

    order_id: str
    channel: str
    units: Mapping[Balance, int]
    ready: bool


def soft_id(order_id: str) -> str:
    """The id of the soft reservation in which units are allocated to an order; no caller can give such a one."""
    return f"waiting/{order_id}"


# The balances are locked by the caller, and nothing on them has lapsed. Entries are told apart by the reservation's id,
# because the same balance may be granted from many times.
_SET_ASIDE = text(f"""
WITH share AS (
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:owners AS text[]), CAST(:channels AS text[]),
                         CAST(:seconds AS int[]), CAST(:orders AS text[]), CAST(:readies AS boolean[]))
        AS g (id, owner, channel, seconds, order_id, ready)
), unit AS (
    SELECT * FROM unnest(CAST(:u_ids AS text[]), CAST(:u_nodes AS text[]), CAST(:u_skus AS text[]),
                         CAST(:u_quantities AS int[])) AS u (id, node_id, sku, quantity)
), taken AS (
    UPDATE stock s SET reserved_soft = s.reserved_soft + t.units, updated_at = now()
    FROM (SELECT node_id, sku, sum(quantity)::int AS units FROM unit GROUP BY node_id, sku) t
    WHERE s.node_id = t.node_id AND s.sku = t.sku
), kept AS (
    INSERT INTO soft_reservations (id, channel, owner, reason, document, backorder_of, ready, expires_at)
    SELECT id, channel, owner, 'waiting order', '{{}}', order_id, ready,
           statement_timestamp() + make_interval(secs => seconds)
    FROM share
    ON CONFLICT (id) DO UPDATE SET status = 'active', order_id = NULL, ready = EXCLUDED.ready,
        expires_at = EXCLUDED.expires_at
), renewed AS (
    UPDATE reservations r SET expires_at = statement_timestamp() + make_interval(secs => g.seconds)
    FROM share g WHERE r.soft_id = g.id AND r.status = 'active' AND r.expires_at > statement_timestamp()
), held AS (
    INSERT INTO reservations (kind, status, node_id, sku, quantity, soft_id, expires_at)
    SELECT 'soft', 'active', u.node_id, u.sku, u.quantity, u.id,
           statement_timestamp() + make_interval(secs => g.seconds)
    FROM unit u JOIN share g USING (id) RETURNING id, node_id, sku, quantity, soft_id
)
INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, reason, actor, occurred_at)
SELECT node_id, sku, 'soft_reserve', quantity, soft_id || '/soft/' || id, 'allocated to a waiting order',
       '{ALLOCATION}', statement_timestamp() FROM held
""")


async def add(connection: AsyncConnection, shares: Iterable[AllocationShare]) -> None:
    """Allocate units, in one statement. The caller has locked the balances and knows that the units are free."""
    shares = list(shares)
    units = [(share.order_id, node, sku, n) for share in shares for (node, sku), n in share.units.items()]
    await connection.execute(
        _SET_ASIDE,
        {
            "ids": [soft_id(share.order_id) for share in shares],
            "owners": [f"order/{share.order_id}" for share in shares],
            "channels": [share.channel for share in shares],
            "seconds": [READY_SECONDS if share.ready else LACKING_SECONDS for share in shares],
            "orders": [share.order_id for share in shares],
            "readies": [share.ready for share in shares],
            "u_ids": [soft_id(order_id) for order_id, _, _, _ in units],
            "u_nodes": [node for _, node, _, _ in units],
            "u_skus": [sku for _, _, sku, _ in units],
            "u_quantities": [n for _, _, _, n in units],
        },
    )


async def lock_order(connection: AsyncConnection, order_id: str) -> None:
    """From here to the end of the transaction no run grants the order anything: its units are on the move."""
    await connection.execute(text("SELECT FROM orders WHERE id = :id FOR NO KEY UPDATE"), {"id": order_id})


_OF_ORDER = text("""
SELECT r.node_id, r.sku, sum(r.quantity)::int AS units, bool_and(h.ready) AS ready
FROM soft_reservations h JOIN reservations r ON r.soft_id = h.id
WHERE h.id = :id AND r.status = 'active' AND r.expires_at > statement_timestamp() GROUP BY r.node_id, r.sku
""")
_DECLINE = text("""
UPDATE soft_reservations SET declined = coalesce(declined, '{}') || (
    SELECT jsonb_object_agg(balance, statement_timestamp()) FROM unnest(CAST(:balances AS text[])) AS b (balance))
WHERE id = :id
""")


async def take_allocated(
    connection: AsyncConnection, order_id: str, planned: Mapping[Balance, int]
) -> Mapping[Balance, int]:
    """The order has planned anew: what is allocated to it becomes free for it to take, in the same transaction.

    The rows it will take are locked together with those it gives back, which are answered. What it does not use others
    may have, and it is not granted the same again for a while, or they would be offered to it without end. An order
    that takes nothing because it still lacks something keeps what it has. Call it before the units are reserved, after
    `lock_order`.
    """
    rows = (await connection.execute(_OF_ORDER, {"id": soft_id(order_id)})).all()
    owned: Mapping[Balance, int] = {}
    if not rows or not (planned or rows[0].ready):
        return owned
    if planned:
        owned = await soft.convert(connection, soft_id(order_id), order_id, also=sorted(planned))
    else:
        await soft.release(connection, soft_id(order_id), reason="cannot be used", actor=OFL)
    unused = [row for row in rows if planned.get((row.node_id, row.sku), 0) < row.units]
    if unused:
        balances = [f"{row.node_id}/{row.sku}" for row in unused]
        await connection.execute(_DECLINE, {"id": soft_id(order_id), "balances": balances})
    return owned


async def give_up(connection: AsyncConnection, order_id: str, *, reason: str, actor: str) -> bool:
    """What is allocated to the order goes back; if it still waits for some of it, the next run grants that anew.

    False if nothing was.
    """
    return await soft.release(connection, soft_id(order_id), reason=reason, actor=actor)
