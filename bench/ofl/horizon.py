"""Over a horizon: what it saves to know what stock is worth, on the public experiment of Ma (M&SOM 25(4), 2023).

The world is in `horizon_world`, re-created from the paper and its published description. Where that is silent: stock is
placed for the true rates also where the forecast is wrong; the error multiplies each class's rate (kind of order and
metro) by exp(0.5 z), z standard normal; whoever plans fills what can be filled, and cannot save stock by not shipping;
an item that cannot be filled costs twice the unit cost from the farthest centre, and once an order twice a shipment.

All policies plan the same orders one by one, by the same exact planner of single orders; they differ in the prices it
sees. *Greedy* sees none: the cheapest way now. *Static* sees the duals of the fluid problem, once. *Ours* are the
prices of `dom.sourcing.valuation` as they are worked out live, fifty times a season, under one belief about the
forecast's error in all three settings. The bound is the hindsight LP of the literature, in which orders may be parted
into fractions; `ceiling` is what a bound that plans orders whole says could be closed at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
from rich.table import Table

from bench.ofl.horizon_bound import hindsight
from bench.ofl.horizon_play import Greedy, Ours, Static, play
from bench.ofl.horizon_world import FREIGHT, Season, season
from dom.sourcing.valuation.transport import Market
from dom.sourcing.valuation.ways import Numbers

SIGMA: Final = 0.5
SEEDS: Final = 10


@dataclass(frozen=True, slots=True)
class Setting:
    """A length of the season, whether the forecast is wrong, and the share of the gap to be closed, in percent."""

    periods: int
    wrong: bool
    aim: int


SETTINGS: Final = (Setting(10_000, False, 60), Setting(1_000, False, 45), Setting(3_000, True, 45))


class Played(NamedTuple):
    """One season: costs in dollars, and how long ours took in seconds, pricing included."""

    setting: Setting
    seed: int
    greedy: float
    static: float
    ours: float
    bound: float
    whole_bound: float
    seconds: float

    def closed(self, cost: float) -> float:
        """The percentage of the gap between greedy and the bound that a cost closes."""
        return 100 * (self.greedy - cost) / (self.greedy - self.bound)


def measure(quick: bool) -> list[Played]:
    """Every setting and seed; `quick` plays short seasons."""
    settings = [Setting(each.periods // 10, each.wrong, aim=0) for each in SETTINGS] if quick else SETTINGS
    return [played(setting, seed) for setting in settings for seed in range(1 if quick else SEEDS)]


def played(setting: Setting, seed: int) -> Played:
    """One season under every policy."""
    drawn = season(seed, setting.periods)
    forecast = _forecast(drawn, seed) if setting.wrong else drawn.rates
    began = perf_counter()
    ours = play(drawn, Ours(drawn, forecast))
    seconds = perf_counter() - began
    whole = Market(drawn.baskets, FREIGHT).prices(drawn.stock.astype(float), drawn.counted()[:, None]).cost
    return Played(
        setting,
        seed,
        greedy=play(drawn, Greedy()) / 100,
        static=play(drawn, Static(drawn, forecast)) / 100,
        ours=ours / 100,
        bound=hindsight(drawn) / 100,
        whole_bound=whole / 100,
        seconds=seconds,
    )


def _forecast(drawn: Season, seed: int) -> Numbers:
    """The rates, wrong."""
    forecast: Numbers = drawn.rates * np.exp(SIGMA * np.random.default_rng([seed, 1]).standard_normal(len(drawn.rates)))
    return forecast


def table(rows: Sequence[Played]) -> Table:
    """A row a setting: means over the seeds, and their spread."""
    shown = Table(
        title=f"Over a horizon, {len({row.seed for row in rows})} seasons each; share of the gap closed, in %"
    )
    for name in ("orders", "forecast", "greedy / bound", "static", "ours", "least .. most", "ceiling"):
        shown.add_column(name, justify="right")
    for name in ("static loses", "ours loses", "s a season"):
        shown.add_column(name, justify="right")
    for setting, found in _by_setting(rows):
        static, ours = [row.closed(row.static) for row in found], [row.closed(row.ours) for row in found]
        shown.add_row(
            f"{setting.periods:,}",
            f"wrong, sigma {SIGMA}" if setting.wrong else "right",
            f"{mean(row.greedy / row.bound for row in found):.3f}",
            _spread(static),
            _spread(ours),
            f"{min(ours):.0f} .. {max(ours):.0f}",
            f"{mean(row.closed(row.whole_bound) for row in found):.0f}",
            f"{sum(each < 0 for each in static)} of {len(found)}",
            f"{sum(each < 0 for each in ours)} of {len(found)}",
            f"{mean(row.seconds for row in found):.1f}",
        )
    return shown


def aims(rows: Sequence[Played]) -> Iterable[str]:
    """What was to be reached, and what was; short seasons have no aim."""
    for setting, found in _by_setting(rows):
        if not setting.aim:
            continue
        closed = mean(row.closed(row.ours) for row in found)
        forecast = "wrong" if setting.wrong else "right"
        yield f"gap closed, {setting.periods:,} orders, forecast {forecast}: {closed:.1f} %, aim >= {setting.aim} %"
    yield "static prices lose where their season costs more than greedy's; the literature closes 36 to 40 %"


def _by_setting(rows: Sequence[Played]) -> list[tuple[Setting, list[Played]]]:
    settings = dict.fromkeys(row.setting for row in rows)
    return [(setting, [row for row in rows if row.setting == setting]) for setting in settings]


def _spread(values: Sequence[float]) -> str:
    return f"{mean(values):.1f}" + (f" +- {stdev(values):.1f}" if len(values) > 1 else "")
