"""Lists that are read page by page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine


async def newest(
    engine: AsyncEngine,
    table: str,
    columns: str,
    *,
    statuses: Sequence[str],
    before: tuple[datetime, str] | None,
    limit: int,
    only: tuple[str, Mapping[str, Any]] = ("true", {}),
) -> Sequence[RowMapping]:
    """Rows of a table with `id`, `created_at` and `status`, the newest first, from below the position `before` on; of
    these statuses, or of all if there are none. `table` and `columns` are written into the statement as they are;
    so is the condition of `only`, with its parameters.
    """
    statement = text(f"""
    SELECT {columns} FROM {table}
    WHERE {only[0]} AND (CAST(:statuses AS text[]) IS NULL OR status = ANY(:statuses))
    AND (CAST(:before AS timestamptz) IS NULL OR (created_at, id) < (:before, :before_id))
    ORDER BY created_at DESC, id DESC LIMIT :limit
    """)
    at, row_id = before or (None, "")
    parameters = {"statuses": list(statuses) or None, "before": at, "before_id": row_id, "limit": limit, **only[1]}
    async with engine.connect() as connection:
        return (await connection.execute(statement, parameters)).mappings().all()
