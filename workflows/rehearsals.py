"""A rehearsal is run: one activity makes the recorded decisions again and keeps the report."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.lasting import own_queue
    from activities.rehearsing import RehearsalEnd, RehearsalOutcome, RehearsalTurn, Rehearsing
    from dom.shared.base import Value
    from dom.shared.texts import keepable

ATTEMPTS: Final = 3
"""A rehearsal that was begun so often without coming to its end is given up: it may be what ends its worker."""
_LONGEST: Final = timedelta(hours=12)
_AGAIN: Final = timedelta(seconds=1)


class RehearsalInput(Value):
    """What a rehearsal is started with: how often a worker says that it lives, and how long one may be silent before it
    counts as dead, and another begins it anew.
    """

    rehearsal_id: str
    beat_seconds: float = 2.0
    silence_seconds: float = 15.0


@workflow.defn(name="Rehearsal")
class RehearsalWorkflow:
    """One rehearsal. Its id is the rehearsal's. It fails if the rehearsal does."""

    @workflow.run
    async def run(self, start: RehearsalInput) -> RehearsalOutcome:
        """Run it. How far it is stands in the heartbeats of its activity, and in the store."""
        try:
            outcome: RehearsalOutcome = await workflow.execute_activity_method(
                Rehearsing.run_rehearsal,
                RehearsalTurn(rehearsal_id=start.rehearsal_id, beat=start.beat_seconds),
                task_queue=own_queue(workflow.info().task_queue, "run_rehearsal"),
                start_to_close_timeout=_LONGEST,
                heartbeat_timeout=timedelta(seconds=start.silence_seconds),
                retry_policy=RetryPolicy(initial_interval=_AGAIN, maximum_attempts=ATTEMPTS),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary="Make recorded decisions again",
            )
        except (ActivityError, asyncio.CancelledError) as error:
            if not is_cancelled_exception(error):
                why = _why(error)
                await self._end(start.rehearsal_id, why, cancelled=False)
                raise ApplicationError(why, type="RehearsalFailed", non_retryable=True) from error
            if (reason := workflow.cancellation_reason()) is None:
                raise
            await self._end(start.rehearsal_id, reason or "cancelled in Temporal", cancelled=True)
            raise
        made = f"{outcome.decisions:,} decisions made again, {outcome.orders_changed:,} orders get another plan"
        workflow.set_current_details(f"**{made if outcome.kept else 'It was taken away, or had ended'}**")
        return outcome

    async def _end(self, rehearsal_id: str, detail: str, *, cancelled: bool) -> None:
        workflow.set_current_details(f"**{'Cancelled' if cancelled else 'Failed'}**: {detail}")
        await workflow.execute_activity_method(
            Rehearsing.end_rehearsal,
            RehearsalEnd(rehearsal_id=rehearsal_id, cancelled=cancelled, detail=keepable(detail)),
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=_AGAIN, maximum_interval=timedelta(minutes=1)),
            summary="Write down how it ended",
        )


def _why(error: BaseException) -> str:
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.non_retryable:
        return cause.message
    return f"given up: it was begun {ATTEMPTS} times, and never came to its end"
