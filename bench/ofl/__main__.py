"""`python -m bench.ofl [--quick] [--only NAME]`: what the planner can do; all of it in one process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

INTERRUPTED = 130
PARTS = ("per_order", "horizon", "reoptimisation")
"""Modules of this package: each has `measure(quick)`, which answers rows, and may have `table` and `aims` of them."""


def main() -> int:
    """Measures and prints; 130 after Ctrl-C."""
    options = _options()
    console = Console(soft_wrap=True, highlight=False, width=160)
    began = perf_counter()
    try:
        for name in options.only or PARTS:
            part = import_module(f"bench.ofl.{name}")
            console.print(f"{perf_counter() - began:6.1f} s  {name}", style="dim")
            rows = part.measure(quick=options.quick)
            console.print(part.table(rows) if hasattr(part, "table") else table(name, rows))
            for line in part.aims(rows) if hasattr(part, "aims") else ():
                console.print(line)
    except KeyboardInterrupt:
        return INTERRUPTED
    console.print(f"{perf_counter() - began:6.1f} s  done", style="dim")
    return 0


def table(title: str, rows: Sequence[Any]) -> Table:
    """Rows of named tuples, with what is worked out of each."""
    shown = Table(title=title.replace("_", " "))
    kind = type(rows[0])
    names = [*kind._fields, *[name for name, member in vars(kind).items() if isinstance(member, property)]]
    for name in names:
        shown.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        shown.add_row(*[_cell(getattr(row, name)) for name in names])
    return shown


def _cell(value: Any) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else str(value)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ofl", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test in seconds: its figures say nothing")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be given again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
