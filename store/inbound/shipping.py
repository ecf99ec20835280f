"""Leaving: goods are on their way; the units of a transfer are no longer at its origin."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import UNLIMITED, Limits
from dom.shared.errors import StepNotPossible, StockConflict
from store.database.parameters import HAPPENED_AT
from store.enums import InboundKind, InboundStatus
from store.inbound.rows import Inbound, come_to, lock, must_be_within

_LOCK_ORIGIN = text("""
SELECT s.sku FROM stock s JOIN inbound_lines l USING (sku)
WHERE l.reference = :reference AND s.node_id = :origin ORDER BY s.node_id, s.sku FOR NO KEY UPDATE OF s
""")
_RECLAIM = text("SELECT reclaim_lapsed(CAST(:nodes AS text[]), CAST(:skus AS text[]))")
_SHIP = text(f"""
WITH room AS (
    SELECT l.sku, l.quantity, coalesce(free_units(s.on_hand, s.reserved, s.reserved_soft, 0), 0) AS free,
           CASE WHEN s.counted_at >= {HAPPENED_AT} THEN 0 ELSE l.quantity END AS leaving
    FROM inbound_lines l LEFT JOIN stock s ON s.sku = l.sku AND s.node_id = :origin WHERE l.reference = :reference
), short AS (
    SELECT sku, quantity, free FROM room WHERE leaving > free
), gone AS (
    UPDATE stock s SET on_hand = s.on_hand - r.leaving, updated_at = now()
    FROM room r WHERE NOT EXISTS (SELECT FROM short) AND r.leaving > 0 AND s.node_id = :origin AND s.sku = r.sku
    RETURNING s.node_id, s.sku, r.leaving
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, reason, actor, occurred_at)
    SELECT node_id, sku, 'transfer_out', -leaving, 'inbound/' || :reference || '/ship', 'to ' || :node_id, :actor,
           {HAPPENED_AT}
    FROM gone
)
SELECT sku, quantity, free FROM short ORDER BY sku
""")


async def ship(
    connection: AsyncConnection, reference: str, *, actor: str, at: datetime, limits: Limits = UNLIMITED
) -> None:
    """The goods are on their way; once is as good as twice. The units of a transfer leave their origin, all or none.

    Reserved units never leave; safety stock may. Where the goods left before the node's last count, the count has seen
    that they are gone. Raises NotFound, StepNotPossible, and StockConflict with each SKU that is short; the
    transaction must then end. Forbidden unless the node it leaves is within the limits; of what leaves no node of ours,
    the node it goes to.
    """
    known = await lock(connection, reference, limits)
    must_be_within(limits, known.origin_node or known.node_id)
    has_left = known.status is InboundStatus.RECEIVED and known.kind is InboundKind.TRANSFER
    if known.status is InboundStatus.IN_TRANSIT or has_left:
        return
    if known.status is not InboundStatus.ANNOUNCED:
        raise StepNotPossible(f"{reference} is {known.status}", data={"status": known.status})
    if known.kind is InboundKind.TRANSFER:
        await _leave(connection, known, actor, at)
    await come_to(connection, reference, InboundStatus.IN_TRANSIT, actor)


async def _leave(connection: AsyncConnection, known: Inbound, actor: str, at: datetime) -> None:
    place = {"reference": known.reference, "origin": known.origin_node}
    skus = list(await connection.scalars(_LOCK_ORIGIN, place))
    # What lapsed is free; and what is free is read after the rows are locked, when nobody can change it any more.
    await connection.execute(_RECLAIM, {"nodes": [known.origin_node] * len(skus), "skus": skus})
    rows = await connection.execute(_SHIP, place | {"node_id": known.node_id, "actor": actor, "at": at})
    short = [dict(row) for row in rows.mappings()]
    if short:
        said = "; ".join(f"{row['sku']}: {row['quantity']} to go, {row['free']} free" for row in short[:5])
        raise StockConflict(f"{known.origin_node} cannot send it ({said})", data={"short": short})
