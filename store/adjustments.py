"""Changes of stock from outside the order flow: a receipt, damage, a loss. Each once, each for itself.

A change that happened before the node's last count was seen by it: what it did to sellable units is done already, and
it is `superseded`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.status import Condition, ReasonCode
from store.feeding import ANSWERED, MOST_UNITS, Balances, ItemResult, result
from store.kinds import LedgerKind
from store.rows import to_rows

KEY: Final = "adjustment:"
"""Keeps the keys callers choose apart from the house's own."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of the units of a condition; positive comes in, negative goes out.

    With `to` the units (a positive quantity) move from `condition` to that one.
    """

    node_id: str
    sku: str
    quantity: int
    reason: str
    idempotency_key: str
    occurred_at: datetime
    reason_code: ReasonCode | None = None
    condition: Condition = Condition.SELLABLE
    to: Condition | None = None

    def deltas(self) -> dict[str, int]:
        """The change of each condition's units."""
        changes = dict.fromkeys(("on_hand", "damaged", "quarantine"), 0)
        changes[_COLUMN[self.condition]] = self.quantity if self.to is None else -self.quantity
        if self.to is not None:
            changes[_COLUMN[self.to]] = self.quantity
        return changes

    @property
    def kind(self) -> LedgerKind:
        """What the ledger calls it."""
        if self.to is not None:
            return LedgerKind.CONDITION
        receipt = self.reason_code is ReasonCode.RECEIPT or self.reason.startswith("receipt")
        return LedgerKind.RECEIPT if receipt else LedgerKind.ADJUSTMENT


_COLUMN: Final = {
    Condition.SELLABLE: "on_hand",
    Condition.DAMAGED: "damaged",
    Condition.QUARANTINE: "quarantine",
}
_POSSIBLE: Final = f"""
{{on_hand}} BETWEEN reserved + reserved_soft AND {MOST_UNITS} AND {{damaged}} BETWEEN 0 AND {MOST_UNITS}
AND {{quarantine}} BETWEEN 0 AND {MOST_UNITS}
"""


def _possible(on_hand: str, damaged: str, quarantine: str) -> str:
    return f"({_POSSIBLE.format(on_hand=on_hand, damaged=damaged, quarantine=quarantine)})"


