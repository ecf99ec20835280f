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
    from cli.problems import StartProblem
    from settings import Settings

WIDTH_OF_A_FILE = 160
NOT_COMPARED = 2
"""Exit code of a comparison that could not be made, or not in full; 1 says that something differs."""


def environment() -> tuple[Settings, DataFolder]:
    """The settings and the data folder of this call; raises StartProblem that names a wrong setting."""
    from bootstrap.starting import load_settings
    from cli.folder import DataFolder

    settings = load_settings()
    return settings, DataFolder(settings.data_dir.absolute())


@contextmanager
def problems_as_one_line(code: int = 1) -> Iterator[None]:
    """Shows what stands in the way as one line that says what to do, and ends with this exit code."""
    from cli.problems import StartProblem

    try:
        yield
    except StartProblem as problem:
        typer.echo(f"dom: {problem}", err=True)
        raise typer.Exit(code) from problem
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        typer.echo("dom: the disk is full. Free some space, or set DOM_DATA_DIR to a folder on another disk.", err=True)
        raise typer.Exit(code) from error
    except Exception as error:
        words = of_the_database(error)
        if words is None:
            raise
        typer.echo(f"dom: {words}", err=True)
        raise typer.Exit(code) from error


def of_the_database(error: Exception) -> StartProblem | None:
    """What a failure of the database means to the one who typed a command; None if it is another failure."""
    from psycopg.errors import InsufficientPrivilege

    from bootstrap.database import reason
    from cli.problems import StartProblem
    from store.database.engine import is_unavailable

    if isinstance(getattr(error, "orig", error), InsufficientPrivilege):
        return StartProblem(f"the database role lacks rights ({reason(error)})", "grant them, or use its owner")
    if is_unavailable(error):
        return StartProblem(f"the database failed ({reason(error)})", "try again; `dom doctor` looks at it")
    return None


def console() -> Console:
    """Where tables go: as wide as the terminal, and wide enough to be searched when it is a file or a pipe."""
    from rich.console import Console

    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=WIDTH_OF_A_FILE)
