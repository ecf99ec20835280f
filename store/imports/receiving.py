"""The rows of a file, staged: read from a stream batch by batch, never whole in memory, and kept until applied.

Each batch is a transaction of its own. A long one would hold back those who read the ledger, and a slow sender would
keep a connection.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from psycopg import AsyncConnection as Driver
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared.errors import Conflict, InvalidInput
from store.database.parameters import to_json
from store.enums import ImportKind, ImportStatus, ItemOutcome
from store.imports.progress import Import, get
from store.imports.reading import batches
from store.imports.rows import Format, Rows, Staged

BATCH: Final = 10_000
"""Rows parsed and staged at a time."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an import is, before its rows. The key makes it happen once; without one each upload is an import.

    `as_of` is when the counts were taken that do not say it themselves, `sequence` orders the source's counts;
    None: they go by their time. `asked` is what the caller said of them: another
    import under the same key is told by that.
    """

    kind: ImportKind
    format: Format
    all_or_nothing: bool
    source: str
    as_of: datetime
    sequence: int | None
    actor: str
    key: str | None = None
    nodes: frozenset[str] | None = None
    """The nodes that its sender is limited to; None for no limit."""
    asked: Mapping[str, object] = field(default_factory=dict)

    def import_id(self) -> str:
        """The same key of a source gives the same id."""
        token = f"{self.source}\n{self.key}" if self.key else uuid4().hex
        return f"import-{hashlib.sha256(token.encode()).hexdigest()[:20]}"


async def receive(
    engine: AsyncEngine, header: Header, stream: AsyncIterable[bytes], told: Callable[[int], None] = lambda _: None
) -> tuple[Import, bool]:
    """Stage the rows of a file; answers the import, and whether this call made it.

    An import whose upload died, or was given up, begins again. `told` hears how many rows are staged. Raises
    InvalidInput for a file without rows or with a wrong header, Conflict if the key stands for another import, or
    another upload of it began meanwhile.
    """
    import_id, upload = header.import_id(), uuid4().hex
    file = _Digested(stream)
    known = await _known(engine, import_id, header, file)
    if known is not None:
        return known, False
    rows, received, begun = Rows(header.kind, header.format, header.nodes), 0, False
    async for lines in batches(file, BATCH):
        staged = await asyncio.to_thread(rows.staged, lines)
        if staged and not begun:
            begun = await _begin(engine, import_id, upload, header)
        if staged:
            received += len(staged)
            await _stage(engine, import_id, upload, staged)
            told(received)
    if not begun:
        raise InvalidInput("the file has no rows", field="body")
    await _close(engine, import_id, upload, header.kind, file.digest)
    return await get(engine, import_id), True


class _Digested:
    """A stream that keeps the SHA-256 of what was read of it."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream
        self._sum = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of what was read so far."""
        return self._sum.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._sum.update(piece)
            yield piece

    async def read(self) -> str:
        """Read to the end; answers the digest of the whole."""
        async for _ in self:
            pass
        return self.digest


async def _known(engine: AsyncEngine, import_id: str, header: Header, file: _Digested) -> Import | None:
    """The import, if it was received before in full. Raises Conflict if it is another one, or had another file."""
    async with engine.connect() as connection:
        row = (await connection.execute(_KNOWN, {"id": import_id})).mappings().one_or_none()
    if row is None:
        return None
    before = (row["kind"], row["all_or_nothing"], row["nodes"], row["asked"])
    if before != (header.kind, header.all_or_nothing, _listed(header), json.loads(to_json(dict(header.asked)))):
        raise Conflict("the key was used before, for another import", field="Idempotency-Key")
    if row["status"] in {ImportStatus.RECEIVING, ImportStatus.FAILED}:
        return None
    if row["digest"] is not None and await file.read() != row["digest"]:
        raise Conflict("the key was used before, for another file", field="Idempotency-Key")
    return await get(engine, import_id)


_KNOWN = text("""
SELECT kind, all_or_nothing, nodes, coalesce(asked, '{}') AS asked, status, digest FROM stock_imports WHERE id = :id
""")


def _listed(header: Header) -> list[str] | None:
    return None if header.nodes is None else sorted(header.nodes)


async def _begin(engine: AsyncEngine, import_id: str, upload: str, header: Header) -> bool:
    async with engine.begin() as connection:
        begun = await connection.scalar(
            _BEGIN,
            {
                "id": import_id,
                "kind": header.kind,
                "all_or_nothing": header.all_or_nothing,
                "source": header.source,
                "actor": header.actor,
                "sequence": header.sequence,
                "as_of": header.as_of,
                "nodes": _listed(header),
                "upload": upload,
                "asked": to_json(dict(header.asked)),
            },
        )
        if begun is None:
            raise _overtaken()
        await connection.execute(text("DELETE FROM stock_import_rows WHERE import_id = :id"), {"id": import_id})
    return True


_BEGIN = text("""
INSERT INTO stock_imports AS i (id, kind, status, all_or_nothing, source, actor, sequence, as_of, nodes, upload, asked)
VALUES (:id, :kind, 'receiving', :all_or_nothing, :source, :actor, :sequence, :as_of, :nodes, :upload,
        CAST(:asked AS jsonb))
