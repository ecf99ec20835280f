"""An order's holds: put on, released, shown. What stands is read with the order's units (`store.orders.state`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.holds import Hold
from dom.orders.status import FINAL_ORDER
from dom.orders.views import HoldView
from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.database.parameters import listed
from store.tables.holds import order_holds
from store.tables.orders import orders

_PLACE: Final = text("""
INSERT INTO order_holds (id, order_id, type, blocks, purpose, owner, placed_by, placed_at, due_at, release_at)
VALUES (:id, :order_id, :type, :blocks, :purpose, :owner, :actor, :at, :due_at, :release_at)
""")


async def place(
    connection: AsyncConnection, order_id: str, hold: Hold, *, purpose: str, owner: str, actor: str, at: datetime
) -> None:
    """Put a hold on. The order must be locked."""
    await connection.execute(
        _PLACE,
        {
            "id": hold.id,
            "order_id": order_id,
            "type": hold.type,
            "blocks": sorted(hold.blocks),
            "purpose": purpose,
            "owner": owner,
            "actor": actor,
            "at": at,
            "due_at": hold.due_at,
            "release_at": hold.release_at,
        },
    )


_RELEASE: Final = text("""
UPDATE order_holds SET released_by = :actor, released_at = :at, resolution = :reason
WHERE id = ANY(:ids) AND released_at IS NULL
""")


async def release(
    connection: AsyncConnection, hold_ids: Sequence[str], *, reason: str, actor: str, at: datetime
) -> None:
    """Release holds. Their order must be locked."""
    await connection.execute(_RELEASE, {"ids": list(hold_ids), "reason": reason, "actor": actor, "at": at})


_DUE: Final = text(f"""
SELECT h.id, h.order_id, h.type, h.blocks, h.release_at, CASE WHEN NOT h.overdue THEN h.due_at END AS overdue_at
FROM order_holds h JOIN orders o ON o.id = h.order_id
WHERE h.released_at IS NULL AND o.status IN ({listed(FINAL_ORDER)})
  AND (h.release_at <= :now OR h.due_at <= :now AND NOT h.overdue)
ORDER BY h.id LIMIT 100
""")


async def due_of_ended_orders(connection: AsyncConnection, now: datetime) -> list[tuple[str, HoldView]]:
    """Holds for which time has come, of orders that are over and have no process to see to it; each with its order."""
    rows = (await connection.execute(_DUE, {"now": now})).all()
    return [
        (
            row.order_id,
            HoldView(
                hold_id=row.id,
                type=row.type,
                blocks=tuple(row.blocks),
                release_at=row.release_at,
                overdue_at=row.overdue_at,
            ),
        )
        for row in rows
    ]


async def was_released(connection: AsyncConnection, order_id: str, hold_id: str) -> bool:
    """Whether the order had the hold, and has it no more."""
    query = text(
        "SELECT EXISTS (SELECT FROM order_holds WHERE id = :id AND order_id = :order AND released_at IS NOT NULL)"
    )
    return bool(await connection.scalar(query, {"id": hold_id, "order": order_id}))


async def standing_of_type(connection: AsyncConnection, order_id: str, type_: str) -> str:
    """The id of the order's hold of a type. It must stand."""
    query = text("SELECT id FROM order_holds WHERE order_id = :id AND type = :type AND released_at IS NULL")
    return str((await connection.execute(query, {"id": order_id, "type": type_})).scalar_one())


async def mark_overdue(connection: AsyncConnection, hold_id: str) -> None:
    """A person hears that the hold is due."""
    await connection.execute(text("UPDATE order_holds SET overdue = true WHERE id = :id"), {"id": hold_id})


_SHOWN: Final = (
    "order_id", "type", "blocks", "purpose", "owner", "placed_by", "placed_at", "due_at", "release_at", "overdue",
    "released_by", "released_at", "resolution",
)  # fmt: skip


async def of_order(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """The order's holds, also those that were released, in the sequence in which they were put on."""
    shown = [order_holds.c[name] for name in _SHOWN]
    query = select(order_holds.c.id.label("hold_id"), *shown).where(order_holds.c.order_id == order_id)
    query = query.order_by(func.length(order_holds.c.id), order_holds.c.id)
    return (await connection.execute(query)).mappings().all()


@dataclass(frozen=True, slots=True)
class HoldFilter:
    """Which standing holds are asked for; what is None does not matter. `overdue`: due before the statement, or not."""

    type: str | None = None
    owner: str | None = None
    overdue: bool | None = None
    limits: Limits = UNLIMITED


async def standing(
    connection: AsyncConnection, wanted: HoldFilter, *, after: tuple[datetime, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Holds that stand, the oldest first, from behind the position `after` (placed_at, hold_id) on."""
    shown = [order_holds.c[name] for name in _SHOWN]
    query = (
        select(
            order_holds.c.id.label("hold_id"),
            *shown,
            orders.c.channel,
            orders.c.status.label("order_status"),
            orders.c.promise_latest,
        )
        .join(orders, orders.c.id == order_holds.c.order_id)
        .where(order_holds.c.released_at.is_(None), *visibility.of_orders(wanted.limits))
        .order_by(order_holds.c.placed_at, order_holds.c.id)
        .limit(limit)
    )
    for name in ("type", "owner"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(order_holds.c[name] == value)
    if wanted.overdue is not None:
        query = query.where((order_holds.c.due_at < func.statement_timestamp()).is_(wanted.overdue))
    if after is not None:
        query = query.where(tuple_(order_holds.c.placed_at, order_holds.c.id) > after)
    return (await connection.execute(query)).mappings().all()
