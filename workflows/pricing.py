"""What stock is worth, worked out again and again: a workflow a run, and the schedule that starts them."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.pricing import Pricing, Repriced
    from dom.sourcing.valuation.terms import PricingTerms

SCHEDULE_ID: Final = "ofl-stock-values"
"""The schedule, and the beginning of its workflows' ids."""
_LONGEST: Final = timedelta(hours=1)


@workflow.defn(name="PriceStock")
class PriceStockWorkflow:
    """One run of pricing."""

    @workflow.run
    async def run(self, terms: PricingTerms) -> Repriced:
        """Price what moved. A run that fails is left to the next one, which begins where it stopped."""
        repriced: Repriced = await workflow.execute_activity_method(
            Pricing.price_stock,
            terms,
            start_to_close_timeout=_LONGEST,
            heartbeat_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(maximum_attempts=3),
            summary="Price the SKUs that moved",
        )
        workflow.set_current_details(repriced.says)
        return repriced


async def put_schedule(client: Client, task_queue: str, every: timedelta, terms: PricingTerms) -> None:
    """Create the schedule, or bring the one there is up to date; whether it is paused stays as it is.

    A run that is due while one is under way is left out. Raises RPCError if Temporal refuses.
    """
    wanted = Schedule(
        action=ScheduleActionStartWorkflow(
            PriceStockWorkflow.run,
            terms,
            id=SCHEDULE_ID,
            task_queue=task_queue,
            run_timeout=2 * _LONGEST,
            static_summary="What stock is worth where it lies",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )

    def up_to_date(found: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = found.description.schedule.state
        return ScheduleUpdate(wanted)

    try:
        await client.create_schedule(SCHEDULE_ID, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(SCHEDULE_ID).update(up_to_date)
