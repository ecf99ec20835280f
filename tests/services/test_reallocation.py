"""Re-allocation in the store: nothing is oversold, whoever interferes, and both orders say why."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.database import Database
from tests.worlds.books import check_books, one, rows
from tests.worlds.reallocating import TUESDAY, can_wait, comes_on, in_danger, policy, run

WORK = """
SELECT f.id, f.node_id, f.status FROM fulfilments f ORDER BY f.order_id, length(f.id), f.id
"""
TOLD = "SELECT order_id, data->>'role', data->'others' FROM timeline WHERE kind = 'reallocated' ORDER BY id"


@pytest.fixture
async def database(world: AsyncEngine) -> Database:
    await policy(world)
    return Database(engine=world, replaying=True)


async def test_goods_on_their_way_are_the_givers_first(database: Database) -> None:
    giver = await can_wait(database, RARE=2)
    rest = await can_wait(database, "rest", 2, RARE=3)
    taker = await in_danger(database, RARE=2)
    await comes_on(database.engine, TUESDAY, RARE=2)
    done = await run(database)
    assert len(done.made) == 1
    assert await rows(database.engine, TOLD) == [
        (giver, "gave", [taker]),
        (taker, "got", [giver]),
    ]
    assert rest
    await check_books(database.engine, reserved=5)
    assert await one(database.engine, "SELECT status FROM orders WHERE id = 'web-waits'") == "backordered"
    assert not (await run(database)).made
