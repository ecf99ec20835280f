"""`dom` commands as people run them: a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cli.process import python_module


def clean_environment(**settings: str) -> dict[str, str]:
    """This environment without what it says of servers, and with these settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DOM_", "TEMPORAL_", "PG"))}
    return {**inherited, **settings}


def dom(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        python_module("cli", *arguments),
        env=clean_environment(DOM_DATA_DIR=str(folder), **settings),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def refused(answer: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """The one line of a command that did not start; AssertionError for anything else, a traceback above all."""
    assert answer.returncode == code, answer
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    assert lines[0].startswith("dom: ")
    return lines[0]
