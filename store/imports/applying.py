"""Staged rows, applied: chunk by chunk, or all of a file or nothing of it.

A chunk is one transaction, which also says where the next one begins: whoever dies in the middle repeats and loses
nothing. All-or-nothing is one transaction for the whole file; it holds every balance of the file until it ends, and
readers of the ledger wait for it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared.texts import keepable
from store.database.parameters import to_json, to_rows
from store.enums import ImportKind, ImportStatus, ItemOutcome
from store.imports.progress import Import, get
from store.stock import adjustments, counts
from store.stock.item_results import Balances

CHUNK: Final = 10_000
"""Rows applied in one statement."""
_LOOK_AGAIN: Final = 0.2
"""Seconds after which to see how far another applier is."""
MOST_NAMED: Final = 10_000
"""Bad rows after which an all-or-nothing import is not looked through any further."""

_CHOSEN: Final = """
FROM stock_import_rows WHERE import_id = CAST(:id AS text) AND row BETWEEN :first AND :last AND outcome IS NULL
"""
_COUNTS: Final = f"""
SELECT row AS no, node_id, sku, quantity, coalesce(as_of, CAST(:as_of AS timestamptz)) AS as_of,
       CAST(:sequence AS bigint) AS sequence, reason_code {_CHOSEN}
"""
_DELTAS: Final = f"""
SELECT row AS no, node_id, sku, quantity AS on_hand, 0 AS damaged, 0 AS quarantine,
       CASE WHEN reason_code = 'receipt' THEN 'receipt' ELSE 'adjustment' END AS kind, import_id AS reason, reason_code,
       coalesce('{adjustments.KEY}' || key, 'import/' || import_id || '/' || row) AS business_key,
       coalesce(as_of, CAST(:as_of AS timestamptz)) AS at {_CHOSEN}
