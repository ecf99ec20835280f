"""Bulk runs: one action on many orders, and what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.bulk import BulkAction, BulkOutcome, BulkStatus
from dom.shared.access import Limits, Role
from dom.shared.errors import NotFound
from dom.shared.texts import keepable
from store.database import pages
from store.database.parameters import to_json

ENDED: Final = frozenset({BulkStatus.STOPPED, BulkStatus.DONE})
"""Nothing happens until somebody resumes it, if that is possible."""
_ACTION: Final[TypeAdapter[BulkAction]] = TypeAdapter(BulkAction)
_COLUMNS: Final = """
id, status, action, selection, reason, orders, requested_by, roles, channels, nodes, request_hash, stopped_by,
created_at, started_at, finished_at,
(SELECT coalesce(jsonb_object_agg(outcome, n), '{}') FROM (
    SELECT outcome, count(*) AS n FROM bulk_items WHERE bulk_id = bulk_runs.id AND outcome IS NOT NULL GROUP BY outcome
) counted) AS outcomes
"""
_SEEN: Final = """
(CAST(:channels AS text[]) IS NULL OR channels <@ :channels) AND (CAST(:nodes AS text[]) IS NULL OR nodes <@ :nodes)
"""
"""Who has limits sees the runs of those who had no wider ones."""


@dataclass(frozen=True, slots=True)
class BulkAsked:
    """A bulk run as it is asked for. `refused` are the orders that it does not find, among `orders`, in sequence."""

    id: str
    action: BulkAction
    selection: Mapping[str, Any]
    reason: str
    orders: Sequence[str]
    refused: frozenset[str]
    requested_by: str
    roles: frozenset[Role]
    limits: Limits
    request: str | None
    request_hash: str


@dataclass(frozen=True, slots=True)
class BulkRun:
    """A bulk run and how far it is: `outcomes` says of how many of its `orders` what became of them."""

    id: str
    status: BulkStatus
    action: BulkAction
    selection: dict[str, Any]
    reason: str
    orders: int
    outcomes: dict[BulkOutcome, int]
    requested_by: str
    roles: frozenset[Role]
    limits: Limits
    request_hash: str
    stopped_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more, unless it is resumed."""
        return self.status in ENDED

    @property
    def done(self) -> int:
        """Orders that have an outcome."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class BulkItemResult:
    """What became of an order; `problem` is the type of what it was refused for."""

    outcome: BulkOutcome
    detail: str
    data: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None


_INSERT = text("""
INSERT INTO bulk_runs (id, action, selection, reason, orders, requested_by, roles, channels, nodes, request,
                       request_hash)
VALUES (:id, CAST(:action AS jsonb), CAST(:selection AS jsonb), :reason, :orders, :requested_by, :roles, :channels,
        :nodes, :request, :request_hash)
ON CONFLICT (requested_by, request) WHERE request IS NOT NULL DO NOTHING
RETURNING id
""")
_INSERT_ITEMS = text("""
INSERT INTO bulk_items (bulk_id, position, order_id, outcome, detail, problem, done_at)
SELECT :id, asked.position, asked.order_id, missing.outcome, coalesce(missing.detail, ''), missing.problem,
       CASE WHEN missing.outcome IS NOT NULL THEN now() END
FROM unnest(CAST(:orders AS text[])) WITH ORDINALITY AS asked (order_id, position)
LEFT JOIN LATERAL (SELECT 'refused' AS outcome, 'there is no order ' || asked.order_id AS detail,
                          'not-found' AS problem
                   WHERE asked.order_id = ANY(CAST(:refused AS text[]))) missing ON true
""")


async def insert(connection: AsyncConnection, asked: BulkAsked) -> bool:
    """Write down a bulk run and its orders; False if its request was written down before."""
    made = await connection.scalar(
        _INSERT,
        {
            "id": asked.id,
            "action": asked.action.model_dump_json(),
            "selection": to_json(asked.selection),
            "reason": asked.reason,
            "orders": len(asked.orders),
            "requested_by": asked.requested_by,
            "roles": sorted(asked.roles),
            "request": asked.request,
            "request_hash": asked.request_hash,
            **_limits(asked.limits),
        },
    )
    if made is None:
        return False
    items = {"id": asked.id, "orders": list(asked.orders), "refused": sorted(asked.refused)}
    await connection.execute(_INSERT_ITEMS, items)
    return True


async def requested(connection: AsyncConnection, by: str, request: str) -> BulkRun | None:
    """The run that the caller asked for under this key; None if there is none."""
    query = text(f"SELECT {_COLUMNS} FROM bulk_runs WHERE requested_by = :by AND request = :request")
    row = (await connection.execute(query, {"by": by, "request": request})).mappings().one_or_none()
    return None if row is None else _run(row)


async def get(connection: AsyncConnection, bulk_id: str, limits: Limits, *, lock: bool = False) -> BulkRun:
    """A bulk run that is seen under these limits, locked if wanted. Raises NotFound."""
    query = text(f"SELECT {_COLUMNS} FROM bulk_runs WHERE id = :id AND {_SEEN} {'FOR UPDATE' if lock else ''}")
    row = (await connection.execute(query, {"id": bulk_id, **_limits(limits)})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no bulk run {bulk_id}")
    return _run(row)


async def find(
    engine: AsyncEngine, statuses: Sequence[BulkStatus], before: tuple[datetime, str] | None, limit: int, limits: Limits
) -> list[BulkRun]:
    """Bulk runs that are seen under these limits, the newest first, after a position."""
    only = (_SEEN, _limits(limits))
    found = await pages.newest(engine, "bulk_runs", _COLUMNS, statuses=statuses, before=before, limit=limit, only=only)
    return [_run(row) for row in found]


_ITEMS = text("""
SELECT position, order_id, outcome, detail, problem, data, done_at FROM bulk_items
WHERE bulk_id = :id AND position > :after
  AND (CAST(:outcomes AS text[]) IS NULL OR coalesce(outcome, 'open') = ANY(:outcomes))
