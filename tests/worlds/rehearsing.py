"""Decisions to rehearse, and a policy that decides otherwise."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from services.capture import capture
from services.database import Database
from tests.worlds import small
from tests.worlds.policies import changed
from tests.worlds.sourcing import MONDAY_NOON

TOGETHER = changed(small.POLICY, maximum_shipments=1)
"""Never splits: an order of A and FAR, which no node has both of, is planned otherwise than by the small world's."""


async def accept(engine: AsyncEngine, external_id: str, *, days: int = 0, **lines: int) -> None:
    at = MONDAY_NOON + timedelta(days=days)
    order = small.order(external_id, placed_at=at, **lines)
    await capture(Database(engine, replaying=True), order)
