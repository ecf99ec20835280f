"""A bulk run is carried out: some orders an activity, until every order has an outcome or somebody stops it."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.bulk import Bulk, BulkStop, BulkTurn
    from activities.lasting import own_queue
    from dom.orders.bulk import BulkProgress
    from dom.shared.access import TEMPORAL
    from dom.shared.base import Value

_AGAIN: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


class BulkInput(Value):
    """What a bulk run is started with: the seconds of a turn, how often a worker says that it lives, and how long one
    may be silent before it counts as dead, and another takes over.
    """

    bulk_id: str
    turn_seconds: float = 20.0
    beat_seconds: float = 2.0
    silence_seconds: float = 10.0


@workflow.defn(name="BulkChange")
class BulkWorkflow:
    """One bulk run. Its id is the run's.

    The store says which orders are still to be changed, so that none is changed twice, whoever does it and however
    often. Cancelling the workflow stops the run.
    """

    def __init__(self) -> None:
        self._progress: BulkProgress | None = None

    @workflow.query(name="progress")
    def progress(self) -> BulkProgress | None:
        """How far it was at the end of the last turn; None before."""
        return self._progress

    @workflow.run
    async def run(self, start: BulkInput) -> BulkProgress:
        """Turn after turn. A turn is some hundred orders, so that the history of the largest run stays short."""
        try:
            return await self._apply(start)
        except (ActivityError, asyncio.CancelledError) as error:
            if not is_cancelled_exception(error) or workflow.cancellation_reason() is None:
                raise
            await self._stop(start.bulk_id)
            raise asyncio.CancelledError from error

    async def _apply(self, start: BulkInput) -> BulkProgress:
        turn = BulkTurn(bulk_id=start.bulk_id, seconds=start.turn_seconds, beat=start.beat_seconds)
        while True:
            progress: BulkProgress = await workflow.execute_activity_method(
                Bulk.apply_bulk,
                turn,
                task_queue=own_queue(workflow.info().task_queue, "apply_bulk"),
                start_to_close_timeout=timedelta(seconds=start.turn_seconds + 600),
                heartbeat_timeout=timedelta(seconds=start.silence_seconds),
                retry_policy=_AGAIN,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary="Change orders",
            )
            self._show(progress)
            if not progress.goes_on:
                return progress

    async def _stop(self, bulk_id: str) -> None:
        progress: BulkProgress = await workflow.execute_activity_method(
            Bulk.stop_bulk,
            BulkStop(bulk_id=bulk_id, by=TEMPORAL),
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=_AGAIN,
            summary="Stop the run",
        )
        self._show(progress)

    def _show(self, progress: BulkProgress) -> None:
        self._progress = progress
        workflow.set_current_details(f"**{progress.says}**")
