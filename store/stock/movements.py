"""Changes of what a node holds, outside the order flow: each once per business key, with its ledger entry."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.parameters import HAPPENED_AT
from store.enums import LedgerKind


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of what a node holds of a SKU, by condition; the business key makes it happen once.

    `quantity` is the change of sellable units on hand.
    """

    node_id: str
    sku: str
    quantity: int
    kind: LedgerKind
    reason: str
    business_key: str
    damaged: int = 0
    quarantine: int = 0
    reason_code: str | None = None


_MOVE = text(f"""
WITH fresh AS (
    SELECT 1 WHERE NOT EXISTS (
        SELECT FROM stock_ledger WHERE business_key = :business_key AND node_id = :node_id AND sku = :sku)
), known AS (
    UPDATE stock SET on_hand = on_hand + CASE WHEN counted_at >= {HAPPENED_AT} THEN 0 ELSE :quantity END,
                     damaged = damaged + :damaged, quarantine = quarantine + :quarantine, updated_at = now()
    WHERE node_id = :node_id AND sku = :sku AND EXISTS (SELECT FROM fresh)
    RETURNING on_hand, reserved, reserved_soft, safety_stock, damaged, quarantine,
              CASE WHEN counted_at >= {HAPPENED_AT} THEN 0 ELSE :quantity END AS moved
), opened AS (
    INSERT INTO stock AS s (node_id, sku, on_hand, damaged, quarantine)
    SELECT :node_id, :sku, :quantity, :damaged, :quarantine FROM fresh WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (node_id, sku) DO UPDATE SET on_hand = s.on_hand + EXCLUDED.on_hand,
        damaged = s.damaged + EXCLUDED.damaged, quarantine = s.quarantine + EXCLUDED.quarantine, updated_at = now()
    RETURNING on_hand, reserved, reserved_soft, safety_stock, damaged, quarantine, CAST(:quantity AS int) AS moved
), moved AS (
    SELECT * FROM known UNION ALL SELECT * FROM opened
), noted AS (
    INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, damaged_delta, quarantine_delta, business_key,
                              order_id, reason_code, reason, actor, occurred_at)
    SELECT :node_id, :sku, :kind, moved, :damaged, :quarantine, :business_key, CAST(:order_id AS text),
           CAST(:reason_code AS text), :reason, :actor, {HAPPENED_AT}
    FROM moved WHERE moved <> 0 OR :damaged <> 0 OR :quarantine <> 0
)
SELECT on_hand, reserved, reserved_soft, safety_stock, damaged, quarantine, true AS applied FROM moved
UNION ALL
SELECT on_hand, reserved, reserved_soft, safety_stock, damaged, quarantine, false FROM stock
WHERE node_id = :node_id AND sku = :sku AND NOT EXISTS (SELECT FROM fresh)
""")


async def move(
    connection: AsyncConnection, movement: Movement, *, actor: str, at: datetime, order_id: str | None = None
) -> RowMapping:
    """Change what a node holds once per business key, with its ledger entry.

    What happened by the time of the node's last count the count has seen: sellable units are not moved again then.
    Answers the balance after the change, and whether this call made it. The database refuses (IntegrityError) what
    would take units that are reserved, or an unknown node or SKU.
    """
    row = await connection.execute(
        _MOVE,
        {
            "node_id": movement.node_id,
            "sku": movement.sku,
            "quantity": movement.quantity,
            "damaged": movement.damaged,
            "quarantine": movement.quarantine,
            "reason_code": movement.reason_code,
            "kind": movement.kind,
            "reason": movement.reason,
            "business_key": movement.business_key,
            "order_id": order_id,
            "actor": actor,
            "at": at,
        },
    )
    return row.mappings().one()
