"""Absolute counts: how many sellable units a node held at a time, as a source (a warehouse system, a stocktake) says.

What moved after that time is not lost: on hand becomes the count plus what the ledger says has moved since. Each source
numbers its counts; what comes twice, late or out of order changes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.status import ReasonCode
from store.feeding import ANSWERED, MOST_UNITS, Balances, ItemResult, result
from store.rows import to_rows

BELOW_RESERVED: Final = "count_below_reserved"
"""The kind of exception a count opens that could not be taken in full."""


@dataclass(frozen=True, slots=True)
class Count:
    """Sellable units a node held at `as_of`; a source's `sequence` grows with every count it takes of a balance."""

    node_id: str
    sku: str
    quantity: int
    as_of: datetime
    sequence: int
    reason_code: ReasonCode | None = None


def statement(rows: str, tail: str) -> str:
    """SQL that takes the counts of a relation, one a balance, on balances that are locked.

    `rows` has no, node_id, sku, quantity, as_of, sequence, reason_code; `tail` ends the statement and reads `verdict`.
    Where a count leaves less than is reserved, soft reservations go first, the youngest first, and what is firmly
    reserved stays on hand: the rest is the count's shortfall, and the count does not stand as taken.
    """
    return f"""
    WITH item AS MATERIALIZED (
        SELECT i.no, i.node_id, i.sku, i.quantity, i.as_of, i.sequence, i.reason_code,
               least(i.as_of, statement_timestamp()) AS at, s.on_hand AS was, s.reserved, s.reserved_soft,
               s.safety_stock, s.damaged, s.quarantine, m.sequence AS last_sequence,
               i.quantity + coalesce((
                   SELECT sum(l.on_hand_delta) FROM stock_ledger l
                   WHERE l.node_id = i.node_id AND l.sku = i.sku AND l.on_hand_delta <> 0
                     AND l.occurred_at > least(i.as_of, statement_timestamp())
                     AND l.kind NOT IN ('count', 'reconcile')), 0) AS target,
               CASE WHEN n.id IS NULL OR k.id IS NULL THEN 'refused'
                    WHEN i.sequence <= m.sequence AND i.quantity = m.quantity AND i.as_of = m.as_of THEN 'repeated'
                    WHEN i.sequence < m.sequence OR i.as_of < s.counted_at THEN 'late'
                    WHEN i.sequence = m.sequence THEN 'refused' END AS outcome,
               CASE WHEN n.id IS NULL THEN 'unknown-node' WHEN k.id IS NULL THEN 'unknown-sku'
                    WHEN i.sequence = m.sequence THEN 'conflict' END AS problem
        FROM ({rows}) i LEFT JOIN nodes n ON n.id = i.node_id LEFT JOIN skus k ON k.id = i.sku
        LEFT JOIN stock s ON s.node_id = i.node_id AND s.sku = i.sku
        LEFT JOIN count_marks m ON m.source = CAST(:source AS text) AND m.node_id = i.node_id AND m.sku = i.sku
    ), taken AS MATERIALIZED (
        SELECT *, greatest(target, reserved)::int AS level, greatest(reserved - target, 0) AS shortfall,
               :source || '/' || sequence AS message
        FROM item WHERE outcome IS NULL AND target <= {MOST_UNITS}
    ), doomed AS (
        SELECT r.id, t.message, t.level, t.reserved + t.reserved_soft - t.level AS wanted,
               sum(r.quantity) OVER (PARTITION BY r.node_id, r.sku ORDER BY r.created_at DESC, r.id DESC) - r.quantity
                   AS before
        FROM taken t JOIN reservations r ON r.node_id = t.node_id AND r.sku = t.sku
        WHERE t.reserved + t.reserved_soft > t.level AND r.kind = 'soft' AND r.status = 'active'
    ), lost AS (
        UPDATE reservations r SET status = 'released' FROM doomed d
        WHERE d.before < d.wanted AND r.id = d.id AND r.status = 'active'
        RETURNING r.id, r.node_id, r.sku, r.quantity, r.soft_id, d.message
    ), loss_noted AS (
        INSERT INTO stock_ledger (node_id, sku, kind, soft_delta, business_key, reason, actor, occurred_at)
        SELECT node_id, sku, 'soft_release', -quantity, soft_id || '/counted/' || id, 'not there: count ' || message,
               CAST(:actor AS text), statement_timestamp()
        FROM lost
    ), bereft AS (
        SELECT h.id FROM soft_reservations h
        WHERE h.id IN (SELECT soft_id FROM lost) AND h.status = 'active' AND NOT EXISTS (
            SELECT FROM reservations r WHERE r.soft_id = h.id AND r.status = 'active'
            AND r.id NOT IN (SELECT id FROM lost))
        ORDER BY h.id FOR NO KEY UPDATE
    ), ended AS (
        UPDATE soft_reservations h SET status = 'released' FROM bereft b WHERE h.id = b.id
    ), given AS MATERIALIZED (
        SELECT node_id, sku, sum(quantity)::int AS units FROM lost GROUP BY node_id, sku
    ), set_to AS (
        UPDATE stock s SET on_hand = t.level, reserved_soft = s.reserved_soft - coalesce(g.units, 0),
                           updated_at = now(),
                           counted_at = CASE WHEN t.shortfall = 0 THEN t.at ELSE s.counted_at END
        FROM taken t LEFT JOIN given g ON g.node_id = t.node_id AND g.sku = t.sku
        WHERE s.node_id = t.node_id AND s.sku = t.sku
    ), noted AS (
        INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, reason_code, reason, actor,
                                  occurred_at)
        SELECT node_id, sku, 'count', level - was, 'count/' || message, reason_code, 'counted ' || quantity,
               CAST(:actor AS text), at
        FROM taken WHERE level <> was ORDER BY no
    ), marked AS (
        INSERT INTO count_marks (source, node_id, sku, sequence, quantity, as_of)
        SELECT :source, node_id, sku, sequence, quantity, as_of FROM taken
        ON CONFLICT (source, node_id, sku) DO UPDATE
        SET sequence = EXCLUDED.sequence, quantity = EXCLUDED.quantity, as_of = EXCLUDED.as_of
    ), queued AS (
        INSERT INTO exceptions (kind, business_key, detail)
        SELECT '{BELOW_RESERVED}', '{BELOW_RESERVED}/' || message || '/' || node_id || '/' || sku,
               format('%s of %s: counted %s, with what moved since %s, but %s are reserved for orders; %s are missing',
                      sku, node_id, quantity, target, reserved, shortfall)
        FROM taken WHERE shortfall > 0
        ON CONFLICT (business_key) DO NOTHING
    ), verdict AS (
        SELECT t.no, t.node_id, t.sku, CASE WHEN t.shortfall > 0 THEN 'short' ELSE 'applied' END AS outcome,
               NULL AS problem, NULL AS field, CASE WHEN t.shortfall > 0 THEN
                   format('%s are reserved for orders, %s of them are missing', t.reserved, t.shortfall) END AS detail,
               t.level AS on_hand, t.reserved, t.reserved_soft - coalesce(g.units, 0) AS reserved_soft, t.damaged,
               t.quarantine, t.safety_stock, t.shortfall, t.last_sequence
        FROM taken t LEFT JOIN given g ON g.node_id = t.node_id AND g.sku = t.sku
        UNION ALL
        SELECT no, node_id, sku, coalesce(outcome, 'refused'),
               CASE WHEN outcome IS NULL THEN 'invalid-input' WHEN outcome = 'refused' THEN problem END,
               CASE WHEN outcome IS NULL THEN 'quantity' WHEN outcome = 'refused' THEN
                   CASE problem WHEN 'unknown-node' THEN 'node_id' WHEN 'unknown-sku' THEN 'sku' ELSE 'sequence' END
               END,
               CASE WHEN outcome IS NULL THEN 'the balance would be too large to keep'
                    WHEN outcome = 'late' THEN 'a later count stands already'
                    WHEN outcome = 'refused' THEN
                   CASE problem WHEN 'unknown-node' THEN 'there is no node ' || node_id
                                WHEN 'unknown-sku' THEN 'there is no SKU ' || sku
                                ELSE format('count %s of this source said another thing', sequence) END
               END,
               was, reserved, reserved_soft, damaged, quarantine, safety_stock, 0, last_sequence
        FROM item WHERE outcome IS NOT NULL OR target > {MOST_UNITS}
    )
    {tail}
    """


