"""What the clock alone changes is written down, so that those who listen hear of it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.expiring import Sweeping
from store.availability import changes, preorder_releases
from store.ledger import cursors
from store.ledger.cursors import Cursor
from store.network import reference
from store.network.reference import ReferenceCache
from store.stock import soft
from tests.worlds import small


async def heard(engine: AsyncEngine, after: Cursor) -> list[tuple[str, int]]:
    async with engine.connect() as connection:
        found = await changes.read(connection, after, 100)
        news = await changes.now(connection, ReferenceCache(), None, found.skus)
        return [(each.sku, each.quantity) for each in news]


async def end(engine: AsyncEngine) -> Cursor:
    async with engine.connect() as connection:
        return await cursors.end(connection)


async def test_a_reservation_that_lapses_is_heard_of_once(world: AsyncEngine) -> None:
    units = (soft.SoftUnits("dc-leeds", "B", 40),)
    async with world.begin() as connection:
        await soft.take(connection, [soft.SoftRequest("s1", "web", "cart-1", "cart", 600, units)])
    here = await end(world)
    await Sweeping(world).run()
    assert await heard(world, here) == []
    async with world.begin() as connection:
        await connection.execute(text("UPDATE soft_reservations SET expires_at = now()"))
        await connection.execute(text("UPDATE reservations SET expires_at = now()"))
    await Sweeping(world).run()
    assert await heard(world, here) == [("B", 100)]
    later = await end(world)
    await Sweeping(world).run()
    assert await heard(world, later) == []


async def test_where_nothing_lapsed_it_asks_once(world: AsyncEngine) -> None:
    job, asked = Sweeping(world), list[str]()
    await job.run()  # and looks for releases

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(world.sync_engine, "before_cursor_execute", note)
    await job.run()
    assert len(asked) == 1


async def test_a_preorder_whose_day_has_come_is_heard_of_once(world: AsyncEngine) -> None:
    today = datetime.now(UTC).date()
    async with world.begin() as connection:
        for name, days in (("RARE", -1), ("B", 3)):
            sku = next(each for each in small.SKUS if each.id == name)
            await reference.put_skus(connection, [sku.model_copy(update={"release_on": today + timedelta(days)})])
    here = await end(world)
    await Sweeping(world).run()
    assert await heard(world, here) == [("RARE", 5)]
    later = await end(world)
    await Sweeping(world).run()
    assert await heard(world, later) == []


async def test_the_look_for_releases_reads_no_other_sku(world: AsyncEngine) -> None:
    async with world.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO skus (id, document) SELECT 'X' || n, document FROM skus, generate_series(1, 5000) AS n "
                "WHERE id = 'A'"
            )
        )
    async with world.connect() as connection:
        await connection.execute(text("ANALYZE skus"))
        plan = [
            line
            for (line,) in await connection.execute(text("EXPLAIN " + str(preorder_releases._ANNOUNCE)), {"days": 30})
        ]
    assert any("skus_release_ix" in line for line in plan), plan
