"""One leader a database; another takes over when it dies; a job that fails does not take the others along."""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

import jobs
import worker
from cli.embedded.postgres import EmbeddedPostgres
from jobs import leader
from jobs.job import Job, WokenJob
from jobs.shadowing import Shadowing
from settings import Settings
from store.database import engine as database

WITHIN = 10.0


@dataclass
class Counting:
    """Counts its runs, and how many of its kind run at once in `shared`."""

    shared: list[str] = field(default_factory=list)
    name: str = "counting"
    every: float = 0.01
    runs: int = 0
    at_once: int = 0

    async def run(self) -> bool:
        self.runs += 1
        self.shared.append(self.name)
        try:
            self.at_once = max(self.at_once, len(self.shared))
            await asyncio.sleep(0.02)
        finally:
            self.shared.remove(self.name)
        return False


@asynccontextmanager
async def keeping(engine: AsyncEngine, *jobs: Job) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(leader.keep(engine, jobs, stop))
    try:
        yield task
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, WITHIN)


async def until(true: Callable[[], bool | Awaitable[bool]], within: float = WITHIN) -> None:
    async with asyncio.timeout(within):
        while not (found if isinstance(found := true(), bool) else await found):
            await asyncio.sleep(0.01)


async def drop_the_lock(engine: AsyncEngine) -> int:
    """Terminate the connection that holds the leader's lock, as an outage would."""
    async with engine.begin() as connection:
        killed = await connection.execute(
            text("""
            SELECT pg_terminate_backend(pid) FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND database = (
                SELECT oid FROM pg_database WHERE datname = current_database())
            """)
        )
        return len(killed.all())


async def test_only_one_leader_of_a_database_works(world: AsyncEngine) -> None:
    shared: list[str] = []
    first, second = Counting(shared, "first"), Counting(shared, "second")
    async with keeping(world, first), keeping(world, second):
        await until(lambda: first.runs + second.runs > 50)
        assert min(first.runs, second.runs) == 0
        assert max(first.at_once, second.at_once) == 1


async def test_databases_do_not_share_a_leader(world: AsyncEngine, database_url: str) -> None:
    other_world = database.create(database_url, 2)
    here, there = Counting(), Counting()
    async with keeping(world, here), keeping(other_world, there):
        await until(lambda: here.runs > 0 and there.runs > 0)
    await other_world.dispose()


async def test_another_takes_over_when_the_leaders_connection_dies(world: AsyncEngine) -> None:
    shared: list[str] = []
    jobs = [Counting(shared, name) for name in ("one", "two", "three")]
    async with keeping(world, jobs[0]), keeping(world, jobs[1]), keeping(world, jobs[2]):
        for _ in range(3):
            await until(lambda: any(job.runs > 0 for job in jobs))
            for job in jobs:
                job.runs = 0
            assert await drop_the_lock(world) == 1
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(2 * leader.LOOK_EVERY + leader.ANSWER_WITHIN)  # by then the old one has seen it
            for job in jobs:
                job.runs = 0
            await until(lambda: any(job.runs > 0 for job in jobs), 5)
            assert asyncio.get_running_loop().time() - began < 4
    assert [job.at_once for job in jobs] == [min(1, job.at_once) for job in jobs], "two leaders worked at once"


async def test_the_old_leaders_jobs_stop_before_the_next_may_start(world: AsyncEngine) -> None:
    job = Counting()
    async with keeping(world, job):
        await until(lambda: job.runs > 0)
        await drop_the_lock(world)
        lost = asyncio.get_running_loop().time()
        await until(lambda: not job.shared)
        runs = -1
        while runs != job.runs:
            runs = job.runs
            await asyncio.sleep(0.15)
        assert asyncio.get_running_loop().time() - lost < leader.SETTLE + 0.15


async def test_a_leader_stops_at_once_and_leaves_the_lock_free(world: AsyncEngine) -> None:
    class Endless(Counting):
        async def run(self) -> bool:
            self.runs += 1
            await asyncio.Event().wait()
            return False

    endless, next_one = Endless(), Counting()
    async with keeping(world, endless):
        await until(lambda: endless.runs > 0)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 1
    async with keeping(world, next_one):
        await until(lambda: next_one.runs > 0, 4)


async def test_a_job_that_fails_is_tried_again_and_the_others_go_on(
    world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "FIRST_PAUSE", 0.05)

    class Failing(Counting):
        async def run(self) -> bool:
            self.runs += 1
            if self.runs < 4:
                raise ValueError("not today")
            return False

    failing, other = Failing(name="failing"), Counting()
    async with keeping(world, failing, other):
        await until(lambda: failing.runs > 5)
        assert other.runs > 5


