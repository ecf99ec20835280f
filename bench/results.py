"""What was measured, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import Any

from bench.measure import MILLISECONDS, Spread, percentile
from bench.shape import Shape

EMPTY, NO_OP, ONE_LINE, FIFTEEN_LINES = "empty", "no-op", "one-line", "15-line"


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
    """All rounds. `alone` holds, round by round, the seconds to the answer of what ran one at a time."""

    shape: Shape
    at_once: int
    alone: list[dict[str, list[float]]] = field(default_factory=list)
    loads: dict[str, list[Load]] = field(default_factory=dict)

    def add(self, load: Load) -> None:
        """Keeps a round of something."""
        self.loads.setdefault(load.name, []).append(load)

    def add_alone(self, took: dict[str, list[float]]) -> None:
        """Keeps a round of what ran one at a time."""
        self.alone.append(took)

    def seconds_alone(self, name: str) -> list[float]:
        """Seconds to the answer of one thing that ran one at a time, over all rounds; empty for what did not."""
        return [seconds for took in self.alone for seconds in took.get(name, [])]

    def rate_ratio(self, of: str, to: str) -> Spread:
        """How the rate of one thing compares with that of another in the same round."""
        return Spread.of([a.rate / b.rate for a, b in zip(self.loads[of], self.loads[to], strict=True)])

    def processor_ratio(self, of: str, to: str) -> Spread:
        """How the processor time of one thing, all processes together, compares with that of another, by round."""
        pairs = zip(self.loads[of], self.loads[to], strict=True)
        return Spread.of([sum(a.cpu_ms.values()) / sum(b.cpu_ms.values()) for a, b in pairs])

    def accept_ratio(self) -> Spread:
        """How the median answer to an order compares with that of an empty workflow in the same round."""
        return Spread.of([percentile(took[ONE_LINE], 0.5) / percentile(took[EMPTY], 0.5) for took in self.alone])

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "shape": self.shape.model_dump(),
            "at_once": self.at_once,
            "alone_ms": {name: _latency(self.seconds_alone(name)) for name in self.alone[0]},
            "ratios": {
                "accept_p50_to_empty_p50": asdict(self.accept_ratio()),
                "one_line_rate_to_noop_rate": asdict(self.rate_ratio(ONE_LINE, NO_OP)),
                "noop_cpu_to_one_line_cpu": asdict(self.processor_ratio(NO_OP, ONE_LINE)),
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
