"""What was measured, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import Any

from bench.measure import MILLISECONDS, Spread, percentile
from bench.shape import Shape


@dataclass(frozen=True, slots=True)
class History:
    """What one workflow left behind: events, bytes, remote activities, workflow tasks."""

    events: int
    bytes: int
    remote: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Load:
    """One thing measured under load in one round; processor time in milliseconds for each piece of work."""

    name: str
    count: int
    seconds: float
    accept_seconds: list[float]
    walk_seconds: list[float]
    fulfilments: float
    cpu_ms: dict[str, float]
    histories: list[History]

    @property
    def rate(self) -> float:
        """Pieces of work brought to their end in a second."""
        return self.count / self.seconds


@dataclass(slots=True)
class Results:
    """All rounds; the latencies of what ran alone in seconds."""

    shape: Shape
    at_once: int
    empty_alone: list[float] = field(default_factory=list)
    accept_alone: list[float] = field(default_factory=list)
    accept_ratios: list[float] = field(default_factory=list)
    loads: dict[str, list[Load]] = field(default_factory=dict)

    def add(self, load: Load) -> None:
        """Keeps a round of something."""
        self.loads.setdefault(load.name, []).append(load)

    def add_alone(self, empty: list[float], accept: list[float]) -> None:
        """Keeps a round of what ran one at a time."""
        self.empty_alone += empty
        self.accept_alone += accept
        self.accept_ratios.append(percentile(accept, 0.5) / percentile(empty, 0.5))

    def rate_ratio(self, of: str, to: str) -> Spread:
        """How the rate of one thing compares with that of another in the same round."""
        return Spread.of([a.rate / b.rate for a, b in zip(self.loads[of], self.loads[to], strict=True)])

    def accept_ratio(self) -> Spread:
        """How the median answer to an order compares with that of an empty workflow in the same round."""
        return Spread.of(self.accept_ratios)

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "shape": self.shape.model_dump(),
            "at_once": self.at_once,
            "alone_ms": {
                "empty": _latency(self.empty_alone),
                "accept": _latency(self.accept_alone),
            },
            "ratios": {
                "accept_p50_to_empty_p50": asdict(self.accept_ratio()),
                "one_line_rate_to_noop_rate": asdict(self.rate_ratio("one-line", "no-op")),
            },
            "loads": {name: summary(rounds) for name, rounds in self.loads.items()},
            "rounds": {name: [asdict(load) for load in rounds] for name, rounds in self.loads.items()},
        }


def _latency(seconds: list[float]) -> dict[str, float]:
    return {name: percentile(seconds, share) * MILLISECONDS for name, share in (("p50", 0.5), ("p95", 0.95))}


def summary(rounds: list[Load]) -> dict[str, Any]:
    """One thing over all its rounds: rate and latencies, and what each piece of work took and left behind."""

    def left(figure: Callable[[History], int]) -> float:
        return mean(figure(history) for load in rounds for history in load.histories)

    return {
        "rate": asdict(Spread.of([load.rate for load in rounds])),
        "accept_ms": _latency([seconds for load in rounds for seconds in load.accept_seconds]),
        "walk_ms": _latency([seconds for load in rounds for seconds in load.walk_seconds]),
        "fulfilments": mean(load.fulfilments for load in rounds),
        "cpu_ms": {name: mean(load.cpu_ms[name] for load in rounds) for name in rounds[0].cpu_ms},
        "events": left(lambda history: history.events),
        "bytes": left(lambda history: history.bytes),
        "remote": left(lambda history: history.remote),
        "tasks": left(lambda history: history.tasks),
    }