def statement(rows: str, tail: str, key_field: str = "idempotency_key") -> str:
    """SQL that makes the changes of a relation, in sequence, on balances that are locked.

    `rows` has no, node_id, sku, on_hand, damaged, quarantine, kind, reason, reason_code, business_key, at; `tail` ends
    the statement and reads `verdict`. A change that does not fit is refused and holds back none of the others.
    Balances on which all fit are worked out as sums; only the others are walked through change by change.
    """
    return f"""
    WITH RECURSIVE item AS MATERIALIZED (
        SELECT i.no, i.node_id, i.sku, i.damaged, i.quarantine, i.kind, i.reason, i.reason_code, i.business_key,
               i.on_hand AS asked, CASE WHEN i.at <= s.counted_at THEN 0 ELSE i.on_hand END AS on_hand,
               least(i.at, statement_timestamp()) AS at,
               coalesce(s.on_hand, 0) AS was_on_hand, coalesce(s.damaged, 0) AS was_damaged,
               coalesce(s.quarantine, 0) AS was_quarantine, coalesce(s.reserved, 0) AS reserved,
               coalesce(s.reserved_soft, 0) AS reserved_soft, coalesce(s.safety_stock, 0) AS safety_stock,
               CASE WHEN n.id IS NULL THEN 'unknown-node' WHEN k.id IS NULL THEN 'unknown-sku'
                    WHEN e.damaged_delta <> i.damaged OR e.quarantine_delta <> i.quarantine
                         OR e.on_hand_delta <> i.on_hand AND (
                             e.on_hand_delta <> 0 OR i.damaged = 0 AND i.quarantine = 0) THEN 'conflict'
                    END AS problem,
               e.id IS NOT NULL AS done, e.on_hand_delta + e.damaged_delta + e.quarantine_delta AS done_before,
               i.at <= s.counted_at AND i.damaged = 0 AND i.quarantine = 0 AS seen,
               row_number() OVER (PARTITION BY i.business_key, i.node_id, i.sku ORDER BY i.no) AS copy
        FROM ({rows}) i LEFT JOIN nodes n ON n.id = i.node_id LEFT JOIN skus k ON k.id = i.sku
        LEFT JOIN stock s ON s.node_id = i.node_id AND s.sku = i.sku
        LEFT JOIN stock_ledger e ON e.business_key = i.business_key AND e.node_id = i.node_id AND e.sku = i.sku
    ), new AS (
        SELECT *, problem IS NULL AND NOT done AND seen IS NOT TRUE AS tried FROM item
    ), running AS (
        SELECT n.*, row_number() OVER way AS place, was_on_hand + sum(on_hand) OVER way AS to_on_hand,
               was_damaged + sum(damaged) OVER way AS to_damaged,
               was_quarantine + sum(quarantine) OVER way AS to_quarantine
        FROM new n WHERE tried AND copy = 1 WINDOW way AS (PARTITION BY node_id, sku ORDER BY no)
    ), sorted AS MATERIALIZED (
        SELECT *, bool_and({_possible("to_on_hand", "to_damaged", "to_quarantine")})
                  OVER (PARTITION BY node_id, sku) AS easy FROM running
    ), walked AS (
        SELECT w.*, {_possible("on_hand_then", "damaged_then", "quarantine_then")} AS fits
        FROM (SELECT node_id, sku, place, no, reserved, reserved_soft, was_on_hand::bigint AS on_hand_before,
                     was_damaged::bigint AS damaged_before, was_quarantine::bigint AS quarantine_before,
                     was_on_hand::bigint + on_hand AS on_hand_then, was_damaged::bigint + damaged AS damaged_then,
                     was_quarantine::bigint + quarantine AS quarantine_then
              FROM sorted WHERE NOT easy AND place = 1) w
        UNION ALL
        SELECT w.*, {_possible("on_hand_then", "damaged_then", "quarantine_then")}
        FROM (SELECT s.node_id, s.sku, s.place, s.no, s.reserved, s.reserved_soft, b.on_hand, b.damaged, b.quarantine,
                     b.on_hand + s.on_hand AS on_hand_then, b.damaged + s.damaged AS damaged_then,
                     b.quarantine + s.quarantine AS quarantine_then
              FROM walked p
              CROSS JOIN LATERAL (
                  SELECT CASE WHEN p.fits THEN p.on_hand_then ELSE p.on_hand_before END AS on_hand,
                         CASE WHEN p.fits THEN p.damaged_then ELSE p.damaged_before END AS damaged,
                         CASE WHEN p.fits THEN p.quarantine_then ELSE p.quarantine_before END AS quarantine) b
              JOIN sorted s ON s.node_id = p.node_id AND s.sku = p.sku AND s.place = p.place + 1) w
    ), first AS MATERIALIZED (
        SELECT s.*, s.easy OR w.fits AS fits,
               CASE WHEN s.easy THEN s.to_on_hand WHEN w.fits THEN w.on_hand_then ELSE w.on_hand_before END
                   AS now_on_hand,
               CASE WHEN s.easy THEN s.to_damaged WHEN w.fits THEN w.damaged_then ELSE w.damaged_before END
                   AS now_damaged,
               CASE WHEN s.easy THEN s.to_quarantine WHEN w.fits THEN w.quarantine_then ELSE w.quarantine_before END
                   AS now_quarantine,
               greatest(w.on_hand_then, w.damaged_then, w.quarantine_then) > {MOST_UNITS} AS too_many
        FROM sorted s LEFT JOIN walked w ON w.no = s.no
    ), judged AS (
        SELECT no, node_id, sku, CASE WHEN fits THEN 'applied' ELSE 'refused' END AS outcome,
               CASE WHEN too_many THEN 'invalid-input' WHEN NOT fits THEN 'stock-conflict' END AS problem,
               asked, damaged, quarantine, done_before, now_on_hand, now_damaged, now_quarantine, reserved,
               reserved_soft, safety_stock
        FROM first
        UNION ALL
        SELECT c.no, c.node_id, c.sku, CASE WHEN f.fits AND NOT other THEN 'repeated' ELSE 'refused' END,
               CASE WHEN other THEN 'conflict' WHEN f.too_many THEN 'invalid-input'
                    WHEN NOT f.fits THEN 'stock-conflict' END,
               c.asked, c.damaged, c.quarantine, f.on_hand + f.damaged + f.quarantine, f.now_on_hand, f.now_damaged,
               f.now_quarantine, c.reserved, c.reserved_soft, c.safety_stock
        FROM new c JOIN first f ON f.business_key = c.business_key AND f.node_id = c.node_id AND f.sku = c.sku
        CROSS JOIN LATERAL (SELECT (c.asked, c.damaged, c.quarantine) <> (f.asked, f.damaged, f.quarantine) AS other) o
        WHERE c.tried AND c.copy > 1
        UNION ALL
        SELECT no, node_id, sku,
               CASE WHEN problem IS NOT NULL THEN 'refused' WHEN done THEN 'repeated' ELSE 'superseded' END,
               problem, asked, damaged, quarantine, done_before, was_on_hand, was_damaged, was_quarantine, reserved,
               reserved_soft, safety_stock
        FROM new WHERE NOT tried
    ), changed AS (
        UPDATE stock s SET on_hand = s.on_hand + c.on_hand, damaged = s.damaged + c.damaged,
                           quarantine = s.quarantine + c.quarantine, updated_at = now()
        FROM (SELECT node_id, sku, sum(on_hand)::int AS on_hand, sum(damaged)::int AS damaged,
                     sum(quarantine)::int AS quarantine FROM first WHERE fits GROUP BY node_id, sku) c
        WHERE s.node_id = c.node_id AND s.sku = c.sku
    ), noted AS (
        INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, damaged_delta, quarantine_delta, business_key,
                                  reason_code, reason, actor, occurred_at)
        SELECT node_id, sku, kind, on_hand, damaged, quarantine, business_key, reason_code, reason,
               CAST(:actor AS text), at
        FROM first WHERE fits ORDER BY no
    ), verdict AS (
        SELECT no, node_id, sku, outcome, problem, done_before, now_on_hand::int AS on_hand,
               now_damaged::int AS damaged, now_quarantine::int AS quarantine, reserved, reserved_soft, safety_stock,
               CASE problem WHEN 'unknown-node' THEN 'node_id' WHEN 'unknown-sku' THEN 'sku'
                            WHEN 'conflict' THEN '{key_field}' ELSE CASE WHEN problem IS NOT NULL THEN 'quantity' END
               END AS field,
               CASE problem WHEN 'unknown-node' THEN 'there is no node ' || node_id
                            WHEN 'unknown-sku' THEN 'there is no SKU ' || sku
                            WHEN 'conflict' THEN format('the key was used before, for %s units', done_before)
                            WHEN 'invalid-input' THEN 'the balance would be too large to keep'
                            WHEN 'stock-conflict' THEN CASE
                   WHEN now_on_hand + asked < reserved + reserved_soft AND asked < 0 THEN format(
                       '%s cannot go: %s on hand, %s of them reserved', -asked, now_on_hand, reserved)
                       || CASE WHEN reserved_soft > 0 THEN format(' and %s held', reserved_soft) ELSE '' END
                   WHEN now_damaged + damaged < 0 THEN format('%s cannot go: %s damaged', -damaged, now_damaged)
                   ELSE format('%s cannot go: %s in quarantine', -quarantine, now_quarantine) END
               END AS detail
        FROM judged
    )
    {tail}
    """


