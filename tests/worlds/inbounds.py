"""Inbound goods on the small world of the tests."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services import stock_updates
from store import inbound, stock
from store.enums import InboundKind
from store.inbound import Announcement, Arrived, Receipt
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.written import place

FRIDAY = date(2026, 3, 6)
NODES = ("dc-leeds", "wh-london", "st-york")
SKUS = ("A", "B", "RARE")
LINES = "FROM inbound i JOIN inbound_lines l USING (reference)"


def order(reference: str = "PO-1", node_id: str = "dc-leeds", **units: int) -> Announcement:
    """A purchase order."""
    return Announcement(reference, InboundKind.PURCHASE_ORDER, node_id, None, FRIDAY, 80, tuple(units.items()))


def transfer(reference: str = "T-1", to: str = "wh-london", origin: str = "dc-leeds", **units: int) -> Announcement:
    """A transfer between nodes."""
    return Announcement(reference, InboundKind.TRANSFER, to, origin, FRIDAY, 100, tuple(units.items()))


async def announce(engine: AsyncEngine, announced: Announcement) -> bool:
    async with engine.begin() as connection:
        return await inbound.announce(connection, announced, "planner")


async def ship(engine: AsyncEngine, reference: str = "T-1", **more: Any) -> None:
    async with engine.begin() as connection:
        await inbound.ship(connection, reference, **{"actor": "dock", "at": MONDAY_NOON, **more})


async def cancel(engine: AsyncEngine, reference: str = "T-1") -> None:
    async with engine.begin() as connection:
        await inbound.cancel(connection, reference, "planner")


async def receive(engine: AsyncEngine, reference: str, key: str, *lines: Arrived, **more: Any) -> bool:
    fields = {"closed": False, "actor": "dock", "occurred_at": MONDAY_NOON, **more}
    async with engine.begin() as connection:
        return await stock_updates.receive(connection, Receipt(reference, key, lines, **fields))


async def get(engine: AsyncEngine, reference: str) -> dict[str, Any]:
    async with engine.connect() as connection:
        found = await inbound.get(connection, reference)
    assert found is not None
    return dict(found)


async def in_transit(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return sum(row["units"] for row in await inbound.in_transit(connection))


async def conditions(engine: AsyncEngine, node_id: str, sku: str) -> tuple[object, ...]:
    query = "SELECT on_hand, damaged, quarantine FROM stock WHERE node_id = :node_id AND sku = :sku"
    return (await rows(engine, query, node_id=node_id, sku=sku))[0]


async def reserve(engine: AsyncEngine, held: Any) -> None:
    units = await place(engine, held)
    async with engine.begin() as connection:
        await stock.reserve(connection, held.order_id, held.channel, units, [], MONDAY_NOON)


async def counted(engine: AsyncEngine, node_id: str, sku: str, at: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE stock SET counted_at = :at WHERE node_id = :node_id AND sku = :sku"),
            {"at": at, "node_id": node_id, "sku": sku},
        )


async def _own_return(engine: AsyncEngine) -> None:
    held = small.order("own", A=5)
    await place(engine, held)
    async with engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO returns (id, order_id, node_id, status, number, reason, content_hash, requested_at)
            VALUES ('web-own-R1', 'web-own', 'dc-leeds', 'requested', 1, '', '', now())
            """)
        )
        await inbound.follow_return(connection, "web-own-R1", "dc-leeds", {"A": 5}, allowed_on=FRIDAY, actor="customer")


async def _units(engine: AsyncEngine) -> int:
    return int(str(await one(engine, "SELECT sum(on_hand + damaged + quarantine) FROM stock")))


async def _made(engine: AsyncEngine) -> int:
    """Bought or given back, and what transfers brought more than was sent, less what transfers lost."""
    return int(
        str(
            await one(
                engine,
                """
                SELECT coalesce(sum(CASE WHEN i.kind <> 'transfer' THEN l.received
                                         WHEN i.status = 'received' THEN l.received - l.quantity
                                         ELSE greatest(l.received - l.quantity, 0) END), 0)
                FROM inbound i JOIN inbound_lines l USING (reference)
                """,
            )
        )
    )
