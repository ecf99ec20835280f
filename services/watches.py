"""Watches on milestones are written and taken away: one that could not work is refused."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom import watches as rules
from dom.watches import Watch
from store.desk import watches


async def put(connection: AsyncConnection, watch: Watch, by: str) -> bool:
    """Create or replace a watch; True if it is new. Raises InvalidInput for one that could never be met, or missed."""
    rules.check(watch)
    return await watches.put(connection, watch, by)
