"""Work of a job that is done for each of several things: one that fails does not stop the others."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from dom.shared.backoff import pause
from store.database.engine import is_unavailable

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
"""Seconds what fails waits before it is tried again: the first time, and at most."""

_log = structlog.get_logger("keeper")


@dataclass(frozen=True, slots=True)
class _Failing:
    failures: int
    again_at: float


class Apart:
    """Remembers what failed, and for how long it is left alone. `job` is whose work it is, for the log."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._failing: dict[str, _Failing] = {}

    async def run(self, about: str, work: Callable[[], Awaitable[bool]]) -> bool:
        """What the work answers: whether there is more of it. False for work that fails, or failed a short while ago.

        Raises what a database that is away raises: that concerns everything.
        """
        now = asyncio.get_running_loop().time()
        failing = self._failing.get(about)
        if failing is not None and now < failing.again_at:
            return False
        try:
            more = await work()
        except Exception as error:  # whatever it is, it must not take the others along
            if is_unavailable(error):
                raise
            failures = failing.failures + 1 if failing else 1
            again_in = pause(failures, FIRST_PAUSE, LONGEST_PAUSE)
            self._failing[about] = _Failing(failures, now + again_in)
            _log.warning(
                "work failed", job=self._job, about=about, failures=failures, again_in=again_in, exc_info=error
            )
            return False
        self._failing.pop(about, None)
        return more
