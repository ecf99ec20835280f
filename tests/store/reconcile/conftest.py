"""A house at work."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.worlds.reconciling import fill


@pytest.fixture
async def house(world: AsyncEngine) -> AsyncEngine:
    await fill(world)
    return world
