"""An import that is not brought to its end: cancelled, or given up because its upload died."""

from typing import Final

from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import Conflict, NotFound
from dom.shared.texts import keepable
from store.database.parameters import to_json
from store.enums import ImportStatus, ItemOutcome

_WAIT: Final = "SET LOCAL lock_timeout = '15s'"
"""How long a chunk that is being applied is waited for."""


async def cancel(engine: AsyncEngine, import_id: str, detail: str) -> None:
    """End an import that was received: what was applied stays, and the other rows are `cancelled`.

    One that has ended stays as it is. Raises NotFound, and Conflict while it is received, or applied by somebody who
    does not stop.
    """
    try:
        async with engine.begin() as connection:
            await connection.execute(text(_WAIT))
            found = (await connection.execute(_LOCK, {"id": import_id})).mappings().one_or_none()
            if found is None:
                raise NotFound(f"there is no import {import_id}")
            if found["status"] == ImportStatus.RECEIVING:
                raise Conflict("it is still being received; end the upload", data={"status": found["status"]})
            if found["status"] not in {ImportStatus.QUEUED, ImportStatus.APPLYING}:
                return
            left = (await connection.execute(_LEFT, {"id": import_id})).rowcount
            outcomes = found["outcomes"] | ({ItemOutcome.CANCELLED: left} if left else {})
            parameters = {"id": import_id, "outcomes": to_json(outcomes), "detail": keepable(detail)[:500]}
            await connection.execute(_CANCEL, parameters)
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise Conflict("a part of it is being applied; cancel it again later") from error
        raise


_LOCK = text("SELECT status, outcomes FROM stock_imports WHERE id = :id FOR UPDATE")
_LEFT = text("""
UPDATE stock_import_rows SET outcome = 'cancelled', detail = 'the import was cancelled'
WHERE import_id = :id AND outcome IS NULL
""")
_CANCEL = text("""
UPDATE stock_imports SET status = 'cancelled', outcomes = CAST(:outcomes AS jsonb), detail = :detail,
    touched_at = clock_timestamp(), finished_at = clock_timestamp() WHERE id = :id
""")


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
