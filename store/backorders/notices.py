"""Orders are told of what is allocated to them; and whose units are kept, or go back."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.notifications.messages import Notice
from dom.shared.access import ALLOCATION
from store import exceptions
from store.backorders import allocations
from store.notifications import outbox
from store.orders import processes
from store.stock import soft

# The business time of what brought the units, for orders that are replayed: their own dates are long past.
_SET_ASIDE = text("""
SELECT h.backorder_of AS order_id, array_agg(DISTINCT r.sku ORDER BY r.sku) AS skus,
       coalesce(max(e.occurred_at), statement_timestamp()) AS occurred_at
FROM soft_reservations h
JOIN reservations r ON r.soft_id = h.id AND r.status = 'active'
LEFT JOIN LATERAL (
    SELECT occurred_at FROM stock_ledger
    WHERE node_id = r.node_id AND sku = r.sku AND on_hand_delta > reserved_delta ORDER BY id DESC LIMIT 1) e ON true
WHERE h.backorder_of = ANY(:ids) GROUP BY h.backorder_of ORDER BY h.backorder_of
""")


async def write(connection: AsyncConnection, order_ids: Sequence[str]) -> None:
    """Have orders told that units are allocated to them, in the transaction that did it: of which SKUs, and when what
    brought them happened.
    """
    if not order_ids:
        return
    rows = await connection.execute(_SET_ASIDE, {"ids": order_ids})
    await outbox.write(
        connection,
        *(
            outbox.to_order(
                row.order_id,
                Notice.STOCK_ARRIVED,
                {"skus": row.skus, "occurred_at": row.occurred_at},
                key=f"stock_arrived:{uuid4()}",
            )
            for row in rows
        ),
    )


async def without_process(connection: AsyncConnection, order_id: str) -> None:
    """No process runs for the order: others get its units, and a person has to look at it.

    It stands in line again when the exception is closed. One that ended meanwhile, or took its units, is all right.
    """
    await allocations.lock_order(connection, order_id)
    if not await allocations.give_up(connection, order_id, reason="no process runs for the order", actor=ALLOCATION):
        return
    if await processes.must_live(connection, order_id) is None:
        return
    await exceptions.open_(
        connection,
        order_id,
        ExceptionKind.BACKORDER_NO_PROCESS,
        allocations.soft_id(order_id),
        "stock came for units that wait, but no process runs for the order",
    )


_LACKING = text("""
SELECT backorder_of FROM soft_reservations
WHERE status = 'active' AND backorder_of IS NOT NULL AND NOT ready
  AND expires_at < statement_timestamp() + make_interval(secs => :soon) ORDER BY backorder_of
""")
_IDLE = text("""
SELECT h.backorder_of FROM soft_reservations h
WHERE h.status = 'active' AND h.backorder_of IS NOT NULL AND NOT EXISTS (
    SELECT FROM order_lines l WHERE l.order_id = h.backorder_of AND l.backordered > 0)
  AND (CAST(:order_id AS text) IS NULL OR h.backorder_of = :order_id) ORDER BY h.backorder_of
""")


async def lacking(connection: AsyncConnection) -> list[str]:
    """Orders that still lack something, and whose units are to be kept for longer."""
    return list(await connection.scalars(_LACKING, {"soon": allocations.LACKING_SECONDS // 2}))


async def extend_allocation(connection: AsyncConnection, order_id: str) -> None:
    """Keep what is allocated to an order that still lacks something.

    The order is locked, as by who adds to it: he locks header and units in another sequence than `soft.extend`.
    """
    await allocations.lock_order(connection, order_id)
    await soft.extend(connection, allocations.soft_id(order_id), allocations.LACKING_SECONDS)


async def idle(connection: AsyncConnection) -> list[str]:
    """Orders that wait for nothing any more, and still have units allocated."""
    return list(await connection.scalars(_IDLE, {"order_id": None}))


async def release_idle(connection: AsyncConnection, order_id: str) -> None:
    """What is allocated to an order that waits for nothing any more goes back."""
    await allocations.lock_order(connection, order_id)
    if await connection.scalar(_IDLE, {"order_id": order_id}) is not None:
        await allocations.give_up(connection, order_id, reason="the order waits for nothing", actor=ALLOCATION)
