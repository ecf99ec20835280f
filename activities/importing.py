"""Importing: files of counts and changes that were received are applied, some chunks a call."""

import asyncio
from dataclasses import dataclass

from temporalio import activity

from activities.errors import temporal_errors
from activities.lasting import Seconds, lasting, stopped
from dom.shared.base import Value
from services.database import Database
from store import imports
from store.enums import ImportStatus
from store.imports import Import


class ImportTurn(Value):
    """Some seconds of work on an import, and how often it is said that the worker lives."""

    import_id: str
    seconds: Seconds
    beat: Seconds


class ImportProgress(Value):
    """How far an import is: rows received, and rows by what became of them."""

    status: ImportStatus
    rows: int
    outcomes: dict[str, int]
    detail: str

    @property
    def goes_on(self) -> bool:
        """Whether there is more to apply."""
        return self.status in {ImportStatus.QUEUED, ImportStatus.APPLYING}

    @property
    def has_failed(self) -> bool:
        """Whether it cannot be applied; `detail` says why."""
        return self.status is ImportStatus.FAILED

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody ended it."""
        return self.status is ImportStatus.CANCELLED

    @property
    def says(self) -> str:
        """It in words."""
        done = sum(self.outcomes.values())
        by_outcome = ", ".join(f"{rows:,} {outcome}" for outcome, rows in sorted(self.outcomes.items()))
        return f"{self.status}: {done:,} of {self.rows:,} rows" + (f" ({by_outcome})" if by_outcome else "")


class ImportCancellation(Value):
    """An import that is to end where it stands, and why."""

    import_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Importing:
    """Applies imports. The store holds how far each is, so that any worker goes on where another one stopped."""

    database: Database

    @activity.defn(name="apply_import")
    async def apply_import(self, turn: ImportTurn) -> ImportProgress:
        """Apply chunks for some seconds, at least one; of an all-or-nothing import everything.

        What the database refuses to apply has failed, and says why.
        """
        said = ["begins"]
        return await lasting(lambda stop: self._apply(turn, stop, said), lambda: said[0], beat=turn.beat)

    async def _apply(self, turn: ImportTurn, stop: asyncio.Event, said: list[str]) -> ImportProgress:
        clock = asyncio.get_running_loop()
        until = clock.time() + turn.seconds
        try:
            with temporal_errors():
                while True:
                    await imports.apply_next(self.database.engine, turn.import_id, stop)
                    progress = _progress(await imports.get(self.database.engine, turn.import_id))
                    said[0] = progress.says
                    if not progress.goes_on or stop.is_set() or clock.time() >= until:
                        return progress
        except imports.Interrupted as error:
            raise stopped() from error

    @activity.defn(name="cancel_import")
    async def cancel_import(self, asked: ImportCancellation) -> ImportProgress:
        """End an import where it stands: what was applied stays, and every row that was not is named."""
        with temporal_errors():
            await imports.cancel(self.database.engine, asked.import_id, asked.detail)
            return _progress(await imports.get(self.database.engine, asked.import_id))


def _progress(found: Import) -> ImportProgress:
    return ImportProgress(status=found.status, rows=found.rows, outcomes=found.outcomes, detail=found.detail)
