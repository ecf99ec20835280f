"""What was measured of stock, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from bench.measure import MILLISECONDS, Spread, percentile

# Clients are pgbench's, on the server's side; callers are of one process and share the system's pool.
BASELINE = "pgbench -N, 8 clients"
BASELINE_PREPARED = "pgbench -N, 8 clients, prepared"
HOT_BARE = "hot row, a bare UPDATE, 8 clients"
HOT_8 = "hot row, 8 clients"
HOT_8_PREPARED = "hot row, 8 clients, prepared"
HOT_32 = "hot row, 32 clients"
HOT_POOL_8 = "hot row, 8 callers"
HOT_POOL_32 = "hot row, 32 callers"
HOT_GROUPED = "hot row, grouped, 128 callers"
UNIFORM = "uniform, 8 clients"
UNIFORM_GROUPED = "uniform, grouped, 128 callers"
BASKETS = "3-line baskets, 8 callers"
BASKETS_GROUPED = "3-line baskets, grouped, 128 callers"
ONE_SKU = "availability, one SKU"
MANY_SKUS = "availability, many SKUs"
IMPORT = "rows imported"


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: so many a second, each in so many seconds, and what else there is to say."""

    rate: float
    seconds: list[float] = field(default_factory=list)
    note: str = ""


@dataclass(slots=True)
class Results:
    """All rounds of everything; `remarks` are findings without a figure."""

    rounds: dict[str, list[Round]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, name: str, one: Round) -> None:
        """Keeps a round of something."""
        self.rounds.setdefault(name, []).append(one)

    def rate(self, name: str) -> Spread:
        """So many a second, over the rounds."""
        return Spread.of([one.rate for one in self.rounds[name]])

    def ratio(self, name: str, to: str = BASELINE) -> Spread:
        """How the rate of one thing compares with that of another in the same round."""
        return Spread.of([a.rate / b.rate for a, b in zip(self.rounds[name], self.rounds[to], strict=True)])

    def comparable(self, name: str) -> bool:
        """Whether it was measured in the same rounds as the baseline."""
        return len(self.rounds[name]) == len(self.rounds.get(BASELINE, ())) and name not in {ONE_SKU, MANY_SKUS, IMPORT}

    def latency_ms(self, name: str) -> tuple[float, float] | None:
        """p50 and p95 over all rounds; None where only the rate was measured."""
        seconds = [each for one in self.rounds[name] for each in one.seconds]
        if not seconds:
            return None
        return percentile(seconds, 0.5) * MILLISECONDS, percentile(seconds, 0.95) * MILLISECONDS

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "rates": {name: asdict(self.rate(name)) for name in self.rounds},
            "of_pgbench": {name: asdict(self.ratio(name)) for name in self.rounds if self.comparable(name)},
            "latency_ms": {name: self.latency_ms(name) for name in self.rounds},
            "notes": {name: [one.note for one in rounds if one.note] for name, rounds in self.rounds.items()},
            "remarks": self.remarks,
        }
