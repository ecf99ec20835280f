"""The tasks of the simulator's players, side by side, and what happens when the API does not answer one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from simulator.api import ApiUnreachable
from simulator.board import Board, BoardOrder


class SimulatorTasks:
    """The tasks of all players. One whose call is given up stops with its order; the others go on."""

    def __init__(self, board: Board, group: asyncio.TaskGroup) -> None:
        self._board = board
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0

    @property
    def busy(self) -> bool:
        """Whether a task of an order is still under way."""
        return self._under_way > 0

    def start_for(self, order: BoardOrder, work: Coroutine[Any, Any, None]) -> None:
        """Starts a task for an order."""
        task = self._group.create_task(self._guarded(order, work))
        task.add_done_callback(lambda _: work.close())  # one that is cancelled at once has not begun the work
        self._keep(task)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts a task for the whole run; ApiUnreachable ends the run."""
        task = self._group.create_task(work)
        self._keep(task)
        return task

    def cancel_all(self) -> None:
        """Cancels every task that is still under way."""
        for task in self._tasks:
            task.cancel()

    async def _guarded(self, order: BoardOrder, work: Coroutine[Any, Any, None]) -> None:
        self._under_way += 1
        try:
            await work
        except ApiUnreachable as gone:
            order.trouble = str(gone)
            self._board.say(f"{order.id}: {gone}")
        finally:
            self._under_way -= 1

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