async def test_a_job_with_more_to_do_runs_again_without_a_pause(world: AsyncEngine) -> None:
    class Busy(Counting):
        async def run(self) -> bool:
            self.runs += 1
            return self.runs < 100

    busy = Busy(every=3600)
    async with keeping(world, busy):
        await until(lambda: busy.runs == 100, 4)


async def test_a_job_that_is_cancelled_from_within_does_not_end_the_keeping(world: AsyncEngine) -> None:
    class Odd(Counting):
        async def run(self) -> bool:
            self.runs += 1
            if self.runs == 1:
                raise asyncio.CancelledError
            return False

    odd = Odd()
    async with keeping(world, odd):
        await until(lambda: odd.runs > 2, 8)


async def test_a_leader_waits_for_a_database_that_is_away(
    world: AsyncEngine, postgres_server: EmbeddedPostgres
) -> None:
    job = Counting()
    name = world.url.database
    maintenance = create_engine(postgres_server.url, isolation_level="AUTOCOMMIT")
    with maintenance.connect() as server:
        async with keeping(world, job) as task:
            await until(lambda: job.runs > 0)
            server.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
            server.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name}
            )
            await asyncio.sleep(2 * leader.SETTLE)
            job.runs = 0
            await asyncio.sleep(leader.SETTLE)
            assert job.runs == 0
            assert not task.done()
            server.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
            await until(lambda: job.runs > 0, 5)
    maintenance.dispose()


def test_a_worker_runs_every_job_there_is(world: AsyncEngine) -> None:
    """Job by job they are tested without a worker: one that no worker runs would be missed by nobody."""
    modules = [importlib.import_module(f"jobs.{each.name}") for each in pkgutil.iter_modules(jobs.__path__)]
    there = {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and {"name", "run"} <= set(dir(each))
    }
    run = worker.jobs(Settings(), world, cast("Client", None))
    assert {type(job) for job in run} == there - {Job, WokenJob}
    assert [f"jobs.{job.name}" for job in run] == [type(job).__module__ for job in run], "the log names the module"


@pytest.mark.parametrize("may", [True, False])
async def test_a_worker_keeps_if_it_may_and_stops_with_the_worker(
    world: AsyncEngine, monkeypatch: pytest.MonkeyPatch, may: bool
) -> None:
    job, stop = Counting(), asyncio.Event()
    monkeypatch.setattr(worker, "jobs", lambda *_: [job])
    nobody = cast("Client", None)
    async with worker.background_jobs(Settings(background_jobs=may), world, nobody, stop):
        await asyncio.sleep(leader.SETTLE + 1)
        assert (job.runs > 0) == may
        stop.set()
        await asyncio.sleep(0.5)
        runs = job.runs
        await asyncio.sleep(0.3)
        assert job.runs == runs, "it hands over while the worker drains"


SHADOW = "INSERT INTO shadows (name, policy, started_by) VALUES ('s', '{}', 'test')"


@dataclass
class Sleepy(Counting):
    """Runs when it is woken, and hardly ever besides."""

    woken_by: str = Shadowing.woken_by
    every: float = 600.0


@dataclass
class Lasting(Sleepy):
    """Each run of it lasts until it may go on."""

    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> bool:
        """Wait, and count."""
        await self.go.wait()
        return await super().run()


async def test_of_two_jobs_with_one_channel_both_are_woken(world: AsyncEngine) -> None:
    """One of them is at work when the channel is notified, and sees it afterwards."""
    quick, lasting = Sleepy(name="quick"), Lasting(name="lasting")
    lasting.go.set()
    async with keeping(world, quick, lasting):
        await until(lambda: quick.runs >= 2 and lasting.runs >= 2)  # when they began, and when somebody listened
        lasting.go.clear()
        for notified in (1, 2):
            before = quick.runs
            async with world.begin() as connection:
                await connection.execute(text(SHADOW.replace("'s'", f"'s{notified}'")))
            await until(lambda: quick.runs > before)  # noqa: B023
        runs = lasting.runs
        lasting.go.set()
        await until(lambda: lasting.runs == runs + 2)


async def test_a_job_is_woken_by_what_it_waits_for(world: AsyncEngine) -> None:
    sleepy = Sleepy()
    async with keeping(world, sleepy):
        await until(lambda: sleepy.runs >= 2)  # when it began, and when somebody listened
        await asyncio.sleep(0.1)
        assert sleepy.runs == 2
        async with world.begin() as connection:
            await connection.execute(text(SHADOW))
        await until(lambda: sleepy.runs == 3)
