"""Bulk runs: the orders of a run are changed, some seconds a call."""

import asyncio
from dataclasses import dataclass

from temporalio import activity

from activities.errors import temporal_errors
from activities.lasting import Seconds, lasting
from dom.orders.bulk import BulkProgress
from dom.shared.base import Value
from services.bulk_changes import change_next, progress, stop_for
from services.database import Database


class BulkTurn(Value):
    """Some seconds of work on a bulk run, and how often it is said that the worker lives."""

    bulk_id: str
    seconds: Seconds
    beat: Seconds


class BulkStop(Value):
    """A bulk run that is to be stopped, because its workflow was cancelled, and who did it."""

    bulk_id: str
    by: str


@dataclass(frozen=True, slots=True)
class Bulk:
    """Carries out bulk runs. The store holds how far each is, so that any worker goes on where another one stopped.

    `drain_seconds` is what a worker that stops gives its activities.
    """

    database: Database
    drain_seconds: float = 10.0

    @activity.defn(name="apply_bulk")
    async def apply_bulk(self, turn: BulkTurn) -> BulkProgress:
        """Change orders for some seconds, or until the run is stopped."""
        said = ["begins"]
        return await lasting(
            lambda stop: self._apply(turn, stop, said),
            lambda: said[0],
            beat=turn.beat,
            drain_seconds=self.drain_seconds,
        )

    async def _apply(self, turn: BulkTurn, stop: asyncio.Event, said: list[str]) -> BulkProgress:
        clock = asyncio.get_running_loop()
        until = clock.time() + turn.seconds
        with temporal_errors():
            while True:
                await change_next(self.database, turn.bulk_id, stop)
                done = await progress(self.database, turn.bulk_id)
                said[0] = done.says
                if not done.goes_on or stop.is_set() or clock.time() >= until:
                    return done

    @activity.defn(name="stop_bulk")
    async def stop_bulk(self, asked: BulkStop) -> BulkProgress:
        """Stop a run, unless it is done."""
        with temporal_errors():
            return await stop_for(self.database, asked.bulk_id, asked.by)
