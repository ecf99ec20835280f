"""The leader lock, and the background jobs of the worker that holds it.

Every worker tries to take the lock; the one that has it runs the jobs. It checks its lock more often than a successor
waits before its own jobs start, so that no two workers run them at the same time.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NoReturn

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.backoff import pause
from jobs.job import Job, WokenJob
from store.database import leader_lock
from store.database.listening import listen
from store.database.uninterrupted import uninterrupted

TRY_EVERY: Final = 0.5
"""Seconds between two attempts to take the lock."""
LOOK_EVERY: Final = 0.5
"""Seconds between two checks whether the lock is still ours."""
ANSWER_WITHIN: Final = 0.5
"""Seconds after which a database that does not answer counts as gone, and the lock with it."""
SETTLE: Final = 1.5
"""Seconds a new leader waits before it starts: longer than the one before takes to see that it lost the lock, and to
let go of its jobs.
"""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds a job that fails waits before it is tried again: the first time, and at most."""

_log = structlog.get_logger("jobs")


class _LockLost(Exception):
    """The jobs must stop; somebody else may hold the lock."""


async def keep(engine: AsyncEngine, jobs: Sequence[Job], stop: asyncio.Event) -> None:
    """Run the jobs whenever this process holds the leader lock, until `stop`. The database may come and go."""
    keeping = asyncio.create_task(_keep(engine, jobs))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(keeping, stopping)
    if not keeping.cancelled():
        keeping.result()


async def _keep(engine: AsyncEngine, jobs: Sequence[Job]) -> NoReturn:
    away = False
    while True:
        try:
            async with leader_lock.own_connection(engine) as held:
                while not await held.take():
                    away = False
                    await asyncio.sleep(TRY_EVERY)
                away = False
                await _hold(engine, held, jobs)
        except _LockLost as error:
            _log.warning("leader lock lost", because=str(error))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            if not away:
                _log.warning("database away", because=f"{type(error).__name__} {error}")
            away = True
        await asyncio.sleep(TRY_EVERY)


async def _hold(engine: AsyncEngine, held: leader_lock.LeaderLock, jobs: Sequence[Job]) -> NoReturn:
    _log.info("leads", jobs=[job.name for job in jobs])
    await _while_ours(held, SETTLE)
    wakes = [asyncio.Event() for _ in jobs]  # one each: who shares one clears what another has not seen yet
    running = [asyncio.create_task(_run(job, wake), name=job.name) for job, wake in zip(jobs, wakes, strict=True)]
    if heard := _heard(jobs, wakes):
        running.append(asyncio.create_task(listen(engine, heard), name="listening"))
    try:
        while not any(task.done() for task in running):
            await _while_ours(held, LOOK_EVERY)
    finally:
        await _end(*running)
    ended = next(task.get_name() for task in running if task.done())
    raise _LockLost(f"the job {ended} ended")


def _heard(jobs: Sequence[Job], wakes: Sequence[asyncio.Event]) -> dict[str, Callable[[], None]]:
    """What is done when a channel is notified: every job that it wakes is woken."""
    woken: dict[str, list[asyncio.Event]] = {}
    for job, wake in zip(jobs, wakes, strict=True):
        if isinstance(job, WokenJob):
            woken.setdefault(job.woken_by, []).append(wake)
    return {channel: partial(_wake, events) for channel, events in woken.items()}


def _wake(events: Sequence[asyncio.Event]) -> None:
    for event in events:
        event.set()


async def _while_ours(held: leader_lock.LeaderLock, seconds: float) -> None:
    """Wait; raises _LockLost if the lock is not ours any more."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (left := deadline - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(min(left, LOOK_EVERY))
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await held.look()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _LockLost(f"{type(error).__name__} {error}") from error


async def _run(job: Job, wake: asyncio.Event) -> NoReturn:
    failures = 0
    while True:
        wake.clear()
        try:
            more = await uninterrupted(job.run())
        except Exception as error:  # whatever it is, it must not take the other jobs along
            failures += 1
            rest = pause(failures, FIRST_PAUSE, LONGEST_PAUSE)
            _log.warning("job failed", job=job.name, failures=failures, again_in=rest, exc_info=error)
        else:
            failures, rest = 0, 0 if more else job.every
        with suppress(TimeoutError):
            async with asyncio.timeout(rest):
                await wake.wait()


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel the tasks and wait until they have ended, however they end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
