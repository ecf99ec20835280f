"""The version that reference data is remembered by."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def bump(connection: AsyncConnection) -> None:
    """Say that reference data changed; every process reads it anew with its next order."""
    await connection.execute(text("UPDATE reference_state SET version = version + 1"))


async def version(connection: AsyncConnection) -> int:
    """The version that nodes, tariffs and policy have now; 0 before there are any."""
    return int(await connection.scalar(text("SELECT version FROM reference_state")) or 0)
