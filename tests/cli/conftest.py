"""The `dom` command on a database of its own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from typer.testing import CliRunner, Result

from cli.embedded.temporal import EmbeddedTemporal
from cli.main import app
from tests.worlds.running import House

Dom = Callable[..., Result]


@pytest.fixture
def dom(world_url: str, tmp_path: Path) -> Dom:
    """Runs a command on a fresh database with the small network."""

    def run(*arguments: str, **settings: str) -> Result:
        configured = {"DOM_DATABASE_URL": world_url, "DOM_DATA_DIR": str(tmp_path / "var"), "USER": "ada"}
        return CliRunner().invoke(app, arguments, env={**configured, **settings})

    return run


@pytest.fixture
async def house(temporal_client: Client, world: AsyncEngine) -> AsyncIterator[House]:
    """A worker on the small world, for what lasts too."""
    async with House(temporal_client, world, background=True).working() as working:
        yield working


@pytest.fixture
def at_work(house: House, world_url: str, temporal_server: EmbeddedTemporal, tmp_path: Path) -> Dom:
    """Runs a command on the servers that the house works on."""
    settings = {
        "DOM_DATABASE_URL": world_url,
        "DOM_TEMPORAL_ADDRESS": temporal_server.address,
        "DOM_DATA_DIR": str(tmp_path / "var"),
        "USER": "ada",
    }

    def run(*arguments: str, queue: str = house.task_queue) -> Result:
        return CliRunner().invoke(app, arguments, env=settings | {"DOM_TASK_QUEUE": queue})

    return run
