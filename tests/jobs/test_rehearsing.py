"""Rehearsals that were asked for are run, one at a time, and survive the end of the one who runs them."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs import rehearsing
from jobs.rehearsing import Rehearsing
from store.enums import RehearsalStatus
from store.rehearsal import rehearsals
from tests.worlds.rehearsing import TOGETHER, accept


async def ask(engine: AsyncEngine, orders: str = "all") -> str:
    async with engine.begin() as connection:
        found = await rehearsals.ask(connection, policy=TOGETHER, policy_name="together", orders=orders, asked_by="kim")
    return found.id


async def run_out(job: Rehearsing, most: int = 50) -> int:
    """Run the job until it has nothing to do; answers how often it had."""
    for runs in range(most):
        if not await job.run():
            return runs
    raise AssertionError("it does not come to an end")


async def status_of(engine: AsyncEngine, rehearsal_id: str) -> tuple[RehearsalStatus, int, int]:
    found = await rehearsals.get(engine, rehearsal_id)
    return found.status, found.done, found.total


async def test_it_is_run_to_its_end_and_told_how_far_it_is(world: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsing, "AT_ONCE", 2)
    for number in range(5):
        await accept(world, str(number), A=2, FAR=2)
    rehearsal_id = await ask(world)
    job = Rehearsing(world)
    assert await job.run()
    assert await job.run()
    assert await status_of(world, rehearsal_id) == (RehearsalStatus.RUNNING, 2, 5)
    await run_out(job)
    found = await rehearsals.get(world, rehearsal_id)
    assert (found.status, found.done, found.total) == (RehearsalStatus.DONE, 5, 5)
    assert found.report is not None
    assert found.report.orders_changed == 5
    assert not await job.run()


async def test_another_keeper_begins_it_anew(world: AsyncEngine) -> None:
    for number in range(3):
        await accept(world, str(number), A=2, FAR=2)
    rehearsal_id = await ask(world)
    dead = Rehearsing(world)
    await dead.run()
    await dead.run()
    await run_out(Rehearsing(world))
    found = await rehearsals.get(world, rehearsal_id)
    assert found.report is not None
    assert found.report.made.orders == 3, "each order counts once, whoever began"


async def test_the_next_one_waits_for_the_one_before(world: AsyncEngine) -> None:
    await accept(world, "1", A=1)
    first, second = await ask(world), await ask(world, "last-1-order")
    job = Rehearsing(world)
    await job.run()
    await job.run()
    assert (await status_of(world, second))[0] is RehearsalStatus.QUEUED
    await run_out(job)
    for rehearsal_id in (first, second):
        assert (await status_of(world, rehearsal_id))[0] is RehearsalStatus.DONE


async def test_one_that_is_taken_away_ends_and_the_next_begins(world: AsyncEngine) -> None:
    for number in range(3):
        await accept(world, str(number), A=1)
    first, second = await ask(world), await ask(world)
    job = Rehearsing(world)
    await job.run()
    async with world.begin() as connection:
        await rehearsals.forget(connection, first)
    await run_out(job)
    assert (await status_of(world, second))[0] is RehearsalStatus.DONE


async def test_one_that_cannot_be_run_says_why_and_holds_up_nobody(world: AsyncEngine) -> None:
    await accept(world, "1", A=1)
    first = await ask(world)
    job = Rehearsing(world)
    await job.run()

    async def breaks() -> int:
        raise ValueError("no such day")

    class Broken:
        def __aiter__(self) -> "Broken":
            return self

        async def __anext__(self) -> int:
            return await breaks()

    job._steps = Broken()
    assert await job.run()
    found = await rehearsals.get(world, first)
    assert (found.status, found.detail) == (RehearsalStatus.FAILED, "ValueError: no such day")
    second = await ask(world)
    await run_out(job)
    assert (await status_of(world, second))[0] is RehearsalStatus.DONE


async def test_of_no_orders_at_all(world: AsyncEngine) -> None:
    rehearsal_id = await ask(world)
    await run_out(Rehearsing(world))
    assert await status_of(world, rehearsal_id) == (RehearsalStatus.DONE, 0, 0)