_ITEMS: Final = """
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS q (no int, node_id text, sku text, on_hand int, damaged int,
    quarantine int, kind text, reason text, reason_code text, business_key text, at timestamptz)
"""
OPENS: Final = "i.on_hand + i.damaged + i.quarantine > 0"
"""Goods that come in open a balance."""
_BALANCES = Balances.of(_ITEMS, OPENS)
_APPLY = text(statement(_ITEMS, ANSWERED))


async def apply(connection: AsyncConnection, adjustments: Sequence[Adjustment], actor: str) -> list[ItemResult]:
    """Make the changes, each once per idempotency key, node and SKU; a result for each, in sequence.

    In the caller's transaction, which holds the balances until it ends. Refused, each by itself: UnknownNode,
    UnknownSku, StockConflict if units would go that are reserved or not there, InvalidInput if the balance would grow
    beyond what can be kept, Conflict if the key stands for another change.
    """
    rows = to_rows(
        {
            "no": number,
            "node_id": each.node_id,
            "sku": each.sku,
            **each.deltas(),
            "kind": each.kind,
            "reason": each.reason,
            "reason_code": each.reason_code,
            "business_key": KEY + each.idempotency_key,
            "at": each.occurred_at,
        }
        for number, each in enumerate(adjustments)
    )
    await _BALANCES.lock(connection, {"rows": rows})
    found = await connection.execute(_APPLY, {"rows": rows, "actor": actor})
    return [result(row, _data(row)) for row in found.mappings()]


def _data(row: RowMapping) -> dict[str, Any]:
    match row["problem"]:
        case "unknown-node":
            return {"node_id": row["node_id"]}
        case "conflict":
            return {"quantity": row["done_before"]}
        case "stock-conflict":
            return _standing(row)
        case _:
            return {}


def _standing(row: RowMapping) -> dict[str, int]:
    """What stands in the way: units on hand and reserved; other quantities only where there are some."""
    others = {name: row[name] for name in ("reserved_soft", "damaged", "quarantine") if row[name]}
    return {"on_hand": row["on_hand"], "reserved": row["reserved"], **others}
