"""The version that reference data is remembered by."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def touch(connection: AsyncConnection) -> None:
    """Say that reference data changed; every process reads it anew with its next order."""
    await connection.execute(text("UPDATE reference_state SET version = version + 1"))
