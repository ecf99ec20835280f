"""What every command shares: its settings and data folder, and problems as one line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from cli.folder import DataFolder
    from settings import Settings

WIDTH_OF_A_FILE = 160


def environment() -> tuple[Settings, DataFolder]:
    """The settings and the data folder of this call; raises StartProblem that names a wrong setting."""
    from cli.folder import DataFolder
    from cli.running import load_settings

    settings = load_settings()
    return settings, DataFolder(settings.data_dir.absolute())


@contextmanager
def problems_as_one_line() -> Iterator[None]:
    """Shows what stands in the way as one line that says what to do, and ends with exit code 1."""
    from cli.problems import StartProblem

    try:
        yield
    except StartProblem as problem:
        typer.echo(f"dom: {problem}", err=True)
        raise typer.Exit(1) from problem
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        typer.echo("dom: the disk is full. Free some space, or set DOM_DATA_DIR to a folder on another disk.", err=True)
        raise typer.Exit(1) from error


def console() -> Console:
    """Where tables go: as wide as the terminal, and wide enough to be searched when it is a file or a pipe."""
    from rich.console import Console

    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=WIDTH_OF_A_FILE)
