"""A whole system to be broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.folder import DataFolder
from tests.worlds.stack import RunningStack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    """Not started yet; ended with the test."""
    stack = RunningStack(DataFolder(tmp_path / "var"))
    stack.environment["DOM_REPLAY_ORDERS"] = "true"
    yield stack
    stack.close()
