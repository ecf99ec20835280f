"""Rehearsals as they are asked for, run and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.shared.errors import NotFound
from dom.shared.texts import keepable
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.report import Report
from dom.sourcing.rehearsal.span import Span, read_span
from store.enums import RehearsalStatus

STARTS_AT_MOST: Final = 3
"""A rehearsal that was begun so often without coming to its end is given up: it may be what ends its worker."""
_COLUMNS: Final = """
id, status, policy_name, orders, total, done, detail, asked_by, created_at, started_at, finished_at
"""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rehearsal and how far it is; `report` is there when it is done."""

    id: str
    status: RehearsalStatus
    policy_name: str
    orders: str
    total: int
    done: int
    detail: str
    asked_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A rehearsal to be run. `policy` is None where each decision is made again under its own version."""

    id: str
    policy: Policy | None
    policy_name: str
    span: Span


async def ask(
    connection: AsyncConnection, *, policy: Policy | None, policy_name: str, orders: str, asked_by: str
) -> Rehearsal:
    """Put a rehearsal into the queue. InvalidInput for orders nobody understands."""
    read_span(orders)
    rows = await connection.execute(
        text(f"""
        INSERT INTO rehearsals (id, policy, policy_name, orders, asked_by)
        VALUES (:id, CAST(:policy AS jsonb), :policy_name, :orders, :asked_by) RETURNING {_COLUMNS}
        """),
        {
            "id": f"rehearsal-{uuid4().hex[:20]}",
            "policy": policy.model_dump_json() if policy else None,
            "policy_name": policy_name,
            "orders": orders,
            "asked_by": asked_by,
        },
    )
    return _rehearsal(rows.mappings().one())


async def get(engine: AsyncEngine, rehearsal_id: str) -> Rehearsal:
    """A rehearsal with its report. Raises NotFound."""
    query = text(f"SELECT {_COLUMNS}, report FROM rehearsals WHERE id = :id")
    async with engine.connect() as connection:
        row = (await connection.execute(query, {"id": rehearsal_id})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no rehearsal {rehearsal_id}")
    return _rehearsal(row)


_FIND = text(f"""
SELECT {_COLUMNS} FROM rehearsals
WHERE (CAST(:statuses AS text[]) IS NULL OR status = ANY(:statuses))
AND (CAST(:before AS timestamptz) IS NULL OR (created_at, id) < (:before, :before_id))
ORDER BY created_at DESC, id DESC LIMIT :limit
""")


async def find(
    engine: AsyncEngine, statuses: Sequence[RehearsalStatus], before: tuple[datetime, str] | None, limit: int
) -> list[Rehearsal]:
    """Rehearsals without their reports, the newest first, after a position."""
    at, rehearsal_id = before or (None, "")
    parameters = {"statuses": list(statuses) or None, "before": at, "before_id": rehearsal_id, "limit": limit}
    async with engine.connect() as connection:
        return [_rehearsal(row) for row in (await connection.execute(_FIND, parameters)).mappings()]


async def forget(connection: AsyncConnection, rehearsal_id: str) -> None:
    """Take a rehearsal away; if it is under way, it ends. Raises NotFound."""
    gone = await connection.execute(text("DELETE FROM rehearsals WHERE id = :id"), {"id": rehearsal_id})
    if not gone.rowcount:
        raise NotFound(f"there is no rehearsal {rehearsal_id}")


_BEGIN = text("""
UPDATE rehearsals SET status = 'running', starts = starts + 1, done = 0, total = 0, started_at = clock_timestamp()
WHERE id = (SELECT id FROM rehearsals WHERE status IN ('queued', 'running') ORDER BY created_at, id LIMIT 1)
RETURNING id, policy, policy_name, orders, starts
""")


async def begin(engine: AsyncEngine) -> Begun | None:
    """Begin the oldest that waits, or that somebody left in the middle; from its start. None if there is none.

    Only one process at a time may call it: the keeper.
    """
    async with engine.begin() as connection:
        row = (await connection.execute(_BEGIN)).mappings().one_or_none()
        if row is None:
            return None
        if row["starts"] > STARTS_AT_MOST:
            detail = f"given up: it was begun {STARTS_AT_MOST} times, and never came to its end"
            await connection.execute(_FAIL, {"id": row["id"], "detail": detail})
            return None
    policy = Policy.model_validate(row["policy"]) if row["policy"] else None
    return Begun(row["id"], policy, row["policy_name"], read_span(row["orders"]))


_FAIL = text("""
UPDATE rehearsals SET status = 'failed', detail = :detail, finished_at = clock_timestamp() WHERE id = :id
""")
_PROGRESS = text("""
UPDATE rehearsals SET done = least(:done, :total), total = :total WHERE id = :id AND status = 'running'
""")
_FINISH = text("""
UPDATE rehearsals SET status = 'done', done = :done, total = :done, report = CAST(:report AS jsonb),
    finished_at = clock_timestamp() WHERE id = :id AND status = 'running'
""")


async def advance(engine: AsyncEngine, rehearsal_id: str, done: int, total: int) -> bool:
    """Write down how far it is; False if it was taken away meanwhile."""
    return await _changed(engine, _PROGRESS, {"id": rehearsal_id, "done": done, "total": total})


async def finish(engine: AsyncEngine, rehearsal_id: str, report: Report) -> bool:
    """Keep its report; False if it was taken away meanwhile."""
    parameters = {"id": rehearsal_id, "done": report.made.decisions, "report": report.model_dump_json()}
    return await _changed(engine, _FINISH, parameters)


async def fail(engine: AsyncEngine, rehearsal_id: str, detail: str) -> bool:
    """It cannot be brought to its end, and this is why."""
    return await _changed(engine, _FAIL, {"id": rehearsal_id, "detail": keepable(detail)[:500]})


async def _changed(engine: AsyncEngine, statement: Any, parameters: dict[str, Any]) -> bool:
    async with engine.begin() as connection:
        return bool((await connection.execute(statement, parameters)).rowcount)


def _rehearsal(row: RowMapping) -> Rehearsal:
    values = dict(row)
    report = values.pop("report", None)
    return Rehearsal(
        **values | {"status": RehearsalStatus(row["status"])},
        report=None if report is None else Report.model_validate(report),
    )
