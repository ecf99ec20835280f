"""Work is merged: the units of both stay reserved at their node, and one place of its day is free again."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import CancelRest, MergeWork
from dom.shared.errors import Conflict, InvalidInput, NotFound, StepNotPossible
from services.change_orders import OrderChanged, Writing, change_order
from services.database import Database
from services.merging import merge as merge_in
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.parting import WORK, split
from tests.worlds.sourcing import MONDAY_NOON

SET = "UPDATE fulfilments SET "


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    return Database(engine=world, replaying=True)


async def merge(database: Database, kept: str = "web-1-F1", merged: str = "web-1-F2", **more: Any) -> OrderChanged:
    command = MergeWork(fulfilment_id=kept, merged=merged, actor="ada", at=MONDAY_NOON, **more)
    async with database.transaction() as connection:
        return await merge_in(connection, command, Writing(webhook=False, notify=True))


async def parted(database: Database, number: str = "1") -> None:
    await accept(database, small.order(number, A=4, B=2))
    await split(database, f"web-{number}-F1", lines={"1": 3, "2": 1})


async def test_what_was_split_is_as_it_was(database: Database) -> None:
    await parted(database)
    used = "SELECT coalesce(sum(used), 0) FROM node_days WHERE node_id = 'dc-leeds'"
    before = int(str(await one(database.engine, used)))
    done = await merge(database, reason="the van is late")
    assert (done.data["made"], done.data["lines"]) == ("web-1-F3", {"1": 4, "2": 2})
    assert done.state.waiting == {}
    assert (await rows(database.engine, WORK))[2] == ("web-1-F3", "dc-leeds", "released", {"1": 4, "2": 2})
    assert [status for _, _, status, _ in await rows(database.engine, WORK)] == ["recalled", "recalled", "released"]
    assert await balance(database.engine, "dc-leeds", "A") == (100, 4)
    assert int(str(await one(database.engine, used))) == before - 1
    told = "SELECT actor, reason, data->>'merged' FROM timeline WHERE kind = 'merged'"
    assert await rows(database.engine, told) == [("ada", "the van is late", "web-1-F2")]
    assert await one(database.engine, "SELECT status FROM orders") == "accepted"
    await check_books(database.engine, reserved=6)


async def test_a_line_that_was_parted_whole_comes_back(database: Database) -> None:
    await accept(database, small.order("1", A=4, B=2))
    await split(database, lines={"2": 2})
    await merge(database)
    assert (await rows(database.engine, WORK))[2][3] == {"1": 4, "2": 2}
    await check_books(database.engine, reserved=6)


async def test_the_later_part_may_be_named_first(database: Database) -> None:
    await parted(database)
    await merge(database, "web-1-F2", "web-1-F1")
    assert [lines for _, _, status, lines in await rows(database.engine, WORK) if status == "released"] == [
        {"1": 4, "2": 2}
    ]
    await check_books(database.engine, reserved=6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("status = 'accepted' WHERE id = 'web-1-F1'", "no node has begun"),
        ("status = 'picked' WHERE id = 'web-1-F2'", "no node has begun"),
        ("node_id = 'wh-london' WHERE id = 'web-1-F2'", "is at wh-london"),
        ("carrier = 'other' WHERE id = 'web-1-F2'", "by another carrier"),
        ("method = 'express' WHERE id = 'web-1-F2'", "by another service"),
        ("ship_by = ship_by - interval '1 day' WHERE id = 'web-1-F2'", "leaves later"),
        ("promise_latest = promise_latest - interval '1 day' WHERE id = 'web-1-F2'", "is promised later"),
    ],
)
async def test_what_cannot_go_together(database: Database, change: str, said: str) -> None:
    await parted(database)
    async with database.engine.begin() as connection:
        await connection.execute(text(SET + change))
    with pytest.raises(StepNotPossible, match=said):
        await merge(database)
    assert await one(database.engine, "SELECT count(*) FROM timeline WHERE kind = 'merged'") == 0


async def test_where_its_day_is_full_by_now_both_stay_as_they_are(database: Database) -> None:
    await parted(database)
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE nodes SET daily_capacity = 0 WHERE id = 'dc-leeds'"))
    for change in (merge(database), split(database, lines={"1": 1}, fulfilment_id="web-1-F2")):
        with pytest.raises(StepNotPossible, match="no place left"):
            await change
    assert [status for _, _, status, _ in await rows(database.engine, WORK)] == ["released", "released"]
    await check_books(database.engine, reserved=6)


async def test_with_itself_and_with_what_is_not_there(database: Database) -> None:
    await parted(database)
    with pytest.raises(InvalidInput):
        await merge(database, merged="web-1-F1")
    await accept(database, small.order("2", A=1))
    for wrong in ("web-1-F9", "web-2-F1"):
        with pytest.raises(NotFound):
            await merge(database, merged=wrong)


async def test_a_repeat_is_answered_as_before(database: Database) -> None:
    await parted(database)
    asked: dict[str, Any] = {"request": "r1", "request_hash": "h1"}
    done = await asyncio.gather(*(merge(database, **asked) for _ in range(4)))
    assert [each.repeated for each in done].count(False) == 1
    with pytest.raises(Conflict):
        await merge(database, request="r1", request_hash="h2")
    await check_books(database.engine, reserved=6)


async def test_a_cancellation_at_the_same_time_takes_all_of_it(database: Database) -> None:
    for number in range(12):
        await parted(database, f"{number}")

        async def cancel(order_id: str = f"web-{number}") -> object:
            async with database.engine.begin() as connection:
                command = CancelRest(actor="kim", at=MONDAY_NOON)
                return await change_order(connection, order_id, command, Writing(webhook=False))

        merged, cancelled = await asyncio.gather(
            merge(database, f"web-{number}-F1", f"web-{number}-F2"), cancel(), return_exceptions=True
        )
        assert not isinstance(cancelled, Exception), cancelled
        assert not isinstance(merged, Exception) or isinstance(merged, StepNotPossible), merged
    assert await rows(database.engine, "SELECT DISTINCT status FROM orders") == [("cancelled",)]
    await check_books(database.engine, reserved=0)
