"""The order's timeline: append-only events with actor, reason and data; a business key makes each happen once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.events import EVENTS, EventData, EventKind
from store.database.parameters import to_json


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an order. `data` are of the type that EVENTS names for the kind; another is an error
    of the program, and raises TypeError.
    """

    order_id: str
    kind: EventKind
    business_key: str
    actor: str
    occurred_at: datetime
    data: EventData
    reason: str = ""

    def __post_init__(self) -> None:
        if type(self.data) is not EVENTS[self.kind].data:
            raise TypeError(f"{self.kind} has no data of the type {type(self.data).__name__}")


_APPEND = text("""
INSERT INTO timeline (order_id, kind, business_key, actor, reason, data, occurred_at)
VALUES (:order_id, :kind, :business_key, :actor, :reason, CAST(:data AS jsonb), :occurred_at)
ON CONFLICT (order_id, business_key) DO NOTHING RETURNING id
""")


async def append(connection: AsyncConnection, event: Event) -> bool:
    """Append an event; False if an event with its key stands already, and with it everything it stands for."""
    return await connection.scalar(_APPEND, as_parameters(event)) is not None


def as_parameters(event: Event) -> dict[str, Any]:
    """The event as bind parameters of a statement that appends it."""
    return {
        "order_id": event.order_id,
        "kind": event.kind,
        "business_key": event.business_key,
        "actor": event.actor,
        "reason": event.reason,
        "data": to_json(event.data.model_dump(mode="json", exclude_none=True)),
        "occurred_at": event.occurred_at,
    }


async def data_of(connection: AsyncConnection, order_id: str, business_key: str) -> dict[str, Any]:
    """The data of an event; empty if there is none."""
    found = await connection.scalar(
        text("SELECT data FROM timeline WHERE order_id = :order_id AND business_key = :key"),
        {"order_id": order_id, "key": business_key},
    )
    return dict(found or {})


async def asked_by(connection: AsyncConnection, order_id: str, kind: str, request: str) -> dict[str, Any] | None:
    """The data of the event of a kind that a caller asked for by this request, which is his own id of it; or None."""
    found = await connection.scalar(
        text("""
        SELECT data FROM timeline
        WHERE order_id = :order_id AND kind = :kind AND data->>'request' = :request ORDER BY id LIMIT 1
        """),
        {"order_id": order_id, "kind": kind, "request": request},
    )
    return None if found is None else dict(found)


async def of_order(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """All events of an order, oldest first."""
    rows = await connection.execute(
        text("""
        SELECT id, kind, actor, reason, data, occurred_at, recorded_at
        FROM timeline WHERE order_id = :order_id ORDER BY id
        """),
        {"order_id": order_id},
    )
    return rows.mappings().all()
