"""An import is a workflow: applied once whoever dies, cancelled where it stands, and begun again from the store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from activities.importing import ImportProgress
from cli.embedded.temporal import EmbeddedTemporal
from dom.shared.errors import Conflict, NotFound
from jobs.starting_work import StartingWork
from processes.background_work import BackgroundWork
from store import imports
from store.enums import ImportStatus
from store.imports import Import, applying
from tests.worlds.background import (
    AFTER_TWO_CHUNKS,
    barrier,
    doing,
    heard,
    heartbeats,
    kill,
    pending,
    received,
    told,
    until_import,
    worker_process,
)
from tests.worlds.books import balance, check_books, one, rows
from tests.worlds.waiting import until
from workflows.imports import ImportInput, ImportWorkflow

QUICK = {"beat_seconds": 0.2, "silence_seconds": 2.0}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short file has several."""
    monkeypatch.setattr(applying, "CHUNK", 3)


@pytest.fixture
async def work(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[BackgroundWork]:
    async with doing(temporal_client, world) as begun:
        yield begun


def handle(client: Client, found: Import) -> WorkflowHandle[ImportWorkflow, ImportProgress]:
    return client.get_workflow_handle_for(ImportWorkflow.run, found.id)


async def begin_quickly(client: Client, found: Import, task_queue: str) -> None:
    start = ImportInput(import_id=found.id, **QUICK)
    await client.start_workflow(ImportWorkflow.run, start, id=found.id, task_queue=task_queue)


class TestApplied:
    async def test_to_its_end(self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine) -> None:
        found = await received(world, 10)
        await work.import_received(found.id)
        progress = await handle(temporal_client, found).result()
        assert (progress.status, progress.rows, progress.outcomes) == (ImportStatus.DONE, 10, {"applied": 10})
        assert (await imports.get(world, found.id)).status is ImportStatus.DONE
        assert await handle(temporal_client, found).query(ImportWorkflow.progress) == progress
        assert progress.says == "done: 10 of 10 rows (10 applied)"
        assert await balance(world, "dc-leeds", "A") == (110, 0)

    async def test_once_however_often_it_is_begun(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        found = await received(world, 10)
        async with barrier(world, AFTER_TWO_CHUNKS) as held:
            await asyncio.gather(*(work.import_received(found.id) for _ in range(4)))
            await held.reached()
            run = (await handle(temporal_client, found).describe()).run_id
            await work.import_received(found.id)
            assert (await handle(temporal_client, found).describe()).run_id == run
        await until_import(world, found.id, "done")
        await work.import_received(found.id)
        assert (await handle(temporal_client, found).result()).outcomes == {"applied": 10}
        assert await balance(world, "dc-leeds", "A") == (110, 0)

    async def test_several_side_by_side(self, work: BackgroundWork, world: AsyncEngine) -> None:
        found = [await received(world, 20) for _ in range(5)]
        await asyncio.gather(*(work.import_received(each.id) for each in found))
        for each in found:
            assert (await until_import(world, each.id, "done")).outcomes == {"applied": 20}
        assert await balance(world, "dc-leeds", "A") == (200, 0)
        await check_books(world)

    async def test_turn_after_turn(self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine) -> None:
        found = await received(world, 10)
        start = ImportInput(import_id=found.id, turn_seconds=0.000001)
        queue = work._durable._task_queue
        await temporal_client.start_workflow(ImportWorkflow.run, start, id=found.id, task_queue=queue)
        assert (await handle(temporal_client, found).result()).outcomes == {"applied": 10}
        history = await handle(temporal_client, found).fetch_history()
        turns = [e for e in history.events if e.HasField("activity_task_scheduled_event_attributes")]
        assert len(turns) == 4, "a chunk each"

    async def test_one_that_cannot_be_says_why_and_holds_up_nobody(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        async with world.begin() as connection:
            await connection.execute(text("ALTER TABLE stock ADD CONSTRAINT odd CHECK (on_hand <> 109)"))
        odd, good = await received(world, 10), await received(world, 3, "dc-leeds,B,1")
        for each in (odd, good):
            await work.import_received(each.id)
        with pytest.raises(WorkflowFailureError) as failed:
            await handle(temporal_client, odd).result()
        found = await imports.get(world, odd.id)
        assert (found.status, found.outcomes) == (ImportStatus.FAILED, {"applied": 6})
        assert "nothing was applied" in found.detail
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.message == found.detail
        await until_import(world, good.id, "done")


class TestWhatGoesWrong:
    async def test_is_tried_again_and_seen(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        found = await received(world, 10)
        async with world.begin() as connection:
            await connection.execute(text("ALTER TABLE stock_import_rows RENAME TO mislaid"))
        await work.import_received(found.id)

        async def tried_again() -> bool:
            seen = await pending(temporal_client, found.id)
            return seen is not None and seen.attempt > 1 and "stock_import_rows" in str(seen.last_failure)

        await until("it was tried again, and says why", tried_again)
        async with world.begin() as connection:
            await connection.execute(text("ALTER TABLE mislaid RENAME TO stock_import_rows"))
        assert (await until_import(world, found.id, "done")).outcomes == {"applied": 10}

    @pytest.mark.timeout(120)
    async def test_a_worker_that_dies_in_the_middle_of_a_chunk(
        self, temporal_client: Client, temporal_server: EmbeddedTemporal, world: AsyncEngine, world_url: str
    ) -> None:
        found, queue = await received(world, 10), f"q-{uuid4().hex}"
        arguments = (world_url, temporal_server.address, queue)
        async with barrier(world, AFTER_TWO_CHUNKS) as held:
            async with worker_process(*arguments) as first:
                await begin_quickly(temporal_client, found, queue)
                await held.reached()
                await kill(first)
            assert (await imports.get(world, found.id)).outcomes == {"applied": 3}, "it died in the middle"
            await held.release()
            async with worker_process(*arguments):
                done = await until_import(world, found.id, "done")
        assert done.outcomes == {"applied": 10}
        assert await balance(world, "dc-leeds", "A") == (110, 0)
        await check_books(world)

    @pytest.mark.parametrize("whole", [False, True], ids=["by chunks", "all or nothing"])
    async def test_a_worker_that_drains_leaves_the_rest_to_another(
        self, temporal_client: Client, world: AsyncEngine, whole: bool
    ) -> None:
        found, queue = await received(world, 10, all_or_nothing=whole), f"q-{uuid4().hex}"
        async with barrier(world, "AFTER DELETE ON stock_import_rows FOR EACH ROW WHEN (OLD.row = 5)") as held:
            async with AsyncExitStack() as first:
                await first.enter_async_context(doing(temporal_client, world, queue))
                await begin_quickly(temporal_client, found, queue)
                await held.reached()
                draining = asyncio.create_task(first.aclose())
                await heartbeats(temporal_client, found.id)
                await held.release()
                await draining
            stopped = (await imports.get(world, found.id)).outcomes
            assert stopped == ({} if whole else {"applied": 6}), "it stopped in the middle"
            async with doing(temporal_client, world, queue):
                assert (await until_import(world, found.id, "done")).outcomes == {"applied": 10}
        assert await balance(world, "dc-leeds", "A") == (110, 0)
        await check_books(world)


class TestCancelled:
    async def test_what_was_applied_stays_and_the_rest_is_named(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        found = await received(world, 10)
        async with barrier(world, AFTER_TWO_CHUNKS) as held:
            await work.import_received(found.id)
            await held.reached()
            cancelling = asyncio.create_task(work.cancel_import(found.id, "kim"))
            await until("the workflow was told", lambda: told(temporal_client, found.id))
            await held.release()
            cancelled = await cancelling
        assert (cancelled.status, cancelled.detail) == (ImportStatus.CANCELLED, "cancelled by kim")
        applied = cancelled.outcomes["applied"]
        assert applied % 3 == 0
        assert cancelled.outcomes == {"applied": applied, "cancelled": 10 - applied}
        named = [row["row"] async for row in imports.problems(world, found.id)]
        assert named == list(range(2 + applied, 12))
        assert await balance(world, "dc-leeds", "A") == (100 + applied, 0)
        await _ends_cancelled(temporal_client, found)
        assert await work.cancel_import(found.id, "lee") == cancelled, "the same again"
        await check_books(world)

    async def test_by_temporal(self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine) -> None:
        found = await received(world, 10)
        async with barrier(world, AFTER_TWO_CHUNKS) as held:
            await begin_quickly(temporal_client, found, work._durable._task_queue)
            await held.reached()
            await handle(temporal_client, found).cancel()
            await heard(temporal_client, found.id)
        await _ends_cancelled(temporal_client, found)
        cancelled = await imports.get(world, found.id)
        assert (cancelled.status, cancelled.detail) == (ImportStatus.CANCELLED, "cancelled in Temporal")
        assert cancelled.outcomes == {"applied": 6, "cancelled": 4}
        assert await balance(world, "dc-leeds", "A") == (106, 0)

    async def test_all_or_nothing_leaves_nothing(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        found = await received(world, 10, all_or_nothing=True)
        async with barrier(world, "AFTER DELETE ON stock_import_rows FOR EACH ROW WHEN (OLD.row = 5)") as held:
            await begin_quickly(temporal_client, found, work._durable._task_queue)
            await held.reached()
            cancelling = asyncio.create_task(work.cancel_import(found.id, "kim"))
            await heard(temporal_client, found.id)
            await held.release()
            cancelled = await cancelling
        assert (cancelled.status, cancelled.outcomes) == (ImportStatus.CANCELLED, {"cancelled": 10})
        assert await balance(world, "dc-leeds", "A") == (100, 0)
        await _ends_cancelled(temporal_client, found)

    async def test_one_that_nobody_began(
        self, temporal_client: Client, work: BackgroundWork, world: AsyncEngine
    ) -> None:
        found = await received(world, 2)
        assert (await work.cancel_import(found.id, "kim")).outcomes == {"cancelled": 2}
        await work.import_received(found.id)
        assert (await handle(temporal_client, found).result()).is_cancelled
        assert await balance(world, "dc-leeds", "A") == (100, 0)

    async def test_not_what_has_ended_and_not_what_is_not_all_there(
        self, work: BackgroundWork, world: AsyncEngine
    ) -> None:
        found = await received(world, 2)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock_imports SET status = 'receiving'"))
        with pytest.raises(Conflict, match="being received"):
            await work.cancel_import(found.id, "kim")
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock_imports SET status = 'queued'"))
        await imports.apply_all(world, found.id)
        with pytest.raises(Conflict, match="it is done"):
            await work.cancel_import(found.id, "kim")
        with pytest.raises(NotFound):
            await work.cancel_import("import-none", "kim")


class TestBegunFromTheStore:
    async def test_what_nobody_began_and_what_was_terminated(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        found, other = await received(world, 10), await received(world, 10, "dc-leeds,B,1")
        job = StartingWork(world, temporal_client, work._durable._task_queue)
        async with barrier(world, AFTER_TWO_CHUNKS) as held:
            await begin_quickly(temporal_client, found, work._durable._task_queue)
            await held.reached()
            await handle(temporal_client, found).terminate("by hand")
        assert not await job.run()
        for each in (found, other):
            assert (await until_import(world, each.id, "done")).outcomes == {"applied": 10}
        assert await balance(world, "dc-leeds", "A") == (110, 0)
        await check_books(world)

    async def test_a_dead_upload_is_given_up(
        self, work: BackgroundWork, temporal_client: Client, world: AsyncEngine
    ) -> None:
        await received(world, 2)
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock_imports SET status = 'receiving'"))
        job = StartingWork(world, temporal_client, work._durable._task_queue)
        await job.run()
        assert await one(world, "SELECT status FROM stock_imports") == "receiving", "an hour is not over"
        async with world.begin() as connection:
            await connection.execute(text("UPDATE stock_imports SET touched_at = now() - interval '61 minutes'"))
        await job.run()
        assert await rows(world, "SELECT status, detail <> '' FROM stock_imports") == [("failed", True)]


async def _ends_cancelled(client: Client, found: Import) -> None:
    with pytest.raises(WorkflowFailureError) as ended:
        await handle(client, found).result()
    assert is_cancelled_exception(ended.value.cause)
    assert (await handle(client, found).describe()).status is WorkflowExecutionStatus.CANCELED
