"""The audit log: every change that a caller asked for, done or refused. Rows are written once and never changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.engine import NO_WAIT_FOR_DISK

LONGEST: Final = 1000
"""Characters of a text that are kept."""

_INSERT = text(f"""
INSERT INTO audit_log (request_id, principal, key_id, roles, method, route, object, status, reason, source)
VALUES (:request_id, :principal, :key_id, :roles, :method, :route, :object, :status, :reason, :source)
RETURNING {NO_WAIT_FOR_DISK}
""")
_LIST = text("""
SELECT id, recorded_at, request_id, principal, key_id, roles, method, route, object, status, reason, source
FROM audit_log
WHERE (CAST(:before AS bigint) IS NULL OR id < :before)
  AND (CAST(:principal AS text) IS NULL OR principal = :principal)
  AND (CAST(:request_id AS text) IS NULL OR request_id = :request_id)
  AND (CAST(:route AS text) IS NULL OR route = :route)
  AND (CAST(:object AS text) IS NULL OR object = :object)
  AND (CAST(:since AS timestamptz) IS NULL OR recorded_at >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR recorded_at < :until)
ORDER BY id DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who asked for what, why and from where, and what it was answered with."""

    request_id: str
    principal: str
    key_id: str | None
    roles: Sequence[str]
    method: str
    route: str
    object: str
    status: int
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; what is None does not matter. From `since` on, before `until`."""

    principal: str | None = None
    request_id: str | None = None
    route: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def write(connection: AsyncConnection, entry: AuditEntry) -> None:
    """Add an entry. It is on disk a moment after the transaction was committed, not before: a crash of the database
    server may lose the last half second of the log, which no answer waits for.
    """
    await connection.execute(
        _INSERT,
        {
            "request_id": entry.request_id,
            "principal": entry.principal,
            "key_id": entry.key_id,
            "roles": list(entry.roles),
            "method": entry.method,
            "route": entry.route[:LONGEST],
            "object": entry.object[:LONGEST],
            "status": entry.status,
            "reason": entry.reason[:LONGEST],
            "source": entry.source,
        },
    )


async def page(
    connection: AsyncConnection, wanted: AuditFilter, *, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Entries, the newest first."""
    found = await connection.execute(
        _LIST,
        {"before": before, "limit": limit, **asdict(wanted)},
    )
    return found.mappings().all()
