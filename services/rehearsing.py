"""A rehearsal: recorded decisions made again by the planner, in their sequence; nothing is changed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of a rehearsal. `kept` is false if it was taken away, or had ended, before it came to its end."""

    kept: bool
    report: Report | None = None


async def rehearse(
    engine: AsyncEngine, rehearsal_id: str, stop: asyncio.Event, say: Callable[[str], None]
) -> Rehearsed | None:
    """Run a rehearsal from its start and keep its report; None if it was stopped. `say` hears how far it is."""
    begun = await rehearsals.begin(engine, rehearsal_id)
    if begun is None:
        return Rehearsed(kept=False)
    run = Run(engine, begun.policy, begun.policy_name, begun.span)
    async with aclosing(run.steps()) as steps:
        async for done in steps:
            say(f"{done:,} of {run.total:,} decisions")
            if stop.is_set():
                return None
            if not await rehearsals.advance(engine, rehearsal_id, done, run.total):
                return Rehearsed(kept=False)
    report = await run.report()
    return Rehearsed(kept=await rehearsals.finish(engine, rehearsal_id, report), report=report)


class Run:
    """One rehearsal under way: `total` decisions, of which `done` were made again."""

    def __init__(self, engine: AsyncEngine, policy: Policy | None, called: str, span: Span) -> None:
        self._engine = engine
        self._policy = policy
        self._called = called
        self._span = span
        self.total = 0
        self.done = 0

    async def steps(self) -> AsyncGenerator[int, None]:
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
