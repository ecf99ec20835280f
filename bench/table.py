"""The results as people read them."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import MILLISECONDS, Spread, percentile
from bench.results import NO_OP, ONE_LINE, Results, summary

ACCEPT_AIM = 1.5
RATE_AIM = 0.8


def show(results: Results, console: Console) -> None:
    """Prints the table, and below it the two ratios the design aims at."""
    shape = results.shape
    console.print(
        f"\nA one-line order has {shape.local} local and {shape.remote} remote activities, {shape.signals} signals and "
        f"{shape.updates} update; the no-op workflow has as many.\n"
    )
    console.print(table(results))
    console.print(_aim("accept p50 / empty workflow p50, one at a time", results.accept_ratio(), f"<= {ACCEPT_AIM}"))
    rate = results.rate_ratio(ONE_LINE, NO_OP)
    console.print(_aim("one-line orders/s / no-op workflows/s", rate, f">= {RATE_AIM}"))
    used = results.processor_ratio(NO_OP, ONE_LINE)
    console.print(f"CPU of a no-op workflow / CPU of a one-line order: {_shown(used)}")


def table(results: Results) -> Table:
    """A column for each thing that was measured; it fits into 80 characters."""
    rounds = {name: summary(loads) for name, loads in results.loads.items()}
    shown = Table(
        title=f"{results.at_once} at once; latencies in ms as p50 / p95; CPU in ms, each for one piece of work"
    )
    shown.add_column("", no_wrap=True)
    for name in rounds:
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_row("answer alone", *(_latency(results.seconds_alone(name)) for name in rounds))
    shown.add_row("answer under load", *(_pair(one["accept_ms"]) for one in rounds.values()))
    shown.add_row("to the end", *(_pair(one["walk_ms"]) for one in rounds.values()), end_section=True)
    shown.add_row("ended a second", *(f"{one['rate']['middle']:.1f}" for one in rounds.values()))
    shown.add_row("in the rounds", *(_range(one["rate"]) for one in rounds.values()), end_section=True)
    for process in next(iter(rounds.values()))["cpu_ms"]:
        shown.add_row(f"CPU {process}", *(f"{one['cpu_ms'][process]:.1f}" for one in rounds.values()))
    totals = (sum(one["cpu_ms"].values()) for one in rounds.values())
    shown.add_row("CPU in all", *(f"{total:.1f}" for total in totals), end_section=True)
    for row, figure in {"history events": "events", "history bytes": "bytes"}.items():
        shown.add_row(row, *(f"{one[figure]:,.0f}" for one in rounds.values()))
    for row, figure in {"workflow tasks": "tasks", "remote activities": "remote", "fulfilments": "fulfilments"}.items():
        shown.add_row(row, *(f"{one[figure]:.1f}" for one in rounds.values()))
    return shown


def _latency(seconds: list[float]) -> str:
    if not seconds:
        return ""
    return _pair({name: percentile(seconds, share) * MILLISECONDS for name, share in (("p50", 0.5), ("p95", 0.95))})


def _pair(latency: dict[str, Any]) -> str:
    return f"{latency['p50']:.0f} / {latency['p95']:.0f}"


def _range(rate: dict[str, Any]) -> str:
    return f"{rate['least']:.1f}-{rate['most']:.1f}"


def _aim(what: str, ratio: Spread, aim: str) -> str:
    return f"{what}: {_shown(ratio)}, aim {aim}"


def _shown(ratio: Spread) -> str:
    return f"{ratio.middle:.2f} (rounds {ratio.least:.2f} .. {ratio.most:.2f})"
