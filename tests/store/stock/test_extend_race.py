"""An owner who extends in the very moment his units lapse hears the truth."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store.stock import soft
from store.stock.soft import ReservationVerdict, SoftRequest, SoftUnits
from tests.worlds.books import check_books, one

_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def test_units_reclaimed_while_the_extension_waits_are_not_extended(world: AsyncEngine) -> None:
    request = SoftRequest(
        "s1", "web", "cart-1", "cart", 2, (SoftUnits("dc-leeds", "A", 3), SoftUnits("dc-leeds", "B", 1))
    )
    async with world.begin() as connection:
        assert await soft.take(connection, [request]) == [ReservationVerdict.TAKEN]

    async def extended() -> object:
        async with world.begin() as connection:
            return await soft.extend(connection, "s1", 600)

    async with world.begin() as reclaiming:
        await reclaiming.execute(text("SELECT 1 FROM reservations WHERE soft_id = 's1' FOR UPDATE"))
        extending = asyncio.create_task(extended())
        while not await one(world, _WAITS):
            assert not extending.done(), "it waited for nobody"
            await asyncio.sleep(0.01)
        await asyncio.sleep(2)
        assert await soft.sweep(reclaiming) == 2

    assert await extending is None
    assert await one(world, "SELECT count(*) FROM reservations WHERE status = 'active'") == 0
    assert await one(world, "SELECT sum(reserved_soft) FROM stock") == 0
    await check_books(world)


async def test_a_reservation_is_extended_whole_and_never_shortened(world: AsyncEngine) -> None:
    request = SoftRequest(
        "s1", "web", "cart-1", "cart", 600, (SoftUnits("dc-leeds", "A", 3), SoftUnits("dc-leeds", "B", 1))
    )
    async with world.begin() as connection:
        assert await soft.take(connection, [request]) == [ReservationVerdict.TAKEN]
        first = await soft.extend(connection, "s1", 1200)
        assert first is not None
        assert await soft.extend(connection, "s1", 5) == first
    ends = "SELECT count(*) FROM reservations r JOIN soft_reservations h ON h.id = r.soft_id"
    assert await one(world, f"{ends} AND h.expires_at = r.expires_at") == 2
