"""Inbound against the ledger: what a transfer took from its origin, and what came in.

What was received of a line is the sum of its receipts, and can be mended. An entry of the ledger that is missing or
says another number than the shipment or the receipt is for a person: whether the units are there, the goods know.
An entry may say nothing where the node was counted after the goods moved: the count has seen them.
"""

from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.enums import InboundKind, InboundStatus, LedgerKind
from store.reconcile.differences import CannotMendError, StockDifference, StockFault, Subject, SubjectKind

_RECEIPTS: Final = """
SELECT r.reference, 'inbound/' || r.reference || '/receive/' || r.key AS business_key, r.node_id, r.occurred_at,
       x.sku, coalesce(x.quantity, 0) AS quantity, coalesce(x.damaged, 0) AS damaged,
       coalesce(x.quarantine, 0) AS quarantine
FROM inbound_receipts r CROSS JOIN LATERAL jsonb_to_recordset(
    CASE jsonb_typeof(r.lines) WHEN 'array' THEN r.lines ELSE '[]' END)
    AS x (sku text, quantity bigint, damaged bigint, quarantine bigint)"""
_OUR_RETURN: Final = "(i.kind = 'return' AND EXISTS (SELECT FROM returns o WHERE o.id = i.reference))"
_SENT: Final = f"i.status IN ('{InboundStatus.IN_TRANSIT}', '{InboundStatus.RECEIVED}')"

DIFFERING: Final = f"""
WITH entry AS (
    SELECT business_key, node_id, sku, kind = '{LedgerKind.TRANSFER_OUT}' AS leaves, sum(on_hand_delta) AS on_hand,
           sum(damaged_delta) AS damaged, sum(quarantine_delta) AS quarantine
    FROM stock_ledger WHERE starts_with(business_key, 'inbound/') GROUP BY 1, 2, 3, 4
), receipt AS ({_RECEIPTS}
), came AS (
    SELECT reference, sku, sum(quantity + damaged + quarantine) AS units FROM receipt GROUP BY reference, sku
), line AS (
    SELECT 'inbound/' || i.reference || '/ship' AS business_key, i.origin_node AS node_id, l.sku, i.reference, i.status,
           CASE WHEN {_SENT} THEN l.quantity ELSE 0 END AS units
    FROM inbound i JOIN inbound_lines l USING (reference) WHERE i.kind = '{InboundKind.TRANSFER}'
)
SELECT '{StockFault.INBOUND_RECEIVED}' AS fault, l.reference, l.sku, l.received AS says, coalesce(c.units, 0) AS other,
       '' AS business_key
FROM inbound_lines l JOIN inbound i USING (reference) LEFT JOIN came c USING (reference, sku)
WHERE l.received IS DISTINCT FROM coalesce(c.units, 0) AND NOT coalesce({_OUR_RETURN}, false)
UNION ALL
SELECT '{StockFault.INBOUND_SENT}', l.reference, sku, l.units, -coalesce(e.on_hand, 0), business_key
FROM line l FULL JOIN (SELECT * FROM entry WHERE leaves) e USING (business_key, node_id, sku)
LEFT JOIN stock s USING (node_id, sku)
WHERE coalesce(l.units, 0) <> -coalesce(e.on_hand, 0) AND NOT (e.on_hand IS NULL AND s.counted_at IS NOT NULL)
UNION ALL
SELECT '{StockFault.INBOUND_ENTRY}', r.reference, sku, r.quantity + r.damaged + r.quarantine,
       coalesce(e.on_hand, 0) + coalesce(e.damaged, 0) + coalesce(e.quarantine, 0), business_key
FROM receipt r FULL JOIN (SELECT * FROM entry WHERE NOT leaves) e USING (business_key, node_id, sku)
LEFT JOIN stock s USING (node_id, sku)
WHERE r.reference IS NULL OR r.damaged <> coalesce(e.damaged, 0) OR r.quarantine <> coalesce(e.quarantine, 0)
   OR (r.quantity <> coalesce(e.on_hand, 0)
       AND NOT (coalesce(e.on_hand, 0) = 0 AND coalesce(s.counted_at >= r.occurred_at, false)))
ORDER BY 2, 3, 1"""


def of_inbound(row: RowMapping) -> StockDifference:
    """A row of `DIFFERING` in words."""
    fault = StockFault(row["fault"])
    # An entry whose inbound is gone is known by its key alone.
    subject = Subject(SubjectKind.INBOUND, (row["reference"] or row["business_key"], row["sku"]))
    says, other = row["says"], row["other"]
    if fault is StockFault.INBOUND_RECEIVED:
        detail = f"{'NULL' if says is None else says} received, its receipts say {other}"
        return StockDifference(fault, subject, detail, f"{other} received")
    told = "were sent" if fault is StockFault.INBOUND_SENT else "came with a receipt"
    said = f"{says} {told}" if row["reference"] else f"nothing {told}"
    return StockDifference(
        fault, subject, f"{said}, the ledger says {other}", "none: a person must look", row["business_key"]
    )


_LOCK = text("SELECT FROM inbound WHERE reference = :reference FOR UPDATE")
_SETTLE = text(f"""
UPDATE inbound_lines l SET received = came.units
FROM (SELECT coalesce(sum(quantity + damaged + quarantine), 0) AS units FROM ({_RECEIPTS}) r
      WHERE r.reference = :reference AND r.sku = :sku) came,
     inbound i
WHERE l.reference = :reference AND l.sku = :sku AND i.reference = l.reference
  AND l.received IS DISTINCT FROM came.units AND NOT coalesce({_OUR_RETURN}, false)
""")


async def repair_transit(connection: AsyncConnection, subject: Subject) -> None:
    """Bring what was received of a line back to its receipts. Raises CannotMendError if that is not what is wrong."""
    reference, sku = subject.parts
    line = {"reference": reference, "sku": sku}
    await connection.execute(_LOCK, line)
    if not (await connection.execute(_SETTLE, line)).rowcount:
        raise CannotMendError("the ledger and the goods disagree: look at the papers, count, and adjust the nodes")