_ITEMS: Final = """
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS q (no int, node_id text, sku text, quantity int,
    as_of timestamptz, sequence bigint, reason_code text)
"""
_BALANCES = Balances.of(_ITEMS)
_APPLY = text(statement(_ITEMS, ANSWERED))


async def apply(connection: AsyncConnection, counts: Sequence[Count], source: str, actor: str) -> list[ItemResult]:
    """Take the counts, each once per source, sequence, node and SKU; a result for each, in sequence.

    In the caller's transaction, which holds the balances until it ends. Refused, each by itself: UnknownNode,
    UnknownSku, Conflict if the sequence stands for another count, InvalidInput if the balance would grow beyond what
    can be kept.
    """
    numbered = list(enumerate(counts))
    await _BALANCES.lock(connection, {"rows": _as_rows(numbered)})
    results: dict[int, ItemResult] = {}
    for items in _rounds(numbered):
        found = await connection.execute(_APPLY, {"rows": _as_rows(items), "source": source, "actor": actor})
        results |= {row["no"]: result(row, _data(row)) for row in found.mappings()}
    return [results[number] for number, _ in numbered]


def _rounds(counts: Sequence[tuple[int, Count]]) -> list[list[tuple[int, Count]]]:
    """Counts of one balance in one message are taken one after the other; all others at once."""
    seen: Counter[tuple[str, str]] = Counter()
    rounds: list[list[tuple[int, Count]]] = []
    for number, count in counts:
        turn = seen[count.node_id, count.sku]
        seen[count.node_id, count.sku] += 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append((number, count))
    return rounds


def _as_rows(counts: Sequence[tuple[int, Count]]) -> str:
    return to_rows(
        {
            "no": number,
            "node_id": each.node_id,
            "sku": each.sku,
            "quantity": each.quantity,
            "as_of": each.as_of,
            "sequence": each.sequence,
            "reason_code": each.reason_code,
        }
        for number, each in counts
    )


def _data(row: RowMapping) -> dict[str, Any]:
    return {"sequence": row["last_sequence"]} if row["problem"] == "conflict" else {}
