"""Cancellations that nodes and carriers are asked for. The open ones are read with the order (`store.orders.state`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, Select, exists, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.asked import AskedOf, CancellationStatus, EndedCancellation, OpenCancellation
from dom.orders.order import REPLAY_TAG
from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.database.parameters import to_json
from store.fulfilment.places import PLACE
from store.tables.cancellations import cancellation_requests
from store.tables.orders import orders

_ASK: Final = text(f"""
INSERT INTO cancellation_requests
    (id, order_id, fulfilment_id, node_id, asked_of, units, status, reason, asked_by, asked_at, answer_by)
SELECT :id, f.order_id, f.id, {PLACE}, :asked_of, CAST(:units AS jsonb), '{CancellationStatus.ASKED}', :reason,
       :actor, :at, :answer_by
FROM fulfilments f WHERE f.id = :fulfilment_id
""")


async def ask(connection: AsyncConnection, asked: OpenCancellation, *, actor: str, at: datetime) -> None:
    """Write a request. The order must be locked."""
    values = {
        "id": asked.id,
        "fulfilment_id": asked.fulfilment_id,
        "asked_of": asked.asked_of,
        "units": to_json(dict(asked.units)),
        "reason": asked.reason,
        "actor": actor,
        "at": at,
        "answer_by": asked.answer_by,
    }
    await connection.execute(_ASK, values)


async def narrow(connection: AsyncConnection, asked: OpenCancellation) -> None:
    """Fewer units are asked for than were. The order must be locked."""
    statement = text("UPDATE cancellation_requests SET units = CAST(:units AS jsonb) WHERE id = :id")
    await connection.execute(statement, {"id": asked.id, "units": to_json(dict(asked.units))})


_END: Final = text(f"""
UPDATE cancellation_requests
SET status = :status, answered_by = :actor, answered_at = :at, reply = :reply, ended_by = :ended_by
WHERE id = :id AND status = '{CancellationStatus.ASKED}'
""")


async def end(connection: AsyncConnection, ended: EndedCancellation, *, actor: str, at: datetime) -> None:
    """Write how a request ended. The order must be locked."""
    values = {
        "id": ended.id,
        "status": ended.status,
        "actor": actor,
        "at": at,
        "reply": ended.reply or None,
        "ended_by": ended.end,
    }
    await connection.execute(_END, values)


_COLUMNS: Final = (
    "order_id", "fulfilment_id", "node_id", "asked_of", "units", "status", "reason", "asked_by", "asked_at",
    "answer_by", "answered_by", "answered_at", "reply", "ended_by",
)  # fmt: skip


def _shown() -> Select[Any]:
    shown = [cancellation_requests.c[name] for name in _COLUMNS]
    return select(cancellation_requests.c.id.label("request_id"), *shown)


async def get(connection: AsyncConnection, request_id: str) -> RowMapping | None:
    """A request, open or ended."""
    found: RowMapping | None = (
        (await connection.execute(_shown().where(cancellation_requests.c.id == request_id))).mappings().first()
    )
    return found


@dataclass(frozen=True, slots=True)
class CancellationFilter:
    """Which requests are asked for; what is None does not matter."""

    node: str | None = None
    order: str | None = None
    asked_of: AskedOf | None = None
    statuses: Sequence[CancellationStatus] | None = None
    limits: Limits = UNLIMITED


async def find(
    connection: AsyncConnection, wanted: CancellationFilter, *, after: tuple[datetime, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Requests, the oldest first, from behind the position `after` (asked_at, request_id) on."""
    table = cancellation_requests
    query = _shown().where(*visibility.of_cancellations(wanted.limits)).order_by(table.c.asked_at, table.c.id)
    if wanted.node is not None:
        query = query.where(table.c.node_id == wanted.node)
    if wanted.order is not None:
        query = query.where(table.c.order_id == wanted.order)
    if wanted.asked_of is not None:
        query = query.where(table.c.asked_of == wanted.asked_of)
    if wanted.statuses:
        query = query.where(table.c.status.in_(list(wanted.statuses)))
    if after is not None:
        query = query.where(tuple_(table.c.asked_at, table.c.id) > after)
    found: Sequence[RowMapping] = (await connection.execute(query.limit(limit))).mappings().all()
    return found


async def due(connection: AsyncConnection, now: datetime, after: str = "") -> list[tuple[str, str, AskedOf]]:
    """Open requests whose time is over, each with its order and whom it is asked of, by id from after that one on; at
    most 200 at once. A replayed order lives in its own time.
    """
    table = cancellation_requests
    replayed = exists().where(orders.c.id == table.c.order_id, orders.c.document["tags"].has_key(REPLAY_TAG))
    query = select(table.c.id, table.c.order_id, table.c.asked_of).where(
        table.c.status == CancellationStatus.ASKED, table.c.answer_by <= now, table.c.id > after, ~replayed
    )
    rows = await connection.execute(query.order_by(table.c.id).limit(200))
    return [(row.id, row.order_id, AskedOf(row.asked_of)) for row in rows]
