"""The results as people read them."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import MILLISECONDS, Spread, percentile
from bench.results import Results, summary

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
    rate = results.rate_ratio("one-line", "no-op")
    console.print(_aim("one-line orders/s / no-op workflows/s", rate, f">= {RATE_AIM}"))


def table(results: Results) -> Table:
    """A column for each thing that was measured."""
    rounds = {name: summary(loads) for name, loads in results.loads.items()}
    shown = Table(title=f"{results.at_once} at once; CPU and history of one piece of work", title_justify="left")
    shown.add_column("")
    for name in rounds:
        shown.add_column(name, justify="right", no_wrap=True)
    alone = {"empty": results.empty_alone, "one-line": results.accept_alone}
    shown.add_row("answer alone ms, p50 / p95", *(_latency(alone.get(name, [])) for name in rounds))
    shown.add_row("answer under load ms", *(_pair(one["accept_ms"]) for one in rounds.values()))
    shown.add_row("to the end ms", *(_pair(one["walk_ms"]) for one in rounds.values()))
    shown.add_row("ended per second", *(_rate(one["rate"]) for one in rounds.values()), end_section=True)
    for process in next(iter(rounds.values()))["cpu_ms"]:
        shown.add_row(f"CPU ms {process}", *(f"{one['cpu_ms'][process]:.1f}" for one in rounds.values()))
    totals = (sum(one["cpu_ms"].values()) for one in rounds.values())
    shown.add_row("CPU ms in all", *(f"{total:.1f}" for total in totals), end_section=True)
    shown.add_row("history events", *(f"{one['events']:.0f}" for one in rounds.values()))
    shown.add_row("history bytes", *(f"{one['bytes']:,.0f}" for one in rounds.values()))
    shown.add_row("workflow tasks", *(f"{one['tasks']:.1f}" for one in rounds.values()))
    shown.add_row("remote activities", *(f"{one['remote']:.1f}" for one in rounds.values()))
    shown.add_row("fulfilments", *(f"{one['fulfilments']:.1f}" for one in rounds.values()))
    return shown


def _latency(seconds: list[float]) -> str:
    if not seconds:
        return ""
    return f"{percentile(seconds, 0.5) * MILLISECONDS:.1f} / {percentile(seconds, 0.95) * MILLISECONDS:.1f}"


def _pair(latency: dict[str, Any]) -> str:
    return f"{latency['p50']:.0f} / {latency['p95']:.0f}"


def _rate(rate: dict[str, Any]) -> str:
    return f"{rate['middle']:.1f} ({rate['least']:.1f} .. {rate['most']:.1f})"


def _aim(what: str, ratio: Spread, aim: str) -> str:
    return f"{what}: {ratio.middle:.2f} (rounds {ratio.least:.2f} .. {ratio.most:.2f}), aim {aim}"