"""
_TAIL: Final = """, itemised AS (
    UPDATE stock_import_rows r SET outcome = v.outcome, problem = v.problem, field = v.field, detail = v.detail
    FROM verdict v WHERE r.import_id = CAST(:id AS text) AND r.row = v.no AND v.outcome IN ('refused', 'late', 'short')
), settled AS (
    DELETE FROM stock_import_rows r USING verdict v
    WHERE r.import_id = CAST(:id AS text) AND r.row = v.no AND v.outcome NOT IN ('refused', 'late', 'short')
)
SELECT outcome, count(*) AS rows FROM verdict GROUP BY outcome
"""
_STATEMENTS: Final[Mapping[str, tuple[Balances, TextClause]]] = {
    ImportKind.COUNTS: (Balances.of(_COUNTS), text(counts.statement(_COUNTS, _TAIL))),
    ImportKind.DELTAS: (
        Balances.of(_DELTAS, adjustments.OPENS),
        text(adjustments.statement(_DELTAS, _TAIL, key_field="key")),
    ),
}


async def apply_next(engine: AsyncEngine, import_id: str | None = None) -> bool:
    """Apply the next chunk of the oldest import that waits, or of this one; False if there is nothing to do.

    Two appliers do not disturb each other: an import is locked while a chunk of it is applied. One that the database
    refuses to apply has failed, says why, and does not stand in the way of others.
    """
    found: RowMapping | None = None
    try:
        async with engine.begin() as connection:
            found = (await connection.execute(_NEXT, {"id": import_id})).mappings().one_or_none()
            if found is not None:
                await (_whole if found["all_or_nothing"] else _step)(connection, found)
    except (IntegrityError, DataError) as error:
        if found is None:
            raise
        async with engine.begin() as connection:
            detail = keepable(f"from row {found['next_row']} on nothing was applied: {error.orig}")[:500]
            await _finish(connection, found["id"], ImportStatus.FAILED, found["outcomes"], detail)
    return found is not None


_NEXT = text("""
UPDATE stock_imports SET status = 'applying', started_at = coalesce(started_at, clock_timestamp()), touched_at = now()
WHERE id = (
    SELECT id FROM stock_imports WHERE status IN ('queued', 'applying')
    AND (CAST(:id AS text) IS NULL OR id = :id)
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, kind, all_or_nothing, source, actor, sequence, as_of, next_row, outcomes
""")


async def apply_all(engine: AsyncEngine, import_id: str, told: Callable[[Import], None] = lambda _: None) -> Import:
    """Apply an import that was received to its end, together with whoever else does; `told` hears how far it is."""
    while True:
        worked = await apply_next(engine, import_id)
        found = await get(engine, import_id)
        told(found)
        if found.ended:
            return found
        if not worked:
            await asyncio.sleep(_LOOK_AGAIN)


async def _step(connection: AsyncConnection, found: RowMapping) -> None:
    last = await _end_of_chunk(connection, found["id"], found["next_row"])
    if last is None:
        await _finish(connection, found["id"], ImportStatus.DONE, found["outcomes"])
        return
    outcomes = Counter(found["outcomes"]) + await _chunk(connection, found, found["next_row"], last, lock=True)
    parameters = {"id": found["id"], "next": last + 1, "outcomes": to_json(outcomes)}
    await connection.execute(_ADVANCE, parameters)
    if await _end_of_chunk(connection, found["id"], last + 1) is None:
        await _finish(connection, found["id"], ImportStatus.DONE, outcomes)


_ADVANCE = text("""
UPDATE stock_imports SET next_row = :next, outcomes = CAST(:outcomes AS jsonb), touched_at = clock_timestamp()
WHERE id = :id
""")


async def _end_of_chunk(connection: AsyncConnection, import_id: str, first: int) -> int | None:
    last: int | None = await connection.scalar(_END, {"id": import_id, "first": first, "chunk": CHUNK})
    return last


_END = text("""
SELECT max(row) FROM (
    SELECT row FROM stock_import_rows WHERE import_id = :id AND row >= :first AND outcome IS NULL
    ORDER BY row LIMIT :chunk) chunk
""")


async def _chunk(connection: AsyncConnection, found: RowMapping, first: int, last: int, *, lock: bool) -> Counter[str]:
    """Apply rows; answers how many came to which outcome."""
    balances, statement = _STATEMENTS[found["kind"]]
    parameters = _parameters(found, first, last)
    if lock:
        await balances.lock(connection, parameters)
    rows = await connection.execute(statement, parameters)
    return Counter({row.outcome: row.rows for row in rows})


def _parameters(found: RowMapping, first: int, last: int) -> dict[str, Any]:
    shared = {name: found[name] for name in ("id", "as_of", "actor")}
    counted = {"source": found["source"], "sequence": found["sequence"]} if found["kind"] == ImportKind.COUNTS else {}
    return {**shared, **counted, "first": first, "last": last}


async def _whole(connection: AsyncConnection, found: RowMapping) -> None:
    """Apply every row or, if one is bad, none; the bad ones are written down either way."""
    bad: list[dict[str, Any]] = []
    outcomes = Counter(found["outcomes"])
    whole = await connection.begin_nested()
    first = found["next_row"]
    last_of_all = await connection.scalar(_LAST, {"id": found["id"]})
    if last_of_all is not None:
        balances, _ = _STATEMENTS[found["kind"]]
        await balances.lock(connection, _parameters(found, first, last_of_all))
    while len(bad) < MOST_NAMED and (last := await _end_of_chunk(connection, found["id"], first)) is not None:
        chunk = await _chunk(connection, found, first, last, lock=False)
        outcomes += chunk
        if chunk[ItemOutcome.REFUSED]:
            bad += await _refused(connection, found["id"], first, last)
        first = last + 1
    if not outcomes[ItemOutcome.REFUSED]:
        await whole.commit()
        await _finish(connection, found["id"], ImportStatus.DONE, outcomes)
        return
    await whole.rollback()
    await connection.execute(_NAME, {"id": found["id"], "rows": to_rows(bad)})
    refused = {str(ItemOutcome.REFUSED): outcomes[ItemOutcome.REFUSED]}
    await _finish(connection, found["id"], ImportStatus.REFUSED, refused, "nothing was applied: rows are wrong")


_LAST = text("SELECT max(row) FROM stock_import_rows WHERE import_id = :id AND outcome IS NULL")


async def _refused(connection: AsyncConnection, import_id: str, first: int, last: int) -> list[dict[str, Any]]:
    rows = await connection.execute(_REFUSED, {"id": import_id, "first": first, "last": last})
    return [dict(row) for row in rows.mappings()]


_REFUSED = text("""
SELECT row, problem, field, detail FROM stock_import_rows
WHERE import_id = :id AND row BETWEEN :first AND :last AND outcome = 'refused' AND raw IS NULL
""")
_NAME = text("""
UPDATE stock_import_rows r SET outcome = 'refused', problem = b.problem, field = b.field, detail = b.detail
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS b (row int, problem text, field text, detail text)
WHERE r.import_id = :id AND r.row = b.row
""")


async def _finish(
    connection: AsyncConnection, import_id: str, status: ImportStatus, outcomes: Mapping[str, int], detail: str = ""
) -> None:
    parameters = {"id": import_id, "status": status, "outcomes": to_json(outcomes), "detail": detail}
    await connection.execute(_FINISH, parameters)
    if status is ImportStatus.REFUSED:
        await connection.execute(_FORGET, {"id": import_id})


_FINISH = text("""
UPDATE stock_imports SET status = :status, outcomes = CAST(:outcomes AS jsonb), detail = :detail,
    touched_at = clock_timestamp(), finished_at = clock_timestamp() WHERE id = :id
""")
_FORGET = text("DELETE FROM stock_import_rows WHERE import_id = :id AND outcome IS DISTINCT FROM 'refused'")


async def fail_abandoned(engine: AsyncEngine, after_seconds: float) -> int:
    """Give up imports whose upload sent nothing for so long; answers how many. The same key may begin again."""
    async with engine.begin() as connection:
        return (await connection.execute(_ABANDONED, {"seconds": after_seconds})).rowcount


_ABANDONED = text("""
WITH dead AS (
    UPDATE stock_imports SET status = 'failed', finished_at = now(),
        detail = 'the upload ended before the file did; send it again'
    WHERE status = 'receiving' AND touched_at < now() - make_interval(secs => :seconds) RETURNING id
)
DELETE FROM stock_import_rows r USING dead d WHERE r.import_id = d.id AND r.outcome IS NULL
""")
