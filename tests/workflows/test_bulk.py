"""A bulk run is a workflow: stopped and resumed, begun from the store, and carried out once whoever dies."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import is_cancelled_exception

from cli.embedded.temporal import EmbeddedTemporal
from dom.orders.bulk import BulkOutcome, BulkProgress, BulkStatus
from jobs.starting_work import StartingWork
from processes.background_work import BackgroundWork
from services import bulk_changes, bulk_runs
from store.orders import bulk_runs as rows_of
from store.orders.bulk_runs import BulkRun
from tests.worlds.access import caller
from tests.worlds.background import AT_THE_THIRD_ORDER, barrier, bulk_asked, doing, heard, kill, worker_process
from tests.worlds.books import check_books, one
from tests.worlds.waiting import until
from workflows.bulk import BulkInput, BulkWorkflow

CANCELLED = "SELECT count(*) FROM timeline WHERE kind = 'cancelled'"
ORDERS = 8


@pytest.fixture
async def work(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[BackgroundWork]:
    async with doing(temporal_client, world) as begun:
        yield begun


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_changes, "SIDE_BY_SIDE", 1)


async def found(world: AsyncEngine, bulk_id: str) -> BulkRun:
    async with world.connect() as connection:
        return await rows_of.get(connection, bulk_id, caller().limits)


async def comes_to(world: AsyncEngine, bulk_id: str, status: BulkStatus) -> BulkRun:
    async def reached() -> bool:
        return (await found(world, bulk_id)).status is status

    await until(f"{bulk_id} is {status}", reached)
    return await found(world, bulk_id)


async def is_done_once(world: AsyncEngine, bulk_id: str) -> None:
    """Every order was cancelled, and cancelled once."""
    assert (await comes_to(world, bulk_id, BulkStatus.DONE)).outcomes == {BulkOutcome.DONE: ORDERS}
    assert await one(world, CANCELLED) == ORDERS
    await check_books(world)


async def test_to_its_end(work: BackgroundWork, temporal_client: Client, world: AsyncEngine) -> None:
    bulk_id = await bulk_asked(world, ORDERS)
    await asyncio.gather(*(work.bulk_asked(bulk_id) for _ in range(3)))
    handle = temporal_client.get_workflow_handle_for(BulkWorkflow.run, bulk_id)
    progress = await handle.result()
    assert progress == BulkProgress(status=BulkStatus.DONE, orders=ORDERS, outcomes={BulkOutcome.DONE: ORDERS})
    assert await handle.query(BulkWorkflow.progress) == progress
    assert progress.says == "done: 8 of 8 orders (8 done)"
    await is_done_once(world, bulk_id)


async def test_turn_after_turn(
    work: BackgroundWork, temporal_client: Client, world: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_changes, "AT_A_TIME", 3)
    bulk_id = await bulk_asked(world, ORDERS)
    start = BulkInput(bulk_id=bulk_id, turn_seconds=0.000001)
    queue = work._durable.task_queue
    await temporal_client.execute_workflow(BulkWorkflow.run, start, id=bulk_id, task_queue=queue)
    await is_done_once(world, bulk_id)


async def test_stopped_in_the_middle_and_resumed(work: BackgroundWork, world: AsyncEngine) -> None:
    bulk_id = await bulk_asked(world, ORDERS)
    async with barrier(world, AT_THE_THIRD_ORDER) as held:
        await work.bulk_asked(bulk_id)
        await held.reached()
        async with world.begin() as connection:
            await bulk_runs.stop(connection, caller(), bulk_id)
    stopped = await comes_to(world, bulk_id, BulkStatus.STOPPED)
    await until("what was under way is ended", lambda: _done(world, bulk_id, 3))
    assert await one(world, CANCELLED) == 3, "and nothing after it"
    assert stopped.stopped_by == "tests"
    async with world.begin() as connection:
        await bulk_runs.resume(connection, caller(), bulk_id)
    await work.begin_unfinished()
    await until("it goes on", lambda: _begun_again(work, world, bulk_id))
    await is_done_once(world, bulk_id)


async def _done(world: AsyncEngine, bulk_id: str, orders: int) -> bool:
    return (await found(world, bulk_id)).done == orders


async def _begun_again(work: BackgroundWork, world: AsyncEngine, bulk_id: str) -> bool:
    """As the job does it again and again: the workflow that was stopped may not have ended when it was resumed."""
    await work.begin_unfinished()
    return (await found(world, bulk_id)).ended


async def test_cancelled_in_temporal(work: BackgroundWork, temporal_client: Client, world: AsyncEngine) -> None:
    bulk_id = await bulk_asked(world, ORDERS)
    async with barrier(world, AT_THE_THIRD_ORDER) as held:
        await work.bulk_asked(bulk_id)
        await held.reached()
        handle = temporal_client.get_workflow_handle(bulk_id)
        await handle.cancel()
        await heard(temporal_client, bulk_id)
    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert is_cancelled_exception(ended.value.cause)
    stopped = await comes_to(world, bulk_id, BulkStatus.STOPPED)
    assert stopped.stopped_by == "system:temporal"
    assert stopped.done < ORDERS
    assert await one(world, CANCELLED) == stopped.done


async def test_begun_from_the_store(work: BackgroundWork, temporal_client: Client, world: AsyncEngine) -> None:
    bulk_id = await bulk_asked(world, ORDERS)
    await StartingWork(world, temporal_client, work._durable.task_queue).run()
    await is_done_once(world, bulk_id)


@pytest.mark.timeout(120)
async def test_a_worker_that_dies_in_the_middle_of_an_order(
    temporal_client: Client, temporal_server: EmbeddedTemporal, world: AsyncEngine, world_url: str
) -> None:
    bulk_id, queue = await bulk_asked(world, ORDERS), f"q-{uuid4().hex}"
    arguments = (world_url, temporal_server.address, queue)
    start = BulkInput(bulk_id=bulk_id, beat_seconds=0.2, silence_seconds=2.0)
    async with barrier(world, AT_THE_THIRD_ORDER) as held:
        async with worker_process(*arguments) as first:
            await temporal_client.start_workflow(BulkWorkflow.run, start, id=bulk_id, task_queue=queue)
            await held.reached()
            await kill(first)
        await held.cut_off()
    async with worker_process(*arguments):
        await is_done_once(world, bulk_id)
