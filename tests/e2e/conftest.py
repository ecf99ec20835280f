"""A running `dom up` for tests through HTTP, and a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.folder import DataFolder
from tests.worlds.stack import RunningStack


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Below a directory closed to others, as a checkout in somebody's home is."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    return closed / "var"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    """Not started yet; ended with the test."""
    stack = RunningStack(DataFolder(tmp_path / "var"))
    yield stack
    stack.close()
