"""Work is split: its units stay reserved at their node, each part for itself, and no unit is lost."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.commands import CancelRest
from dom.shared.errors import Conflict, InvalidInput, NotFound, StepNotPossible
from services.change_orders import Writing, change_order
from services.database import Database
from tests.worlds import small
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.parting import WORK, split
from tests.worlds.sourcing import MONDAY_NOON


@pytest.fixture
def database(world: AsyncEngine) -> Database:
    return Database(engine=world, replaying=True)


async def test_both_parts_hold_their_stock_and_a_place_in_the_day(database: Database) -> None:
    await accept(database, small.order("1", A=4, B=2))
    used = "SELECT coalesce(sum(used), 0) FROM node_days WHERE node_id = 'dc-leeds'"
    before = int(str(await one(database.engine, used)))
    done = await split(database, reason="the early van")
    assert done.data["made"] == "web-1-F2"
    assert done.state.waiting == {}
    assert await rows(database.engine, WORK) == [
        ("web-1-F1", "dc-leeds", "released", {"1": 1, "2": 2}),
        ("web-1-F2", "dc-leeds", "released", {"1": 3}),
    ]
    alike = "SELECT count(DISTINCT (ship_day, ship_by, method, promise_latest, released_at)) FROM fulfilments"
    assert await one(database.engine, alike) == 1
    assert await balance(database.engine, "dc-leeds", "A") == (100, 4)
    assert await one(database.engine, "SELECT status FROM orders") == "accepted"
    assert int(str(await one(database.engine, used))) == 2 * before
    told = "SELECT actor, reason, data->'lines' FROM timeline WHERE kind = 'split'"
    assert await rows(database.engine, told) == [("ada", "the early van", {"1": 3})]
    await check_books(database.engine, reserved=6)


async def test_again_and_again(database: Database) -> None:
    await accept(database, small.order("1", A=4))
    for number in (2, 3, 4):
        assert (await split(database, lines={"1": 1})).data["made"] == f"web-1-F{number}"
    with pytest.raises(StepNotPossible, match="nothing would be left"):
        await split(database, lines={"1": 1})
    assert [lines for *_, lines in await rows(database.engine, WORK)] == [{"1": 1}] * 4
    await check_books(database.engine, reserved=4)


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [({"1": 5}, StepNotPossible), ({"1": 4, "2": 2}, StepNotPossible), ({"3": 1}, InvalidInput),
     ({"nothing": 1}, InvalidInput)],
)  # fmt: skip
async def test_what_it_does_not_have(database: Database, lines: dict[str, int], refusal: type[Exception]) -> None:
    await accept(database, small.order("1", A=4, B=2))
    with pytest.raises(refusal):
        await split(database, lines=lines)
    assert len(await rows(database.engine, WORK)) == 1
    await check_books(database.engine, reserved=6)


async def test_what_is_begun_or_not_there(database: Database) -> None:
    await accept(database, small.order("1", A=4))
    for wrong in ("web-1-F9", "web-9-F1"):
        with pytest.raises(NotFound, match=f"there is no fulfilment {wrong}"):
            await split(database, wrong)
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE fulfilments SET status = 'accepted'"))
    with pytest.raises(StepNotPossible, match="no node has begun"):
        await split(database)


async def test_a_repeat_is_answered_as_before(database: Database) -> None:
    await accept(database, small.order("1", A=4))
    asked: dict[str, Any] = {"request": "r1", "request_hash": "h1", "lines": {"1": 1}}
    done = await asyncio.gather(*(split(database, **dict(asked)) for _ in range(4)))
    assert [each.repeated for each in done].count(False) == 1
    assert {each.data["made"] for each in done} == {"web-1-F2"}
    with pytest.raises(Conflict):
        await split(database, request="r1", request_hash="h2")
    await check_books(database.engine, reserved=4)


async def test_a_cancellation_at_the_same_time_takes_all_of_it(database: Database) -> None:
    for number in range(20):
        await accept(database, small.order(f"{number}", A=2))

        async def cancel(order_id: str = f"web-{number}") -> object:
            async with database.engine.begin() as connection:
                command = CancelRest(actor="kim", at=MONDAY_NOON)
                return await change_order(connection, order_id, command, Writing(webhook=False))

        parted, cancelled = await asyncio.gather(
            split(database, f"web-{number}-F1", lines={"1": 1}), cancel(), return_exceptions=True
        )
        assert not isinstance(cancelled, Exception), cancelled
        assert not isinstance(parted, Exception) or isinstance(parted, StepNotPossible), parted
    assert await rows(database.engine, "SELECT DISTINCT status FROM orders") == [("cancelled",)]
    await check_books(database.engine, reserved=0)
