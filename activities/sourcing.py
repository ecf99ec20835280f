"""Sourcing after the first time, for the order's process. The use case is in `services.sourcing_again`."""

from dataclasses import dataclass

from temporalio import activity

from activities.defects import step
from dom.sourcing.sourced import SourceAgain, SourcedAgain
from services.database import Database
from services.sourcing_again import source_again


@dataclass(frozen=True, slots=True)
class SourcingActivities:
    """Sourcing after the first time."""

    database: Database

    @activity.defn(name="source_again")
    async def source_again(self, request: SourceAgain) -> SourcedAgain:
        """Source the units that wait anew, once per attempt. Errors: not-found."""
        async with step(self.database, request.order_id, request.order_id):
            return await source_again(self.database, request)
