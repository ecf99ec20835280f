"""Rehearsing: recorded decisions are made again, and the report is kept."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.lasting import Seconds, lasting, stopped
from dom.shared.base import Value
from services.database import Database
from services.rehearsing import rehearse
from store.database.engine import is_unavailable
from store.enums import RehearsalStatus
from store.rehearsal import rehearsals

_AGAIN_SECONDS: Final = 1.0
"""Pause before a database that is away is asked again."""

_log = structlog.get_logger("rehearsing")


class RehearsalTurn(Value):
    """A rehearsal from its start to its end, and how often it is said that the worker lives."""

    rehearsal_id: str
    beat: Seconds


class RehearsalOutcome(Value):
    """What came of a rehearsal. `kept` is false if it was taken away, or had ended, before it came to its end."""

    kept: bool
    decisions: int = 0
    orders_changed: int = 0


class RehearsalEnd(Value):
    """A rehearsal that ends without a report, because it failed or was cancelled, and why."""

    rehearsal_id: str
    cancelled: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Rehearsing:
    """Runs rehearsals. Whoever takes one over begins it anew: it changes nothing, and is written down at its end."""

    database: Database

    @activity.defn(name="run_rehearsal")
    async def run_rehearsal(self, turn: RehearsalTurn) -> RehearsalOutcome:
        """Run it and keep its report; while the database is away it waits.

        Anything else that goes wrong is not tried again: the same records would end the same way.
        """
        said = ["begins"]
        return await lasting(
            lambda stop: self._patiently(turn.rehearsal_id, stop, said), lambda: said[0], beat=turn.beat
        )

    async def _patiently(self, rehearsal_id: str, stop: asyncio.Event, said: list[str]) -> RehearsalOutcome:
        while not stop.is_set():
            try:
                outcome = await self._run(rehearsal_id, stop, said)
            except Exception as error:
                if not is_unavailable(error):
                    raise ApplicationError(f"{type(error).__name__}: {error}", non_retryable=True) from error
                said[0] = "waits for the database"
                _log.warning("a rehearsal waits for the database", rehearsal=rehearsal_id, because=str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _AGAIN_SECONDS)
            else:
                if outcome is not None:
                    return outcome
        raise stopped()

    async def _run(self, rehearsal_id: str, stop: asyncio.Event, said: list[str]) -> RehearsalOutcome | None:
        """From its start; None if it was stopped."""
        done = await rehearse(self.database.engine, rehearsal_id, stop, lambda words: said.__setitem__(0, words))
        if done is None:
            return None
        report = done.report
        if report is None:
            return RehearsalOutcome(kept=False)
        return RehearsalOutcome(kept=done.kept, decisions=report.made.decisions, orders_changed=report.orders_changed)

    @activity.defn(name="end_rehearsal")
    async def end_rehearsal(self, end: RehearsalEnd) -> None:
        """It ends without a report; one that has ended stays as it is."""
        status = RehearsalStatus.CANCELLED if end.cancelled else RehearsalStatus.FAILED
        await rehearsals.give_up(self.database.engine, end.rehearsal_id, status, end.detail)
