"""Whoever extends or ends a reservation in the very moment it lapses finds all of it or nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.stock import soft
from store.stock.soft import ReservationVerdict, SoftUnits
from tests.worlds.books import check_books, one
from tests.worlds.carts import cart, held, statuses, take

BALANCE = "SELECT FROM stock WHERE node_id = 'dc-leeds' AND sku = 'A' FOR UPDATE"
UNITS = "SELECT FROM reservations WHERE soft_id = 's1' FOR UPDATE"
_IS_LIVE = "SELECT expires_at > statement_timestamp() FROM soft_reservations WHERE id = 's1'"
_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

Call = Callable[[AsyncConnection], Awaitable[object]]


async def convert(connection: AsyncConnection) -> object:
    return await soft.convert(connection, "s1", "web-1")


async def release(connection: AsyncConnection) -> object:
    return await soft.release(connection, "s1", reason="test", actor="test")


async def extend(connection: AsyncConnection) -> object:
    return await soft.extend(connection, "s1", 600)


@asynccontextmanager
async def overtaken(
    world: AsyncEngine, call: Call, locked: str
) -> AsyncIterator[tuple[AsyncConnection, asyncio.Task[object]]]:
    """The call begins in time and waits for what is locked until the cart has lapsed; the lock ends with the block."""

    async def called() -> object:
        async with world.begin() as connection:
            return await call(connection)

    await held(world, cart("s1", 3, "A", seconds=1, more=(SoftUnits("dc-leeds", "B", 1),)))
    async with world.begin() as holding:
        await holding.execute(text(locked))
        calling = asyncio.create_task(called())
        while not await one(world, _WAITS):
            assert not calling.done(), "it waited for nobody"
            await asyncio.sleep(0.01)
        assert await one(world, _IS_LIVE), "it began in time"
        while await one(world, _IS_LIVE):
            await asyncio.sleep(0.01)
        yield holding, calling


async def test_units_reclaimed_while_the_extension_waits_are_not_extended(world: AsyncEngine) -> None:
    async with overtaken(world, extend, UNITS) as (reclaiming, extending):
        assert await soft.sweep(reclaiming) == 2
    assert await extending is None
    assert await one(world, "SELECT count(*) FROM reservations WHERE status = 'active'") == 0
    assert await one(world, "SELECT sum(reserved_soft) FROM stock") == 0
    await check_books(world)


@pytest.mark.parametrize(("ending", "answer"), [(convert, {}), (release, True)])
async def test_a_part_reclaimed_while_its_end_waits_ends_the_rest(
    world: AsyncEngine, ending: Call, answer: object
) -> None:
    async with overtaken(world, ending, BALANCE) as (_, calling):
        assert await take(world, cart("other", 100, "B")) == [ReservationVerdict.TAKEN]
    assert await calling == answer
    assert await statuses(world, "s1") == ("expired", ["expired"])
    await check_books(world)


async def test_one_whose_lapse_was_written_down_while_its_end_waited_has_lapsed(world: AsyncEngine) -> None:
    async with overtaken(world, convert, BALANCE) as (_, calling), world.begin() as connection:
        await soft.sweep(connection, "wh-london", "RARE")
    assert await calling == {}
    assert await statuses(world, "s1") == ("expired", ["expired"])
    await check_books(world)


async def test_a_reservation_is_extended_whole_and_never_shortened(world: AsyncEngine) -> None:
    await held(world, cart("s1", 3, "A", more=(SoftUnits("dc-leeds", "B", 1),)))
    async with world.begin() as connection:
        first = await soft.extend(connection, "s1", 1200)
        assert first is not None
        assert await soft.extend(connection, "s1", 5) == first
    ends = "SELECT count(*) FROM reservations r JOIN soft_reservations h ON h.id = r.soft_id"
    assert await one(world, f"{ends} AND h.expires_at = r.expires_at") == 2
