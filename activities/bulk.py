"""Bulk runs: the orders of a run are changed, some seconds a call."""

import asyncio
from dataclasses import dataclass

from temporalio import activity

from activities.errors import temporal_errors
from activities.lasting import Seconds, lasting
from dom.orders.bulk import BulkOutcome, BulkStatus
from dom.shared.access import UNLIMITED
from dom.shared.base import Value
from services.bulk_changes import change_next
from services.database import Database
from store.orders import bulk_runs
from store.orders.bulk_runs import BulkRun


class BulkTurn(Value):
    """Some seconds of work on a bulk run, and how often it is said that the worker lives."""

    bulk_id: str
    seconds: Seconds
    beat: Seconds


class BulkStop(Value):
    """A bulk run that is to be stopped, because its workflow was cancelled, and who did it."""

    bulk_id: str
    by: str


class BulkProgress(Value):
    """How far a bulk run is: its orders, and of how many what became of them."""

    status: BulkStatus
    orders: int
    outcomes: dict[BulkOutcome, int]

    @property
    def goes_on(self) -> bool:
        """Whether there is more to do."""
        return self.status in {BulkStatus.QUEUED, BulkStatus.RUNNING}

    @property
    def says(self) -> str:
        """It in words."""
        by_outcome = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(self.outcomes.items()))
        return f"{self.status}: {sum(self.outcomes.values()):,} of {self.orders:,} orders" + (
            f" ({by_outcome})" if by_outcome else ""
        )


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
                progress = _progress(await self._get(turn.bulk_id))
                said[0] = progress.says
                if not progress.goes_on or stop.is_set() or clock.time() >= until:
                    return progress

    @activity.defn(name="stop_bulk")
    async def stop_bulk(self, asked: BulkStop) -> BulkProgress:
        """Stop a run, unless it is done."""
        with temporal_errors():
            async with self.database.transaction() as connection:
                run = await bulk_runs.get(connection, asked.bulk_id, UNLIMITED, lock=True)
                if not run.ended:
                    await bulk_runs.set_status(connection, asked.bulk_id, BulkStatus.STOPPED, asked.by)
            return _progress(await self._get(asked.bulk_id))

    async def _get(self, bulk_id: str) -> BulkRun:
        async with self.database.statement() as connection:
            return await bulk_runs.get(connection, bulk_id, UNLIMITED)


def _progress(run: BulkRun) -> BulkProgress:
    return BulkProgress(status=run.status, orders=run.orders, outcomes=run.outcomes)
