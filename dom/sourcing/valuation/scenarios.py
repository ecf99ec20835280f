"""What may be asked for: draws from a forecast, the same ones for the same forecast."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from dom.sourcing.valuation.forecast import DemandRate
from dom.sourcing.valuation.ways import Numbers

SCENARIOS: Final = 5
"""Each is a linear program; more of them buy little (docs/performance.md)."""
_LEAST: Final = 1e-9


def scenarios(rates: Sequence[DemandRate], days: float, number: int = SCENARIOS) -> Numbers:
    """Events over the next days, by (rate, scenario): a rate is drawn from each belief, and Poisson events at it."""
    chance = np.random.default_rng(0)
    shape = np.array([max(rate.count, _LEAST) for rate in rates])[:, None]
    each = np.array([rate.days for rate in rates])[:, None]
    drawn = chance.gamma(np.broadcast_to(shape, (len(rates), number))) / each
    events: Numbers = chance.poisson(drawn * days).astype(np.float64)
    return events
