"""A house on a small world of its own: worker, store, carrier and mail."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from tests.worlds.running import House


@pytest.fixture
async def house(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    """A working house with a well-behaved carrier."""
    async with House(temporal_client, world).working() as working:
        yield working
