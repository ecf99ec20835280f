"""The order's timeline: append-only events with actor, reason and data; a business key makes each happen once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.event_data import EventData
from dom.orders.events import EVENTS, EventKind
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


_ASKED_BY = text("""
SELECT data FROM timeline
WHERE order_id = :order_id AND data->>'request' = :request AND kind NOT LIKE 'return\\_%' ORDER BY id LIMIT 1
""")


async def asked_by(connection: AsyncConnection, order_id: str, request: str) -> dict[str, Any] | None:
    """The data of what was done to the order by this request, which is the asker's own id of it; or None.

    Requests about the order's returns have ids of their own.
    """
    found = await connection.scalar(_ASKED_BY, {"order_id": order_id, "request": request})
    return None if found is None else dict(found)


_HAPPENED_AT = text("""
SELECT max(occurred_at) FROM timeline
WHERE order_id = :order_id AND kind = :kind AND data->>'fulfilment_id' = :fulfilment_id
""")


async def happened_at(connection: AsyncConnection, order_id: str, kind: str, fulfilment_id: str) -> datetime | None:
    """When something last happened to a fulfilment; None if it did not."""
    names = {"order_id": order_id, "kind": kind, "fulfilment_id": fulfilment_id}
    at: datetime | None = await connection.scalar(_HAPPENED_AT, names)
    return at


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


_OF_KIND = text("""
SELECT id, kind, actor, reason, data, occurred_at, recorded_at FROM timeline
WHERE order_id = :order_id AND kind = :kind AND (CAST(:request AS text) IS NULL OR data->>'request' = :request)
ORDER BY id
""")


async def of_kind(
    connection: AsyncConnection, order_id: str, kind: EventKind, *, request: str | None = None
) -> Sequence[RowMapping]:
    """The events of a kind of an order, oldest first; with `request` those that it asked for."""
    names = {"order_id": order_id, "kind": kind, "request": request}
    return (await connection.execute(_OF_KIND, names)).mappings().all()
