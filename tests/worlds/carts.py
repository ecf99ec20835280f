"""Carts that hold units: asking for them, letting them lapse, and looking at what is free meanwhile."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store.network.reference import ReferenceCache
from store.sourcing import snapshot
from store.stock import soft
from store.stock.soft import ReservationVerdict, SoftRequest, SoftUnits
from tests.worlds.books import rows
from tests.worlds.sourcing import MONDAY_NOON

_LAPSE = text("UPDATE soft_reservations SET expires_at = now() + :after WHERE id = :id")
_LAPSE_UNITS = text("UPDATE reservations SET expires_at = now() + :after WHERE soft_id = :id")


def cart(
    name: str,
    quantity: int = 1,
    sku: str = "RARE",
    *,
    node: str = "dc-leeds",
    owner: str | None = None,
    channel: str = "web",
    seconds: int = 600,
    more: tuple[SoftUnits, ...] = (),
    brokering: bool = False,
) -> SoftRequest:
    """A cart of that id wants units; its owner is named after it."""
    units = (SoftUnits(node, sku, quantity), *more)
    return SoftRequest(name, channel, owner or f"owner-{name}", "cart", seconds, units, brokering=brokering)


async def take(engine: AsyncEngine, *requests: SoftRequest) -> list[ReservationVerdict]:
    """Ask for all of them in one statement."""
    async with engine.begin() as connection:
        return await soft.take(connection, requests)


async def held(engine: AsyncEngine, *requests: SoftRequest) -> None:
    """Carts that hold what they want."""
    assert await take(engine, *requests) == [ReservationVerdict.TAKEN] * len(requests)


async def lapse(engine: AsyncEngine, soft_id: str, after: timedelta = timedelta(seconds=-1)) -> None:
    """Move the expiry of a reservation; without `after` to the past."""
    async with engine.begin() as connection:
        for statement in (_LAPSE, _LAPSE_UNITS):
            await connection.execute(statement, {"after": after, "id": soft_id})


async def free(
    engine: AsyncEngine, sku: str, *, channel: str = "web", own: str | None = None, promised: bool = False
) -> dict[str, int]:
    """Units of a SKU by node, as the planner sees them."""
    async with engine.connect() as connection:
        world, _, _ = await snapshot.snapshot(
            connection,
            ReferenceCache(),
            channel=channel,
            skus=[sku],
            country="GB",
            postal_code="YO1 7EP",
            first_day=MONDAY_NOON.date(),
            last_day=MONDAY_NOON.date(),
            taken_at=MONDAY_NOON,
            own=own,
            promised=promised,
        )
    return {node: units for (node, _), units in world.available.items()}


async def rule(engine: AsyncEngine, channel: str, *, buffer: int = 0, share: int = 100, excluded: bool = False) -> None:
    """What is kept from a channel, everywhere, from now on."""
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO channels (id, document) VALUES (:id, '{}') ON CONFLICT DO NOTHING"), {"id": channel}
        )
        await connection.execute(
            text("""
            INSERT INTO channel_rules (channel, buffer, share, excluded) VALUES (:channel, :buffer, :share, :excluded)
            """),
            {"channel": channel, "buffer": buffer, "share": share, "excluded": excluded},
        )


async def statuses(engine: AsyncEngine, soft_id: str) -> tuple[object, list[object]]:
    """The status of a reservation, and those of its units, each once."""
    found = await rows(
        engine,
        """
        SELECT h.status, array_agg(DISTINCT r.status ORDER BY r.status)
        FROM soft_reservations h JOIN reservations r ON r.soft_id = h.id WHERE h.id = :id GROUP BY h.id
        """,
        id=soft_id,
    )
    header, units = found[0]
    assert isinstance(units, list)
    return header, units
