"""The `dom` command on a database of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app

Dom = Callable[..., Result]


@pytest.fixture
def dom(world_url: str, tmp_path: Path) -> Dom:
    """Runs a command on a fresh database with the small network."""

    def run(*arguments: str, **settings: str) -> Result:
        configured = {"DOM_DATABASE_URL": world_url, "DOM_DATA_DIR": str(tmp_path / "var"), "USER": "ada"}
        return CliRunner().invoke(app, arguments, env={**configured, **settings})

    return run
