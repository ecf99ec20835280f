"""A worker that applies imports, runs rehearsals and carries out bulk runs, in small steps, in a process of its own.
A test can kill it.

`python -m tests.worlds.background_process DATABASE_URL TEMPORAL_ADDRESS TASK_QUEUE`
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.bulk import Bulk
from activities.importing import Importing
from activities.rehearsing import Rehearsing
from services import rehearsing
from services.database import Database
from store.database import engine as database
from store.imports import applying
from worker import background
from workflows.bulk import BulkWorkflow
from workflows.imports import ImportWorkflow
from workflows.rehearsals import RehearsalWorkflow

DRAIN_SECONDS = 5.0


async def main(database_url: str, temporal_address: str, task_queue: str) -> None:
    """Work until somebody ends the process."""
    applying.CHUNK = 3  # type: ignore[misc]
    rehearsing.AT_ONCE = 1  # type: ignore[misc]
    client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    house = Database(engine=database.create(database_url, 4))
    imports, rehearsals = Importing(house, DRAIN_SECONDS), Rehearsing(house, DRAIN_SECONDS)
    bulk = Bulk(house, DRAIN_SECONDS)
    served: list[Callable[..., Any]] = [
        imports.apply_import,
        imports.cancel_import,
        rehearsals.run_rehearsal,
        rehearsals.end_rehearsal,
        bulk.apply_bulk,
        bulk.stop_bulk,
    ]
    own = Worker(
        client, task_queue=task_queue, workflows=[ImportWorkflow, RehearsalWorkflow, BulkWorkflow], activities=served
    )
    await asyncio.gather(*(each.run() for each in (own, *background(client, task_queue, served, DRAIN_SECONDS))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
