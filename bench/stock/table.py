"""The results as people read them."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bench.measure import Spread
from bench.stock.results import (
    BASELINE,
    HOT_8,
    HOT_32,
    HOT_BARE,
    HOT_GROUPED,
    HOT_POOL_8,
    HOT_POOL_32,
    UNIFORM,
    UNIFORM_GROUPED,
    Results,
)

P95_AIM_MS = 10.0


def show(results: Results, console: Console) -> None:
    """Prints the table, and below it what is aimed at and what came out."""
    console.print()
    console.print(table(results))
    console.print(f"ratios are of `{BASELINE}` with its default protocol (-M simple), round by round; medians")
    console.print("clients are pgbench's; callers are of one process, with the system's pool of 8 connections")
    for name, rounds in results.rounds.items():
        if rounds[-1].note:
            console.print(f"{name}: {rounds[-1].note}")
    console.print()
    for line in aims(results):
        console.print(line)
    for remark in results.remarks:
        console.print(remark)


def table(results: Results) -> Table:
    """A row for each thing that was measured."""
    shown = Table(title="soft reservations, each in a statement of its own unless grouped; fsync on")
    shown.add_column("", no_wrap=True)
    for heading in ("a second", "of pgbench -N", "p50 / p95 ms"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for name in results.rounds:
        latency = results.latency_ms(name)
        shown.add_row(
            name,
            f"{results.rate(name).middle:,.0f}",
            f"{results.ratio(name).middle:.2f}" if results.comparable(name) else "",
            f"{latency[0]:.1f} / {latency[1]:.1f}" if latency else "",
        )
    return shown


def aims(results: Results) -> list[str]:
    """What was aimed at, what came out, and whether that is enough."""
    found = [
        _least("hot row, one statement, 8 clients / pgbench -N", results.ratio(HOT_8), 0.7),
        _least("the same, 32 clients / 8 clients", results.ratio(HOT_32, HOT_8), 0.9),
        _least("a bare UPDATE of the hot row, 8 clients / pgbench -N", results.ratio(HOT_BARE), None),
        _least("the same through the pool, 32 callers / 8 callers", results.ratio(HOT_POOL_32, HOT_POOL_8), 0.9),
        _least("hot row, grouped / one statement, both through the pool", results.ratio(HOT_GROUPED, HOT_POOL_8), 10.0),
        _least("uniform, grouped / pgbench -N", results.ratio(UNIFORM_GROUPED), 1.5),
        _least("uniform, one statement / pgbench -N", results.ratio(UNIFORM), None),
    ]
    latency = results.latency_ms(HOT_GROUPED)
    if latency is not None:
        enough = "reached" if latency[1] < P95_AIM_MS else "MISSED"
        found.append(f"hot row, grouped, p95: {latency[1]:.1f} ms, aim < {P95_AIM_MS:.0f} ms: {enough}")
    return found


def _least(what: str, ratio: Spread, aim: float | None) -> str:
    line = f"{what}: {ratio.middle:.2f} (rounds {ratio.least:.2f} .. {ratio.most:.2f})"
    if aim is None:
        return line
    return f"{line}, aim >= {aim:g}: {'reached' if ratio.middle >= aim else 'MISSED'}"
