"""Everybody at work at once, and what happens when the API does not answer one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from simulator.api import ApiGone
from simulator.board import Board, BoardOrder


class Crew:
    """Runs players side by side. One whose call is given up stops with its order; the others go on."""

    def __init__(self, board: Board, group: asyncio.TaskGroup) -> None:
        self._board = board
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()
        self._errands = 0

    @property
    def busy(self) -> bool:
        """Whether somebody still works for an order."""
        return self._errands > 0

    def work_for(self, order: BoardOrder, work: Coroutine[Any, Any, None]) -> None:
        """Starts work for an order."""
        self._keep(self._group.create_task(self._borne(order, work)))

    def stay(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts somebody who is there during the whole run; ApiGone ends the run."""
        task = self._group.create_task(work)
        self._keep(task)
        return task

    def go_home(self) -> None:
        """Ends all work that is still going on."""
        for task in self._tasks:
            task.cancel()

    async def _borne(self, order: BoardOrder, work: Coroutine[Any, Any, None]) -> None:
        self._errands += 1
        try:
            await work
        except ApiGone as gone:
            order.trouble = str(gone)
            self._board.say(f"{order.id}: {gone}")
        finally:
            self._errands -= 1

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
