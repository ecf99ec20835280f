"""What is not waited for until it is on disk: that, and nothing after it."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.database.engine import NO_WAIT_FOR_DISK, reading

_SHOW = text("SHOW synchronous_commit")


class TestNoWaitForDisk:
    """A statement's own transaction is not waited for; what its connection does next is."""

    async def test_lasts_to_the_end_of_the_transaction(self, world: AsyncEngine) -> None:
        async with world.connect() as connection:
            await _wait(connection)
            await connection.execute(text(f"SELECT {NO_WAIT_FOR_DISK}"))
            assert await connection.scalar(_SHOW) == "off"
            await connection.commit()
            assert await connection.scalar(_SHOW) == "on"

    async def test_lasts_no_longer_than_a_statement_of_its_own(self, world: AsyncEngine) -> None:
        async with reading(world).connect() as connection:
            await _wait(connection)
            assert await connection.scalar(text(f"SELECT {NO_WAIT_FOR_DISK}")) == "off"
            assert await connection.scalar(_SHOW) == "on"


async def _wait(connection: AsyncConnection) -> None:
    """As in production: the tests' server waits for nothing."""
    await connection.execute(text("SET synchronous_commit = on"))
    await connection.commit()
