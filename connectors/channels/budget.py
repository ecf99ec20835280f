"""Budgets of requests: a bucket that fills at a steady rate, as platforms keep them.

Shopify counts the cost of each query in points (docs: "leaky bucket"), Amazon requests, others nothing. Each process
keeps its own bucket; what several processes ask together the platform itself refuses, and says for how long.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from connectors.notifications.port import TemporaryFailureError

LONGEST_WAIT: Final = 20.0
"""Seconds that are waited for in place; for longer the caller comes back."""


class SlowDownError(TemporaryFailureError):
    """The budget is used up: ask again in so many `seconds`."""

    def __init__(self, said: str, seconds: float) -> None:
        super().__init__(said)
        self.seconds = seconds


class RequestBudget:
    """A bucket of `size` points that fills by `per_second`."""

    def __init__(self, size: float, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._size = size
        self._per_second = per_second
        self._clock = clock
        self._points = size
        self._at = clock()
        self._closed_until = 0.0

    async def spend(self, points: float = 1) -> None:
        """Wait until there are so many points, and take them. Raises SlowDownError where that takes too long."""
        points = min(points, self._size)
        while (wait := self._wait(points)) > 0:
            if wait > LONGEST_WAIT:
                raise SlowDownError(f"the budget of requests is used up for {wait:.0f} s", wait)
            await asyncio.sleep(wait)
        self._points -= points

    def learn(self, points: float, size: float, per_second: float) -> None:
        """What the platform says of its bucket, after a request."""
        self._size, self._per_second = size, per_second
        self._fill()
        self._points = min(self._points, points)

    def wait_for(self, points: float) -> float:
        """Seconds until there are so many points."""
        return self._wait(min(points, self._size))

    def granted(self, per_second: float) -> None:
        """The bucket fills by so much from now on."""
        self._fill()
        self._per_second = per_second

    def close_for(self, seconds: float) -> None:
        """The platform asked to be left alone for so long."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def _wait(self, points: float) -> float:
        self._fill()
        closed = self._closed_until - self._clock()
        missing = points - self._points
        return max(closed, missing / self._per_second if missing > 0 else 0.0)

    def _fill(self) -> None:
        now = self._clock()
        self._points = min(self._size, self._points + (now - self._at) * self._per_second)
        self._at = now
