"""Tables of numbers that fit a terminal of 100 columns, with a last line that adds up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

MANY = 6
"""Figures in a line from which on columns stand close together."""
NAME = 24
"""Characters of a name that are kept in one line, however wide the rest is."""


def numbers(
    title: str,
    words: Sequence[str],
    figures: Sequence[str],
    rows: Iterable[Sequence[object]],
    totals: Iterable[Sequence[object]] = (),
) -> Table:
    """A table whose first columns are words and whose further ones are figures; totals stand below a line.

    Nothing is cut off: what is too wide goes on in the next line.
    """
    from rich import box
    from rich.table import Table

    between = 0 if len(figures) > MANY else 1
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, between, 0, 0),
    )
    lines = [[cell(value) for value in row] for row in rows]
    sums = [[cell(value) for value in row] for row in totals]
    for place, name in enumerate((*words, *figures)):
        longest = max((len(line[place]) for line in (*lines, *sums)), default=0)
        is_figure = place >= len(words)
        kept = max(longest, *map(len, name.split())) if is_figure else min(longest, NAME) if not place else None
        table.add_column(name, overflow="fold", min_width=kept, justify="right" if is_figure else "left")
    for line in lines:
        table.add_row(*line)
    table.add_section()
    for line in sums:
        table.add_row(*line, style="bold")
    return table


def cell(value: object) -> str:
    """A value as it stands in a table; a dash where there is none."""
    return "-" if value is None else str(value)
