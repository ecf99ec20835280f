"""What a run of the simulator is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "data" / "sample"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the players wait, in real seconds: quick, and yet the system has time to work."""

    look: float = 0.4
    """Between two looks at the work lists while there is work."""
    idle_look: float = 1.0
    slowest_look: float = 2.0
    """The longest pause between two looks, however long looking takes."""
    flush: float = 0.25
    """How long a carrier gathers events for one call."""
    silence: float = 20.0
    """After so long without an effect a message is sent again; that must be harmless."""
    refused: float = 2.0
    """How long a refused step waits for the work list to say why."""
    look_again: float = 1.5
    """Until an order that is between two nodes is asked about again."""
    supplied: float = 5.0
    """How long an order is given to take up stock that came in."""


@dataclass(frozen=True, slots=True)
class Config:
    """One run. `speed` is business seconds a real second, 0 for as fast as the system takes it.

    `in_flight` bounds the orders open at once at speed 0. `patience` is how many seconds without any progress are
    borne before the run gives up. `fresh` replays the same orders under new order numbers. `keys` is a folder of API
    keys, a file each: `channels`, `nodes`, `carriers`, `operator`.
    """

    api_url: str = "http://127.0.0.1:8000"
    orders: int = 2000
    speed: float = 0.0
    in_flight: int = 60
    patience: float = 120.0
    fresh: bool = False
    sample: Path = SAMPLE
    keys: Path | None = None
    report: Path | None = None
    pace: Pace = field(default_factory=Pace)


DEFAULT = Config()
BATCH = 300
"""Orders a replay for people begins with, at full speed: on two cores their summary is there within two minutes."""
