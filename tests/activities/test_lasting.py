"""How an activity that lasts for minutes ends when its worker drains."""

import asyncio
from time import monotonic

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.lasting import lasting


class Stubborn:
    """Work that is under way in a step of so many seconds when it is asked to stop."""

    def __init__(self, seconds: float) -> None:
        self.began = asyncio.Event()
        self.was_cut = False
        self._seconds = seconds

    async def __call__(self, stop: asyncio.Event) -> str:
        self.began.set()
        await stop.wait()
        try:
            await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            self.was_cut = True
            raise
        return "done"


async def drained(work: Stubborn, drain_seconds: float) -> str:
    """What the work comes to when its worker drains."""
    environment = ActivityEnvironment()

    async def activity() -> str:
        return await lasting(work, lambda: "under way", beat=0.1, drain_seconds=drain_seconds)

    running = asyncio.create_task(environment.run(activity))
    await work.began.wait()
    environment.worker_shutdown()
    return await running


async def test_a_step_under_way_ends_where_a_draining_worker_has_time_for_it() -> None:
    work = Stubborn(0.3)
    assert await drained(work, 10.0) == "done"
    assert not work.was_cut


async def test_one_that_takes_longer_is_cut_off_before_the_worker_does_it() -> None:
    work, began = Stubborn(30.0), monotonic()
    with pytest.raises(ApplicationError, match="another one goes on"):
        await drained(work, 3.0)
    assert work.was_cut
    assert monotonic() - began < 3.0
