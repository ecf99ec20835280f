"""Histories of imports and rehearsals, for `tools.record_histories`."""

from contextlib import suppress
from typing import Final

from temporalio.client import WorkflowFailureError

from processes.background_work import BackgroundWork
from processes.client import Durable
from store.imports import applying
from tests.worlds.background import AFTER_TWO_CHUNKS, asked, barrier, heard, received
from tests.worlds.running import House
from workflows.imports import ImportInput, ImportWorkflow

IMPORTED: Final = "imported"
IMPORT_CANCELLED: Final = "import-cancelled"
REHEARSED: Final = "rehearsed"
RECORDED: Final = (IMPORTED, IMPORT_CANCELLED, REHEARSED)
"""A file that is applied, one that is cancelled in the middle, and a rehearsal."""


async def do(house: House, name: str) -> str:
    """Do it to its end; answers the workflow."""
    applying.CHUNK = 3  # type: ignore[misc]
    work = BackgroundWork(Durable(house.client, house.task_queue), house.engine)
    if name == REHEARSED:
        workflow_id = await asked(house.engine)
        await work.rehearsal_asked(workflow_id)
    elif name == IMPORTED:
        workflow_id = (await received(house.engine, 10)).id
        await work.import_received(workflow_id)
    else:
        workflow_id = (await received(house.engine, 10)).id
        await _cancelled_in_the_middle(house, workflow_id)
    with suppress(WorkflowFailureError):
        await house.client.get_workflow_handle(workflow_id).result()
    return workflow_id


async def _cancelled_in_the_middle(house: House, import_id: str) -> None:
    start = ImportInput(import_id=import_id, beat_seconds=0.2, silence_seconds=2.0)
    async with barrier(house.engine, AFTER_TWO_CHUNKS) as held:
        await house.client.start_workflow(ImportWorkflow.run, start, id=import_id, task_queue=house.task_queue)
        await held.reached()
        await house.client.get_workflow_handle(import_id).cancel(reason="recorded")
        await heard(house.client, import_id)
