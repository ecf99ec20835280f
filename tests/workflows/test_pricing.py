"""Stock is priced in the background: only where somebody asks, only what moved, and only once at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    WorkflowHandle,
)
from temporalio.service import RPCError

from activities.pricing import Repriced
from dom.sourcing.valuation.terms import PricingTerms
from store.policy.policies import publish_policy
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.policies import policy
from tests.worlds.running import House
from workflows.pricing import SCHEDULE_ID, PriceStockWorkflow, put_schedule

SKUS = 4
"""SKUs of the small world that any node holds."""
WEIGHED = policy(name="weighed", opportunity_weight=1)


async def price(house: House, **terms: int) -> Repriced:
    """One run, as the schedule starts it."""
    return await house.client.execute_workflow(
        PriceStockWorkflow.run, PricingTerms(**terms), id=f"price-{uuid4().hex}", task_queue=house.task_queue
    )


async def publish(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await publish_policy(connection, WEIGHED, "test")


async def execute(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


class TestRun:
    async def test_nothing_is_done_where_no_strategy_asks(self, house: House) -> None:
        done = await price(house)
        assert (done.active, done.skus) == (False, 0)
        assert "No strategy" in done.says
        assert await one(house.engine, "SELECT count(*) FROM feed_cursors WHERE name = 'stock-values'") == 0

    async def test_first_everything_is_priced_then_what_moved(self, house: House) -> None:
        await publish(house.engine)
        first = await price(house)
        assert (first.active, first.skus) == (True, SKUS)
        assert (
            await one(house.engine, "SELECT count(DISTINCT sku) FROM stock_values WHERE priced_at IS NOT NULL") == SKUS
        )
        assert (await price(house)).skus == 0
        await house.send(small.order("moves", A=2))
        assert (await price(house)).skus == 1

    async def test_what_is_scarce_gets_a_price_and_the_next_decision_sees_it(self, house: House) -> None:
        await publish(house.engine)
        for number in range(3):
            await house.send(small.order(f"scarce-{number}", RARE=1))
        await price(house, horizon_days=60)
        prices = await rows(
            house.engine, "SELECT opportunity, units, currency FROM stock_values WHERE sku = 'RARE' AND units > 0"
        )
        assert prices
        assert all(opportunity > 0 and currency == "GBP" for opportunity, _, currency in prices)
        assert await one(house.engine, "SELECT max(opportunity) FROM stock_values WHERE sku = 'FAR'") == 0
        await house.send(small.order("after-pricing", RARE=1))
        seen = await one(
            house.engine,
            "SELECT snapshot #> '{values,RARE}' FROM sourcing_decisions WHERE order_id = 'web-after-pricing'",
        )
        assert isinstance(seen, dict)
        assert seen
        assert all(value["opportunity"] > 0 for value in seen.values())

    async def test_a_price_is_worked_out_anew_before_it_has_faded_out(self, house: House) -> None:
        await publish(house.engine)
        await price(house)
        await execute(
            house.engine,
            "UPDATE stock_values SET priced_at = priced_at - interval '5 h', fades_at = fades_at - interval '5 h' "
            "WHERE sku IN ('A', 'FAR')",
        )
        assert (await price(house)).skus == 2
        assert await one(house.engine, "SELECT count(*) FROM stock_values WHERE fades_at < now() + interval '5 h'") == 0
        assert (await price(house)).skus == 0

    async def test_prices_of_a_node_that_was_switched_off_are_forgotten(self, house: House) -> None:
        await publish(house.engine)
        await price(house)
        await execute(
            house.engine,
            "UPDATE nodes SET document = jsonb_set(document, '{active}', 'false') WHERE id = 'wh-london'",
        )
        await execute(house.engine, "UPDATE reference_state SET version = version + 1")
        await execute(house.engine, "UPDATE stock_values SET fades_at = now() + interval '1 minute'")
        await price(house)
        left = await rows(house.engine, "SELECT DISTINCT node_id FROM stock_values WHERE priced_at IS NOT NULL")
        assert ("wh-london",) not in left
        assert (await price(house)).skus == 0


class TestSchedule:
    @pytest.fixture
    async def handle(self, temporal_client: Client) -> AsyncIterator[ScheduleHandle]:
        """The schedule, not there yet; whatever a test makes of it is gone afterwards.

        A worker that another test ran on this server has made one for a task queue nobody works any more: a run that it
        started would still be under way, and the next one left out.
        """
        schedule = temporal_client.get_schedule_handle(SCHEDULE_ID)
        with suppress(RPCError):
            await schedule.delete()
        yield schedule
        await schedule.delete()

    async def test_it_starts_runs_that_do_not_overlap(self, house: House, handle: ScheduleHandle) -> None:
        await put_schedule(house.client, house.task_queue, timedelta(hours=9), PricingTerms(horizon_days=3))
        found = (await handle.describe()).schedule
        assert found.policy.overlap is ScheduleOverlapPolicy.SKIP
        assert [interval.every for interval in found.spec.intervals] == [timedelta(hours=9)]

    async def test_a_run_it_starts_comes_to_its_end(self, house: House, handle: ScheduleHandle) -> None:
        await put_schedule(house.client, house.task_queue, timedelta(hours=9), PricingTerms())
        await handle.trigger()
        started = await _first_action(handle)
        run: WorkflowHandle[PriceStockWorkflow, Repriced] = house.client.get_workflow_handle_for(
            PriceStockWorkflow.run, started
        )
        assert (await run.result()).active is False

    async def test_put_again_it_is_brought_up_to_date_and_stays_paused(
        self, house: House, handle: ScheduleHandle
    ) -> None:
        await put_schedule(house.client, house.task_queue, timedelta(hours=9), PricingTerms())
        await handle.pause(note="stocktaking")
        await put_schedule(house.client, house.task_queue, timedelta(hours=5), PricingTerms(horizon_days=3))
        found = (await handle.describe()).schedule
        assert [interval.every for interval in found.spec.intervals] == [timedelta(hours=5)]
        assert (found.state.paused, found.state.note) == (True, "stocktaking")


async def _first_action(handle: ScheduleHandle) -> str:
    """The id of the first workflow the schedule started, as soon as it says so."""
    async with asyncio.timeout(20):
        while not (actions := (await handle.describe()).info.recent_actions):
            await asyncio.sleep(0.05)
    execution = actions[0].action
    assert isinstance(execution, ScheduleActionExecutionStartWorkflow)
    return execution.workflow_id
