"""`python -m bench.search [--orders N] [--times N] [--database URL] [--json FILE]`: search, kind by kind."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import uvloop
from rich.console import Console
from rich.table import Table

from bench.measure import percentile
from bench.search.asking import Asked, ask_all
from bench.search.filling import fill, sizes
from bench.search.made import Maker
from bench.stock import server
from cli.problems import StartProblem

INTERRUPTED = 130


def main() -> int:
    """Fills a database, asks and prints; exit code 1 if there is no server, 130 after Ctrl-C. No figure fails it."""
    options = _options()
    console = Console(soft_wrap=True, highlight=False, width=160)
    began = perf_counter()

    def say(line: str) -> None:
        console.print(f"{perf_counter() - began:6.1f} s  {line}", style="dim")

    try:
        if options.database:
            found = _measured(options.database, options, say, console)
        else:
            with (
                tempfile.TemporaryDirectory(prefix="dom-bench-", ignore_cleanup_errors=True) as folder,
                server.running(Path(folder)) as url,
            ):
                made = server.database(url, "search")
                fill(server.plain(made), Maker(options.orders), say)
                found = _measured(made, options, say, console)
    except StartProblem as problem:
        console.print(f"bench: {problem}", style="red")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    console.print(_table(found))
    if options.json:
        options.json.write_text(json.dumps([each.as_json() for each in found], indent=1))
    return 0


def _measured(url: str, options: argparse.Namespace, say: Callable[[str], None], console: Console) -> list[Asked]:
    for name, size in sizes(server.plain(url)):
        console.print(f"{name}: {size / 2**20:,.0f} MB")
    return uvloop.run(ask_all(url, datetime.now(UTC), options.times, say, options.only))


def _table(found: list[Asked]) -> Table:
    shown = Table(
        title="milliseconds of a search with its rows, one caller; of its statements alone; of the server's processor"
    )
    for heading in ("", "p50", "p95", "statements p50", "p95", "processor", "found", "pages", "how"):
        shown.add_column(heading, justify="left" if heading in {"", "how"} else "right")
    for each in found:
        figures = (each.p50, each.p95, *(percentile(each.statements, share) for share in (0.5, 0.95)))
        numbers = (*(f"{figure:,.1f}" for figure in (*figures, each.processor)), f"{each.rows:,.0f}", f"{each.pages:,}")
        shown.add_row(each.kind, *numbers, each.how)
    return shown


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000, help="how many orders are made")
    parser.add_argument("--times", type=int, default=40, help="how often each kind is asked")
    parser.add_argument("--only", default="", help="only kinds with this in their name")
    parser.add_argument("--database", metavar="URL", help="one that was filled before, instead of making one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
