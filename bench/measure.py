"""The arithmetic: shares of a sample, processor time of processes, ratios of rounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import psutil

MILLISECONDS = 1000.0


def percentile(sample: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the sample does not exceed; raises ValueError if empty."""
    if not sample:
        raise ValueError("an empty sample has no percentile")
    return sorted(sample)[max(math.ceil(share * len(sample)), 1) - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several rounds."""

    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Least, median and most of the rounds; raises ValueError if there was none."""
        if not values:
            raise ValueError("no round, no spread")
        return cls(min(values), median(values), max(values))


def processor_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor time each process and its children have used so far, ended children included."""
    return {name: _with_children(psutil.Process(pid)) for name, pid in pids.items()}


def own_seconds() -> float:
    """Processor time of this process alone: its children are what it measures."""
    times = psutil.Process().cpu_times()
    return times.user + times.system


def _with_children(process: psutil.Process) -> float:
    return sum(_used(one) for one in (process, *process.children(recursive=True)))


def _used(process: psutil.Process) -> float:
    """With the children it has waited for: their time would be lost otherwise."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # it ended just now, and its parent's `children_*` count it
        return 0.0
    return times.user + times.system + float(times.children_user) + float(times.children_system)


def used_between(before: Mapping[str, float], after: Mapping[str, float], shared_by: int) -> dict[str, float]:
    """Milliseconds each process used from one reading to the next, for each of `shared_by` pieces of work."""
    return {name: (after[name] - before[name]) * MILLISECONDS / shared_by for name in after}
