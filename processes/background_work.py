"""Imports, rehearsals and bulk runs as durable processes: begun by whoever asked for them, or later from the store."""

from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.service import RPCError

from dom.shared.errors import Conflict
from processes.client import Durable
from processes.errors import NotReady, Unavailable
from store import imports
from store.enums import ImportStatus
from store.imports import Import
from store.orders import bulk_runs
from store.rehearsal import rehearsals
from workflows.bulk import BulkInput, BulkWorkflow
from workflows.imports import ImportInput, ImportWorkflow
from workflows.rehearsals import RehearsalInput, RehearsalWorkflow

_AWAY: Final = (Unavailable, NotReady, RPCError, TimeoutError)

_log = structlog.get_logger("processes")


class BackgroundWork:
    """What lasts for minutes. The store holds what was asked for; the workflow of the same id does it."""

    def __init__(self, durable: Durable, engine: AsyncEngine) -> None:
        self._durable = durable
        self._engine = engine

    async def import_received(self, import_id: str) -> None:
        """Begin it at once. While Temporal is away it stands in the store until `begin_unfinished` finds it."""
        try:
            await self._begin_import(import_id)
        except _AWAY as error:
            _log.warning("an import begins later", id=import_id, because=f"{type(error).__name__} {error}")

    async def rehearsal_asked(self, rehearsal_id: str) -> None:
        """Begin it at once. While Temporal is away it stands in the store until `begin_unfinished` finds it."""
        try:
            await self._begin_rehearsal(rehearsal_id)
        except _AWAY as error:
            _log.warning("a rehearsal begins later", id=rehearsal_id, because=f"{type(error).__name__} {error}")

    async def bulk_asked(self, bulk_id: str) -> None:
        """Begin it at once, or go on with it. While Temporal is away it stands in the store until `begin_unfinished`
        finds it.
        """
        try:
            await self._begin_bulk(bulk_id)
        except _AWAY as error:
            _log.warning("a bulk run begins later", id=bulk_id, because=f"{type(error).__name__} {error}")

    async def begin_unfinished(self) -> None:
        """Begin what the store holds and no workflow does. Raises what Temporal raises."""
        for import_id in await imports.unfinished(self._engine):
            await self._begin_import(import_id)
        for rehearsal_id in await rehearsals.unfinished(self._engine):
            await self._begin_rehearsal(rehearsal_id)
        for bulk_id in await bulk_runs.unfinished(self._engine):
            await self._begin_bulk(bulk_id)

    async def _begin_import(self, import_id: str) -> None:
        start = ImportInput(import_id=import_id)
        await self._durable.begin(ImportWorkflow.run, start, workflow_id=import_id, summary="Stock import")

    async def _begin_rehearsal(self, rehearsal_id: str) -> None:
        start = RehearsalInput(rehearsal_id=rehearsal_id)
        await self._durable.begin(RehearsalWorkflow.run, start, workflow_id=rehearsal_id, summary="Rehearsal")

    async def _begin_bulk(self, bulk_id: str) -> None:
        start = BulkInput(bulk_id=bulk_id)
        await self._durable.begin(BulkWorkflow.run, start, workflow_id=bulk_id, summary="Bulk change of orders")

    async def cancel_import(self, import_id: str, by: str) -> Import:
        """End an import where it stands; the same again is answered the same.

        Raises NotFound, and Conflict for one that has ended otherwise, or is still being received. The workflow is told
        first, for an all-or-nothing import stops for nothing else; if it cannot be, the next chunk finds out.
        """
        found = await imports.get(self._engine, import_id)
        if found.status is ImportStatus.CANCELLED:
            return found
        if found.ended:
            raise Conflict(f"it is {found.status}, and cannot be cancelled", data={"status": found.status})
        why = f"cancelled by {by}"
        if found.status is not ImportStatus.RECEIVING:
            await self._stop(import_id, why)
        await imports.cancel(self._engine, import_id, why)
        return await imports.get(self._engine, import_id)

    async def delete_rehearsal(self, rehearsal_id: str, by: str) -> None:
        """Take a rehearsal away, and end it if it is under way. Raises NotFound."""
        async with self._engine.begin() as connection:
            await rehearsals.forget(connection, rehearsal_id)
        await self._stop(rehearsal_id, f"taken away by {by}")

    async def _stop(self, workflow_id: str, why: str) -> None:
        try:
            await self._durable.cancel(workflow_id, why)
        except _AWAY as error:
            _log.warning("a workflow was not told to stop", id=workflow_id, because=f"{type(error).__name__} {error}")
