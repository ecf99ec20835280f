"""Business time: when things happen in the world that is played, and how fast it passes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

QUIET = timedelta(hours=1)
"""A longer wait for the next order is a night, or a Sunday."""
NIGHT = 20.0


def stamp(moment: datetime) -> str:
    """A moment as the API takes it. The system refuses the future, so nothing is later than now."""
    return min(moment, datetime.now(UTC)).isoformat().replace("+00:00", "Z")


@dataclass(slots=True)
class Clock:
    """Passes `speed` business seconds a real second, from the first moment asked for; at speed 0 nobody waits."""

    speed: float
    sleepers: int = field(default=0, init=False)
    _reached: datetime | None = field(default=None, init=False)
    _since: float = field(default=0.0, init=False)
    _haste: float = field(default=1.0, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def now(self) -> datetime | None:
        """The business time; None before anybody asked for a moment, and at speed 0."""
        if self._reached is None:
            return None
        return self._reached + timedelta(seconds=(monotonic() - self._since) * self._pace)

    async def until(self, moment: datetime) -> None:
        """Waits in real time until the moment has come."""
        if not self.speed:
            return
        now = self.now
        if now is None:
            now = self._reached = moment
            self._since = monotonic()
        self.sleepers += 1
        try:
            while (left := (moment - now).total_seconds()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left / self._pace):
                        await self._changed.wait()
                now = self.now or moment
        finally:
            self.sleepers -= 1

    async def until_next_order(self, moment: datetime) -> None:
        """Like `until`; when that is hours away, time passes `NIGHT` times as fast for everybody meanwhile."""
        now = self.now
        if now is not None and moment - now > QUIET:
            self._hasten(NIGHT)
        try:
            await self.until(moment)
        finally:
            if self._haste != 1.0:
                self._hasten(1.0)

    @property
    def _pace(self) -> float:
        return self.speed * self._haste

    def _hasten(self, haste: float) -> None:
        self._reached, self._since, self._haste = self.now, monotonic(), haste
        self._changed.set()
        self._changed = asyncio.Event()