ON CONFLICT (id) DO UPDATE SET status = 'receiving', rows = 0, next_row = 1, outcomes = '{}', detail = '',
    upload = EXCLUDED.upload, as_of = EXCLUDED.as_of, sequence = EXCLUDED.sequence, touched_at = now(),
    started_at = NULL, finished_at = NULL
WHERE i.status IN ('receiving', 'failed') RETURNING id
""")
_COPY: Final = f"COPY stock_import_rows (import_id, {', '.join(Staged._fields)}) FROM STDIN"


async def _stage(engine: AsyncEngine, import_id: str, upload: str, staged: Sequence[Staged]) -> None:
    async with engine.begin() as connection:
        bad = sum(row.outcome is not None for row in staged)
        parameters = {"id": import_id, "upload": upload, "rows": len(staged), "bad": bad}
        if await connection.scalar(_ADVANCE, parameters) is None:
            raise _overtaken()
        driver = await _driver(connection)
        async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in staged:
                await copy.write_row((import_id, *row))


_ADVANCE = text("""
UPDATE stock_imports SET rows = rows + :rows, touched_at = now(),
    outcomes = CASE WHEN :bad = 0 THEN outcomes
                    ELSE jsonb_build_object('refused', coalesce((outcomes->>'refused')::int, 0) + :bad) END
WHERE id = :id AND upload = :upload AND status = 'receiving' RETURNING id
""")


async def _driver(connection: AsyncConnection) -> Driver[Any]:
    raw = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, Driver)  # noqa: S101 - for the type checker: settings allow no other driver
    return raw


async def _close(engine: AsyncEngine, import_id: str, upload: str, kind: ImportKind, digest: str) -> None:
    """All rows are there: it waits to be applied. Of counts of the same balance the last row stands."""
    async with engine.begin() as connection:  # what was just written is not known to the planner yet
        await connection.execute(text("ANALYZE stock_import_rows"))
    async with engine.begin() as connection:
        replaced = (await connection.execute(_REPLACE, {"id": import_id})).rowcount if kind == ImportKind.COUNTS else 0
        outcomes = to_json({ItemOutcome.REPLACED: replaced} if replaced else {})
        names = {"id": import_id, "upload": upload, "outcomes": outcomes, "digest": digest}
        closed = await connection.scalar(_CLOSE, names)
        if closed is None:
            raise _overtaken()


_REPLACE = text("""
UPDATE stock_import_rows r SET outcome = 'replaced', detail = 'row ' || l.last || ' counts the same'
FROM (SELECT ctid AS place, row, max(row) OVER (PARTITION BY node_id, sku) AS last FROM stock_import_rows
      WHERE import_id = :id AND outcome IS NULL) l
WHERE r.ctid = l.place AND l.row < l.last
""")
_CLOSE = text("""
UPDATE stock_imports SET status = 'queued', digest = :digest, touched_at = now(),
    outcomes = outcomes || CAST(:outcomes AS jsonb)
WHERE id = :id AND upload = :upload AND status = 'receiving' RETURNING id
""")


def _overtaken() -> Conflict:
    return Conflict("another upload with the same key began meanwhile", field="Idempotency-Key")
