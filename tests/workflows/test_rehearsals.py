"""A rehearsal is a workflow: run to its end or begun anew by another worker, one at a time, and cancelled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.rehearsing import RehearsalOutcome
from cli.embedded.temporal import EmbeddedTemporal
from dom.shared.errors import NotFound
from jobs.starting_work import StartingWork
from processes.background_work import BackgroundWork
from services import rehearsing
from store.enums import RehearsalStatus
from store.rehearsal import rehearsals
from tests.worlds.background import (
    AFTER_TWO_DECISIONS,
    Barrier,
    asked,
    barrier,
    doing,
    heard,
    heartbeats,
    kill,
    pending,
    until_rehearsal,
    worker_process,
)
from tests.worlds.books import one
from tests.worlds.rehearsing import accept
from tests.worlds.waiting import until
from workflows.rehearsals import ATTEMPTS, RehearsalInput, RehearsalWorkflow

Rehearsing = WorkflowHandle[RehearsalWorkflow, RehearsalOutcome]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short rehearsal has several."""
    monkeypatch.setattr(rehearsing, "AT_ONCE", 1)


@pytest.fixture
async def work(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[BackgroundWork]:
    async with doing(temporal_client, world) as begun:
        yield begun


@pytest.fixture
async def held(world: AsyncEngine) -> AsyncIterator[Barrier]:
    """Five orders; a rehearsal of them waits after two."""
    for number in range(5):
        await accept(world, str(number), A=2, FAR=2)
    async with barrier(world, AFTER_TWO_DECISIONS) as made:
        yield made


def handle(client: Client, rehearsal_id: str) -> Rehearsing:
    return client.get_workflow_handle_for(RehearsalWorkflow.run, rehearsal_id)


async def begin_quickly(client: Client, rehearsal_id: str, task_queue: str) -> None:
    start = RehearsalInput(rehearsal_id=rehearsal_id, beat_seconds=0.2, silence_seconds=2.0)
    await client.start_workflow(RehearsalWorkflow.run, start, id=rehearsal_id, task_queue=task_queue)


async def status_of(engine: AsyncEngine, rehearsal_id: str) -> tuple[RehearsalStatus, int, int]:
    found = await rehearsals.get(engine, rehearsal_id)
    return found.status, found.done, found.total


class TestRun:
    async def test_to_its_end_and_told_how_far_it_is(
        self, held: Barrier, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        rehearsal_id = await asked(world)
        await work.rehearsal_asked(rehearsal_id)
        await held.reached()
        assert await status_of(world, rehearsal_id) == (RehearsalStatus.RUNNING, 1, 5)
        await held.release()
        outcome = await handle(temporal_client, rehearsal_id).result()
        assert (outcome.kept, outcome.decisions, outcome.orders_changed) == (True, 5, 5)
        assert await status_of(world, rehearsal_id) == (RehearsalStatus.DONE, 5, 5)
        report = (await rehearsals.get(world, rehearsal_id)).report
        assert report is not None
        assert report.orders_changed == 5

    async def test_the_next_one_waits_for_the_one_before(
        self, held: Barrier, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        first, second = await asked(world), await asked(world, "last-1-order")
        await begin_quickly(temporal_client, first, work._durable._task_queue)
        await held.reached()
        await begin_quickly(temporal_client, second, work._durable._task_queue)

        async def waits() -> bool:
            seen = await pending(temporal_client, second)
            return seen is not None and seen.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED

        await until("it is seen to wait", waits)
        await heartbeats(temporal_client, first)
        assert await waits()
        assert await status_of(world, second) == (RehearsalStatus.QUEUED, 0, 0)
        await held.release()
        for rehearsal_id in (first, second):
            await until_rehearsal(world, rehearsal_id, "done")

    async def test_of_no_orders_at_all(self, work: BackgroundWork, world: AsyncEngine) -> None:
        rehearsal_id = await asked(world)
        await work.rehearsal_asked(rehearsal_id)
        await until_rehearsal(world, rehearsal_id, "done")
        assert await status_of(world, rehearsal_id) == (RehearsalStatus.DONE, 0, 0)

    async def test_one_that_cannot_be_run_says_why_and_holds_up_nobody(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        await accept(world, "1", A=1)
        broken, good = await asked(world), await asked(world)
        async with world.begin() as connection:
            await connection.execute(
                text("UPDATE rehearsals SET orders = 'no such day' WHERE id = :id"), {"id": broken}
            )
        for rehearsal_id in (broken, good):
            await work.rehearsal_asked(rehearsal_id)
        with pytest.raises(WorkflowFailureError) as failed:
            await handle(temporal_client, broken).result()
        found = await rehearsals.get(world, broken)
        assert found.status is RehearsalStatus.FAILED
        assert found.detail.startswith("InvalidInput: ")
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.message == found.detail
        await until_rehearsal(world, good, "done")


class TestBegunAnew:
    async def test_where_the_database_went_away(
        self, held: Barrier, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        rehearsal_id = await asked(world)
        await work.rehearsal_asked(rehearsal_id)
        await held.reached()
        await held.cut_off()
        await held.release()
        outcome = await handle(temporal_client, rehearsal_id).result()
        assert (outcome.decisions, outcome.orders_changed) == (5, 5), "each order counts once, whoever began"
        history = await handle(temporal_client, rehearsal_id).fetch_history()
        started = [e for e in history.events if e.HasField("activity_task_started_event_attributes")]
        assert [e.activity_task_started_event_attributes.attempt for e in started] == [1]

    @pytest.mark.timeout(120)
    @pytest.mark.parametrize("deaths", [1, ATTEMPTS])
    async def test_where_its_worker_died_but_not_for_ever(
        self,
        held: Barrier,
        temporal_client: Client,
        temporal_server: EmbeddedTemporal,
        world: AsyncEngine,
        world_url: str,
        deaths: int,
    ) -> None:
        rehearsal_id, queue = await asked(world), f"q-{uuid4().hex}"
        await begin_quickly(temporal_client, rehearsal_id, queue)
        async with AsyncExitStack() as workers:
            for _ in range(deaths):
                dying = await workers.enter_async_context(worker_process(world_url, temporal_server.address, queue))
                await held.reached()
                await kill(dying)
                await held.cut_off()
            await held.release()
            await workers.enter_async_context(worker_process(world_url, temporal_server.address, queue))
            found = await until_rehearsal(world, rehearsal_id, "done", "failed")
        if deaths < ATTEMPTS:
            assert found.report is not None
            assert found.report.made.orders == 5
        else:
            assert (found.status, found.detail) == (
                RehearsalStatus.FAILED,
                f"given up: it was begun {ATTEMPTS} times, and never came to its end",
            )

    async def test_what_nobody_began_and_what_was_terminated(
        self, held: Barrier, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        first, second = await asked(world), await asked(world)
        await begin_quickly(temporal_client, first, work._durable._task_queue)
        await held.reached()
        await handle(temporal_client, first).terminate("by hand")
        await held.release()
        assert not await StartingWork(world, temporal_client, work._durable._task_queue).run()
        for rehearsal_id in (first, second):
            assert (await until_rehearsal(world, rehearsal_id, "done")).report is not None


class TestCancelled:
    async def test_one_that_is_taken_away_ends_and_the_next_begins(
        self, held: Barrier, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        first, second = await asked(world), await asked(world)
        for rehearsal_id in (first, second):
            await begin_quickly(temporal_client, rehearsal_id, work._durable._task_queue)
        await held.reached()
        begun = RehearsalStatus.RUNNING
        gone, next_ = (first, second) if (await status_of(world, first))[0] is begun else (second, first)
        taking = asyncio.create_task(work.delete_rehearsal(gone, "kim"))

        async def waits_for_the_step() -> bool:
            query = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
            return bool(await one(world, query))

        await until("it is taken away once the step is written", waits_for_the_step)
        await held.release()
        await taking
        with pytest.raises(NotFound):
            await rehearsals.get(world, gone)
        await until_rehearsal(world, next_, "done")

        async def ended() -> bool:
            return (await handle(temporal_client, gone).describe()).status is not WorkflowExecutionStatus.RUNNING

        await until("its workflow ended", ended)
        with pytest.raises(NotFound):
            await work.delete_rehearsal(gone, "kim")

    async def test_by_temporal(
        self, held: Barrier, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        rehearsal_id = await asked(world)
        await begin_quickly(temporal_client, rehearsal_id, work._durable._task_queue)
        await held.reached()
        await handle(temporal_client, rehearsal_id).cancel(reason="too many orders\x00")
        await heard(temporal_client, rehearsal_id)
        await held.cut_off()
        found = await until_rehearsal(world, rehearsal_id, "cancelled")
        assert (found.detail, found.report) == ("too many orders", None)
        with pytest.raises(WorkflowFailureError):
            await handle(temporal_client, rehearsal_id).result()
        described = await handle(temporal_client, rehearsal_id).describe()
        assert described.status is WorkflowExecutionStatus.CANCELED

    async def test_one_that_waits_for_its_turn(
        self, held: Barrier, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        first, second = await asked(world), await asked(world)
        await begin_quickly(temporal_client, first, work._durable._task_queue)
        await held.reached()
        await begin_quickly(temporal_client, second, work._durable._task_queue)
        await handle(temporal_client, second).cancel(reason="not needed")
        assert (await until_rehearsal(world, second, "cancelled")).detail == "not needed"
        await held.release()
        await until_rehearsal(world, first, "done")
