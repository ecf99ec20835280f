"""Imports and their problems as people see them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import NotFound
from store.database import pages
from store.enums import ImportKind, ImportStatus

PAGE: Final = 5_000
"""Problems read at a time."""
_ENDED: Final = {ImportStatus.DONE, ImportStatus.REFUSED, ImportStatus.FAILED, ImportStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Import:
    """An import and how far it is. `rows` were received; `outcomes` says what became of how many."""

    id: str
    kind: ImportKind
    status: ImportStatus
    all_or_nothing: bool
    source: str
    actor: str
    as_of: datetime
    sequence: int | None
    rows: int
    outcomes: dict[str, int]
    detail: str
    created_at: datetime
    finished_at: datetime | None
    rows_per_second: int | None

    @property
    def done(self) -> int:
        """Rows that have an outcome."""
        return sum(self.outcomes.values())

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in _ENDED


_COLUMNS: Final = """
id, kind, status, all_or_nothing, source, actor, as_of, sequence, rows, outcomes, detail, created_at, finished_at,
CASE WHEN started_at IS NOT NULL THEN (
    (SELECT sum(value::int) FROM jsonb_each_text(outcomes))
    / greatest(extract(epoch FROM coalesce(finished_at, touched_at) - started_at), 0.001))::int END AS rows_per_second
"""


_SEEN: Final = "(CAST(:nodes AS text[]) IS NULL OR nodes <@ :nodes)"
"""Who is limited to nodes sees the imports of those who were limited to some of them."""


async def get(engine: AsyncEngine, import_id: str, nodes: frozenset[str] | None = None) -> Import:
    """An import that who is limited to these nodes may see, if any are given; raises NotFound."""
    async with engine.connect() as connection:
        query = text(f"SELECT {_COLUMNS} FROM stock_imports WHERE id = :id AND {_SEEN}")
        row = (await connection.execute(query, {"id": import_id, "nodes": _listed(nodes)})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no import {import_id}")
    return _import(row)


async def unfinished(engine: AsyncEngine) -> Sequence[str]:
    """The ids of imports that were received and have not ended, the oldest first."""
    query = text("SELECT id FROM stock_imports WHERE status IN ('queued', 'applying') ORDER BY created_at")
    async with engine.connect() as connection:
        return (await connection.scalars(query)).all()


async def find(
    engine: AsyncEngine,
    statuses: Sequence[ImportStatus],
    before: tuple[datetime, str] | None,
    limit: int,
    nodes: frozenset[str] | None = None,
) -> list[Import]:
    """Imports, the newest first, after a position; where nodes are given, those that who is limited to them may see."""
    found = await pages.newest(
        engine,
        "stock_imports",
        _COLUMNS,
        statuses=statuses,
        before=before,
        limit=limit,
        only=(_SEEN, {"nodes": _listed(nodes)}),
    )
    return [_import(row) for row in found]


_PROBLEMS = text("""
SELECT row, node_id, sku, quantity, key, outcome, problem, field, detail, raw FROM stock_import_rows
WHERE import_id = :id AND row > :after AND outcome IS NOT NULL ORDER BY row LIMIT :page
""")


async def problems(engine: AsyncEngine, import_id: str) -> AsyncIterator[RowMapping]:
    """Every row that was refused, or not taken as it stands, in the file's sequence; read page by page."""
    after = 0
    while True:
        async with engine.connect() as connection:
            parameters = {"id": import_id, "after": after, "page": PAGE}
            page = (await connection.execute(_PROBLEMS, parameters)).mappings().all()
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        after = page[-1]["row"]


def _listed(nodes: frozenset[str] | None) -> list[str] | None:
    return None if nodes is None else sorted(nodes)


def _import(row: RowMapping) -> Import:
    values = dict(row)
    return Import(**values | {"kind": ImportKind(row["kind"]), "status": ImportStatus(row["status"])})
