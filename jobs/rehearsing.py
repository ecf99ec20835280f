"""Runs the rehearsals that were asked for, one at a time, beside everything else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.recorded import Happened, Recorded
from dom.sourcing.rehearsal.report import Report, report
from dom.sourcing.rehearsal.span import Span
from dom.sourcing.rehearsal.walking import Walk
from store.rehearsal import rehearsals
from store.sourcing import decision_log

AT_ONCE: Final = 20
"""Records between two pauses: so long others may have to wait for the processor."""

_log = structlog.get_logger("keeper")


class Run:
    """One rehearsal under way: `total` decisions, of which `done` were made again."""

    def __init__(self, engine: AsyncEngine, policy: Policy | None, called: str, span: Span) -> None:
        self._engine = engine
        self._policy = policy
        self._called = called
        self._span = span
        self.total = 0
        self.done = 0

    async def steps(self) -> AsyncIterator[int]:
        """Walk through the records; yields how many decisions were made again so far, every few."""
        async with self._engine.connect() as connection:
            self.total = await decision_log.count(connection, self._span)
            self._walk = Walk(await decision_log.policies(connection), self._policy)
        async for page in decision_log.walk(self._engine, self._span, AT_ONCE):
            await asyncio.to_thread(self._take, page)
            self.done = self._walk.decisions
            yield self.done

    async def report(self) -> Report:
        """The outcome, after the last step."""
        return await asyncio.to_thread(
            report, self._walk, draft=self._policy, called=self._called, span=self._span, at=datetime.now(UTC)
        )

    def _take(self, page: list[Recorded | Happened]) -> None:
        for each in page:
            if isinstance(each, Recorded):
                self._walk.decide(each)
            else:
                self._walk.happen(each)


class Rehearsing:
    """A few decisions of one rehearsal a run. Whoever takes over after a crash begins it anew: it changes nothing.

    One that cannot be run has failed, and says why; while the database is away it waits.
    """

    name: Final = "rehearsing"
    woken_by: Final = "rehearsals"

    def __init__(self, engine: AsyncEngine, every: float = 30.0) -> None:
        self._engine = engine
        self.every = every
        self._id = ""
        self._run: Run | None = None
        self._steps: AsyncIterator[int] | None = None

    async def run(self) -> bool:
        """Some more of the rehearsal under way, or the beginning of the next; True if there may be more to do."""
        if self._run is None or self._steps is None:
            return await self._begin()
        try:
            return await self._step(self._run, self._steps)
        except SQLAlchemyError:
            self._end()
            raise
        except Exception as error:  # whatever it is, another rehearsal must not wait for this one
            self._end()
            _log.warning("rehearsal failed", rehearsal=self._id, exc_info=error)
            await rehearsals.fail(self._engine, self._id, f"{type(error).__name__}: {error}")
            return True

    async def _begin(self) -> bool:
        begun = await rehearsals.begin(self._engine)
        if begun is None:
            return False
        self._id = begun.id
        self._run = Run(self._engine, begun.policy, begun.policy_name, begun.span)
        self._steps = self._run.steps()
        return True

    async def _step(self, run: Run, steps: AsyncIterator[int]) -> bool:
        done = await anext(steps, None)
        if done is not None:
            if not await rehearsals.advance(self._engine, self._id, done, run.total):
                self._end()
            return True
        outcome = await run.report()
        self._end()
        await rehearsals.finish(self._engine, self._id, outcome)
        return True

    def _end(self) -> None:
        self._run, self._steps = None, None
