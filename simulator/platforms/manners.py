"""How platforms behave: what becomes of deliveries on their way, and how much may be asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook: its headers, and the bytes that were signed."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Manners:
    """How often, of one, a delivery comes twice, is lost, or is overtaken by others."""

    twice: float = 0.0
    lost: float = 0.0
    late: float = 0.0


class Deliveries:
    """Webhooks on their way. `take` hands out what arrives: not always what was sent, nor in that sequence."""

    def __init__(self, manners: Manners | None = None, chance: random.Random | None = None) -> None:
        self._manners = manners or Manners()
        self._chance = chance or random.Random(0)  # noqa: S311 - what goes wrong is to go wrong again
        self._waiting: list[Delivery] = []

    def send(self, delivery: Delivery) -> None:
        """A platform sends one."""
        manners, chance = self._manners, self._chance
        if chance.random() < manners.lost:
            return
        copies = 2 if chance.random() < manners.twice else 1
        for _ in range(copies):
            place = len(self._waiting)
            if chance.random() < manners.late:
                place = chance.randint(0, place)
            self._waiting.insert(place, delivery)

    def take(self) -> list[Delivery]:
        """What arrives now."""
        taken, self._waiting = self._waiting, []
        return taken


@dataclass
class Bucket:
    """Points that a platform grants: `size` of them, filling by `per_second`."""

    size: float
    per_second: float
    clock: Callable[[], float] = monotonic
    points: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        """It begins full."""
        self.points, self._at = self.size, self.clock()

    def take(self, points: float) -> bool:
        """Whether there were so many; they are gone then."""
        now = self.clock()
        self.points = min(self.size, self.points + (now - self._at) * self.per_second)
        self._at = now
        if points > self.points:
            return False
        self.points -= points
        return True
