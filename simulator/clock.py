"""Business time: when things happen in the world that is played, and how fast it passes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic


def stamp(moment: datetime) -> str:
    """A moment as the API takes it. The system refuses the future, so nothing is later than now."""
    return min(moment, datetime.now(UTC)).isoformat().replace("+00:00", "Z")


@dataclass(slots=True)
class Clock:
    """Passes `speed` business seconds a real second, from the first moment asked for; at speed 0 nobody waits."""

    speed: float
    _first: datetime | None = field(default=None, init=False)
    _started: float = field(default=0.0, init=False)
    sleepers: int = field(default=0, init=False)

    async def until(self, moment: datetime) -> None:
        """Waits in real time until the moment has come."""
        if not self.speed:
            return
        if self._first is None:
            self._first, self._started = moment, monotonic()
        due = self._started + (moment - self._first).total_seconds() / self.speed
        self.sleepers += 1
        try:
            await asyncio.sleep(max(0.0, due - monotonic()))
        finally:
            self.sleepers -= 1
