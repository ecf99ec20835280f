"""Temporal's request to cancel comes in the very moment in which a process ends by itself, or goes on in a new run."""

import asyncio

import pytest

from workflows.runs import CancellationRequest


class NewRun(Exception):
    """Stands for the end of a run that another one follows."""


async def nothing_asked() -> None:
    """Nobody may ask for this."""
    raise AssertionError("the process is over")


async def test_the_end_that_came_first_counts() -> None:
    go = asyncio.Event()

    async def process() -> None:
        await go.wait()
        raise NewRun

    primary = asyncio.create_task(CancellationRequest(nothing_asked).beside(process()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go.set()  # the process wakes up first, and the request finds it at its end
    primary.cancel()
    with pytest.raises(NewRun):
        await primary
