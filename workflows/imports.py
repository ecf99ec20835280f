"""A bulk import is applied: some chunks an activity, until every row has an outcome or somebody cancels it."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.importing import ImportCancellation, Importing, ImportProgress, ImportTurn
    from activities.lasting import own_queue
    from dom.shared.base import Value
    from dom.shared.texts import keepable

_AGAIN: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
_LONGEST: Final = timedelta(hours=6)
"""Of one turn: an all-or-nothing import is one."""


class ImportInput(Value):
    """What an import is started with: the seconds of a turn, how often a worker says that it lives, and how long one
    may be silent before it counts as dead, and another takes over.
    """

    import_id: str
    turn_seconds: float = 10.0
    beat_seconds: float = 2.0
    silence_seconds: float = 10.0


@workflow.defn(name="ImportStock")
class ImportWorkflow:
    """The application of one import. Its id is the import's.

    The store says which rows are still to be applied, so that nothing is applied twice, whoever does it and however
    often. It fails if the import does.
    """

    def __init__(self) -> None:
        self._progress: ImportProgress | None = None

    @workflow.query(name="progress")
    def progress(self) -> ImportProgress | None:
        """How far it was at the end of the last turn; None before."""
        return self._progress

    @workflow.run
    async def run(self, start: ImportInput) -> ImportProgress:
        """Turn after turn. A chunk is some ten thousand rows, so that the history of the largest file stays short."""
        try:
            progress = await self._apply(start)
        except (ActivityError, asyncio.CancelledError) as error:
            if not is_cancelled_exception(error) or workflow.cancellation_reason() is None:
                raise
            progress = await self._cancel(start.import_id)
        if progress.has_failed:
            raise ApplicationError(progress.detail, type="ImportFailed", non_retryable=True)
        if progress.is_cancelled and workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError(progress.detail)
        return progress

    async def _apply(self, start: ImportInput) -> ImportProgress:
        turn = ImportTurn(import_id=start.import_id, seconds=start.turn_seconds, beat=start.beat_seconds)
        while True:
            progress: ImportProgress = await workflow.execute_activity_method(
                Importing.apply_import,
                turn,
                task_queue=own_queue(workflow.info().task_queue, "apply_import"),
                start_to_close_timeout=_LONGEST,
                heartbeat_timeout=timedelta(seconds=start.silence_seconds),
                retry_policy=_AGAIN,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary="Apply rows",
            )
            self._show(progress)
            if not progress.goes_on:
                return progress
            if workflow.cancellation_reason() is not None:
                return await self._cancel(start.import_id)

    async def _cancel(self, import_id: str) -> ImportProgress:
        why = workflow.cancellation_reason() or "cancelled in Temporal"
        progress: ImportProgress = await workflow.execute_activity_method(
            Importing.cancel_import,
            ImportCancellation(import_id=import_id, detail=keepable(why)),
            start_to_close_timeout=timedelta(minutes=10),
            retry_policy=_AGAIN,
            summary="Name the rows that were not applied",
        )
        self._show(progress)
        return progress

    def _show(self, progress: ImportProgress) -> None:
        self._progress = progress
        workflow.set_current_details(f"**{progress.says}**\n\n{progress.detail}")
