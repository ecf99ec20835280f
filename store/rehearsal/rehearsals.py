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
from store.database import pages
from store.enums import RehearsalStatus

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
    """Write down a rehearsal that is to be run. InvalidInput for orders nobody understands."""
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


async def find(
    engine: AsyncEngine, statuses: Sequence[RehearsalStatus], before: tuple[datetime, str] | None, limit: int
) -> list[Rehearsal]:
    """Rehearsals without their reports, the newest first, after a position."""
    found = await pages.newest(engine, "rehearsals", _COLUMNS, statuses=statuses, before=before, limit=limit)
    return [_rehearsal(row) for row in found]


async def forget(connection: AsyncConnection, rehearsal_id: str) -> None:
    """Take a rehearsal away; if it is under way, it ends. Raises NotFound."""
    gone = await connection.execute(text("DELETE FROM rehearsals WHERE id = :id"), {"id": rehearsal_id})
    if not gone.rowcount:
        raise NotFound(f"there is no rehearsal {rehearsal_id}")


_BEGIN = text("""
UPDATE rehearsals SET status = 'running', done = 0, total = 0, started_at = clock_timestamp()
WHERE id = :id AND status IN ('queued', 'running') RETURNING id, policy, policy_name, orders
""")


async def begin(engine: AsyncEngine, rehearsal_id: str) -> Begun | None:
    """Begin it, from its start; None if it was taken away, or has ended."""
    async with engine.begin() as connection:
        row = (await connection.execute(_BEGIN, {"id": rehearsal_id})).mappings().one_or_none()
    if row is None:
        return None
    policy = Policy.model_validate(row["policy"]) if row["policy"] else None
    return Begun(row["id"], policy, row["policy_name"], read_span(row["orders"]))


async def unfinished(engine: AsyncEngine) -> Sequence[str]:
    """The ids of rehearsals that have not ended, the oldest first."""
    query = text("SELECT id FROM rehearsals WHERE status IN ('queued', 'running') ORDER BY created_at, id")
    async with engine.connect() as connection:
        return (await connection.scalars(query)).all()


_PROGRESS = text("""
UPDATE rehearsals SET done = least(:done, :total), total = :total WHERE id = :id AND status = 'running'
""")
_GIVE_UP = text("""
UPDATE rehearsals SET status = :status, detail = :detail, finished_at = clock_timestamp()
WHERE id = :id AND status IN ('queued', 'running')
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


async def give_up(engine: AsyncEngine, rehearsal_id: str, status: RehearsalStatus, detail: str) -> bool:
    """It ends without a report, `failed` or `cancelled`, and this is why; False if it had ended."""
    return await _changed(engine, _GIVE_UP, {"id": rehearsal_id, "status": status, "detail": keepable(detail)[:500]})


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
