"""How much will be asked for: rates a day with their uncertainty, from what was asked for so far.

Most SKUs of an assortment are asked for now and then. The rate of such a SKU is smoothed after R. H. Teunter, A. A.
Syntetos and M. Z. Babai ("Intermittent demand: Linking forecasting to inventory obsolescence", European Journal of
Operational Research 214(3), 2011): one smoothing for whether anything is asked for on a day, which is corrected on days
without demand as well, and one for how much. Where the data of one region are thin, the rate is drawn towards the SKU's
own rate times the region's part of all demand: the conjugate gamma-Poisson estimate (A. Gelman et al., "Bayesian Data
Analysis", 3rd ed., 2.6), which counts an opinion as so many days of watching.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

CHANCE: Final = 0.1
"""Smoothing of whether anything is asked for."""
SIZE: Final = 0.1
"""Smoothing of how much."""


@dataclass(frozen=True, slots=True)
class DemandRate:
    """What is believed of a rate a day: a gamma distribution, as `count` events seen in so many `days`."""

    count: float
    days: float

    @classmethod
    def believed(cls, mean: float, error: float) -> "DemandRate":
        """A rate that is known up to a relative standard error."""
        return cls(1 / error**2, 1 / (error**2 * mean))

    def seen(self, count: float, days: float) -> "DemandRate":
        """The belief after watching for so many days."""
        return DemandRate(self.count + count, self.days + days)

    @property
    def mean(self) -> float:
        """Expected events a day."""
        return self.count / self.days


def smoothed(units: Sequence[float], chance: float = CHANCE, size: float = SIZE) -> float:
    """Units a day expected next, from the units of past days, the oldest first (TSB); 0 for no history.

    It begins with the history's own share of days with demand, and the mean of what they asked for.
    """
    asked = [each for each in units if each > 0]
    if not asked:
        return 0.0
    likely, much = len(asked) / len(units), sum(asked) / len(asked)
    for each in units:
        likely += chance * ((each > 0) - likely)
        if each > 0:
            much += size * (each - much)
    return likely * much


def shares(counts: Iterable[float]) -> list[float]:
    """Each region's part of all demand; every region counts as seen once more than it was, so that none has nothing."""
    seen = [count + 1.0 for count in counts]
    return [count / sum(seen) for count in seen]


def regional(total: float, share: float, own: float, watched: float, trust: float) -> DemandRate:
    """The rate in one region: `own` units in the `watched` days, drawn towards the total's share.

    `trust` is how many days of watching the total's word is worth.
    """
    return DemandRate(total * share * trust, trust).seen(own, watched)