ORDER BY position LIMIT :limit
""")


async def items(
    connection: AsyncConnection, bulk_id: str, outcomes: Sequence[str], after: int, limit: int
) -> Sequence[RowMapping]:
    """The orders of a run in their sequence, from after a position on; of these outcomes (`open`: none yet), or all."""
    asked = {"id": bulk_id, "outcomes": list(outcomes) or None, "after": after, "limit": limit}
    return (await connection.execute(_ITEMS, asked)).mappings().all()


_BEGIN = text("""
UPDATE bulk_runs SET status = 'running', started_at = coalesce(started_at, clock_timestamp())
WHERE id = :id AND status IN ('queued', 'running') RETURNING id
""")
_NEXT = text("""
SELECT order_id FROM bulk_items WHERE bulk_id = :id AND outcome IS NULL ORDER BY position LIMIT :most
""")
_FINISH = text("""
UPDATE bulk_runs SET status = 'done', finished_at = clock_timestamp()
WHERE id = :id AND status IN ('queued', 'running')
  AND NOT EXISTS (SELECT FROM bulk_items WHERE bulk_id = :id AND outcome IS NULL)
""")
_CLAIM = text("""
SELECT i.order_id FROM bulk_items i JOIN bulk_runs b ON b.id = i.bulk_id
WHERE i.bulk_id = :id AND i.order_id = :order_id AND i.outcome IS NULL AND b.status = 'running' FOR UPDATE OF i
""")
_SETTLE = text("""
UPDATE bulk_items SET outcome = :outcome, detail = :detail, problem = :problem, data = CAST(:data AS jsonb),
    done_at = clock_timestamp()
WHERE bulk_id = :id AND order_id = :order_id AND outcome IS NULL
""")


async def begin(connection: AsyncConnection, bulk_id: str, most: int) -> Sequence[str]:
    """The next orders that have no outcome, at most so many; none if there are none, or it was stopped."""
    if await connection.scalar(_BEGIN, {"id": bulk_id}) is None:
        return []
    found = (await connection.scalars(_NEXT, {"id": bulk_id, "most": most})).all()
    if not found:
        await connection.execute(_FINISH, {"id": bulk_id})
    return found


async def claim(connection: AsyncConnection, bulk_id: str, order_id: str) -> bool:
    """Whether the order is still to be changed, and nobody else does it until the end of the transaction."""
    return await connection.scalar(_CLAIM, {"id": bulk_id, "order_id": order_id}) is not None


async def settle(connection: AsyncConnection, bulk_id: str, order_id: str, result: BulkItemResult) -> None:
    """Write down what became of an order; what was written down before stays."""
    await connection.execute(
        _SETTLE,
        {
            "id": bulk_id,
            "order_id": order_id,
            "outcome": result.outcome,
            "detail": keepable(result.detail)[:1000],
            "problem": result.problem,
            "data": to_json(result.data),
        },
    )


async def set_status(connection: AsyncConnection, bulk_id: str, status: BulkStatus, stopped_by: str | None) -> None:
    """It is stopped, by whom, or queued again."""
    statement = text("UPDATE bulk_runs SET status = :status, stopped_by = :by WHERE id = :id")
    await connection.execute(statement, {"id": bulk_id, "status": status, "by": stopped_by})


async def unfinished(engine: AsyncEngine) -> Sequence[str]:
    """The ids of runs that are to be carried out, the oldest first."""
    query = text("SELECT id FROM bulk_runs WHERE status IN ('queued', 'running') ORDER BY created_at, id")
    async with engine.connect() as connection:
        return (await connection.scalars(query)).all()


def _limits(limits: Limits) -> dict[str, list[str] | None]:
    named = {"channels": limits.channels, "nodes": limits.nodes}
    return {name: None if each is None else sorted(each) for name, each in named.items()}


def _run(row: RowMapping) -> BulkRun:
    values = dict(row)
    return BulkRun(
        **{name: values[name] for name in ("id", "selection", "reason", "orders", "requested_by", "request_hash")},
        **{name: values[name] for name in ("stopped_by", "created_at", "started_at", "finished_at")},
        status=BulkStatus(row["status"]),
        action=_ACTION.validate_python(row["action"]),
        outcomes={BulkOutcome(name): n for name, n in sorted(row["outcomes"].items())},
        roles=frozenset(map(Role, row["roles"])),
        limits=Limits.of(row["channels"], row["nodes"]),
    )
