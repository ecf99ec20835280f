"""The tasks of the simulator's players."""

import asyncio
import gc
from collections import deque
from datetime import UTC, datetime

from simulator.board import Board, BoardOrder
from simulator.tasks import SimulatorTasks


async def test_one_that_is_cancelled_before_it_began_leaves_nothing_unawaited() -> None:
    board = Board(None)
    order = BoardOrder("web-1", "web", datetime.now(UTC), "GB", "", {"1": 1}, deque())

    async def work() -> None:
        raise AssertionError("it was cancelled")

    async with asyncio.TaskGroup() as group:
        tasks = SimulatorTasks(board, group)
        tasks.start_for(order, work())
        tasks.cancel_all()
    gc.collect()
    assert not tasks.busy
