"""Absolute counts: how many sellable units a node held at a time, as a source (a warehouse system, a stocktake) says.

What moved after that time is not lost: on hand becomes the count plus what the ledger says has moved since. Each source
numbers its counts; what comes twice, late or out of order changes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.orders.status import ReasonCode
from store.database.parameters import to_rows
from store.exceptions import COLUMNS, opening
from store.stock.item_results import ANSWERED, MOST_UNITS, Balances, ItemResult, result

_SHORT: Final = opening(
    f"""
    SELECT CAST(NULL AS text), '{ExceptionKind.COUNT_BELOW_RESERVED}',
           '{ExceptionKind.COUNT_BELOW_RESERVED}/' || message || '/' || node_id || '/' || sku,
           format('%s of %s: counted %s, with what moved since %s, but %s are reserved for orders; %s are missing',
                  sku, node_id, quantity, target, reserved, shortfall),
           jsonb_build_object('node_id', node_id, 'sku', sku, 'shortfall', shortfall)
    FROM taken WHERE shortfall > 0""",
    columns=f"{COLUMNS}, data",
)
_STATEMENT: Final = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Count:
    """Sellable units a node held at `as_of`; a source's `sequence` grows with every count it takes of a balance. A
    source that does not number its counts has none: they go by `as_of` alone.
    """

    node_id: str
    sku: str
    quantity: int
    as_of: datetime
    sequence: int | None
    reason_code: ReasonCode | None = None


def statement(rows: str, tail: str) -> str:
    """SQL that takes the counts of a relation, one a balance, on balances that are locked.

    `rows` has no, node_id, sku, quantity, as_of, sequence, reason_code; `tail` ends the statement and reads `verdict`.
    Where a count leaves less than is reserved, soft reservations go first, the youngest first, and what is firmly
    reserved stays on hand: the rest is the count's shortfall, and the count does not stand as taken.
    """
    return _STATEMENT.format(rows=rows, tail=tail, most_units=MOST_UNITS, open_exceptions=_SHORT)


_ITEMS: Final = """
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS q (no int, node_id text, sku text, quantity int,
    as_of timestamptz, sequence bigint, reason_code text)
"""
_BALANCES = Balances.of(_ITEMS)
_APPLY = text(statement(_ITEMS, ANSWERED))


async def apply(connection: AsyncConnection, counts: Sequence[Count], source: str, actor: str) -> list[ItemResult]:
    """Take the counts, each once per source, sequence, node and SKU; a result for each, in sequence.

    In the caller's transaction, which holds the balances until it ends. Refused, each by itself: UnknownNode,
    UnknownSku, Conflict if the sequence (or, without one, the time) stands for another count, or the source's counts
    had a sequence before and now have none, or the other way round; InvalidInput if the balance would grow beyond what
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
