"""How a price loses its force: with its age, and sooner where stock is not what it was expected to be.

A price is right for the stock and the forecast it was worked out of. An old one does not say what is true now; then no
price is better than a wrong one, because without prices the planner does what is cheapest now.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

_NOISE: Final = 2.0
"""Standard deviations of Poisson demand that are no surprise."""
_SLACK_AT_LEAST: Final = 2.0
"""Units; a handful of units more or less says nothing of a small stock."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A price as it was worked out: minor units, the free units then, and what was expected to go a day."""

    opportunity: int
    units: int
    outflow: float


def decayed(priced: Priced, units: int, age: float, lifetime: float) -> int:
    """The price as it counts now, in minor units, with `units` free at an age in days.

    It falls linearly to nothing over its lifetime. Whatever is left of it falls linearly, too, with what stock drifted
    from the expectation (the units then, less `outflow` a day) beyond what chance explains; nothing is left of it where
    that is half of what was there.
    """
    if age < 0 or age >= lifetime:
        return 0
    gone = priced.outflow * age
    surprise = abs(units - max(0.0, priced.units - gone)) - _NOISE * sqrt(gone)
    drift = max(0.0, surprise) / max(_SLACK_AT_LEAST, priced.units / 2)
    return int(priced.opportunity * (1 - age / lifetime) * max(0.0, 1 - drift) + 0.5)
