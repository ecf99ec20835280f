"""Soft reservations that queue up in a process share a statement: a small group commit for hot SKUs.

A hot row is locked by one transaction at a time, so that each statement costs every other its commit. Requests that
arrive while a statement runs wait for the next one and go in it together. How long one waits is bounded by the
statements before it, how many share one by `most`. Each caller gets its own answer: a request the database refuses is
tried alone, and so is one that did not fit behind the others of its group.
"""

import asyncio
from collections import deque
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from store.database.engine import is_unavailable, reading
from store.stock import soft
from store.stock.soft import ReservationVerdict, SoftRequest

LANES: Final = 2
"""Statements that run side by side: while one waits for its commit, the next is put together and sent."""
MOST: Final = 128
"""Requests in one statement."""
TRIES: Final = 3
"""How often a request that others crowded out is tried together with others, before it goes alone."""


class ReservationQueue:
    """Takes soft reservations for a process, many in one statement when many wait."""

    def __init__(self, engine: AsyncEngine, *, lanes: int = LANES, most: int = MOST) -> None:
        self._engine = reading(engine)
        self._lanes = lanes
        self._most = most
        self._waiting: deque[tuple[SoftRequest, asyncio.Future[ReservationVerdict]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, request: SoftRequest) -> ReservationVerdict:
        """Hold the request's units, whole or not at all; never answers CROWDED.

        Raises what the database says of this request; nothing of it was taken then, unless the connection died, and
        the same id asked again tells.
        """
        for _ in range(TRIES):
            verdict = await self._in_a_group(request)
            if verdict is not ReservationVerdict.CROWDED:
                return verdict
        verdict = await self._alone(request)
        # Alone in its statement there is nobody to be crowded out by.
        return ReservationVerdict.REFUSED if verdict is ReservationVerdict.CROWDED else verdict

    async def _in_a_group(self, request: SoftRequest) -> ReservationVerdict:
        answer: asyncio.Future[ReservationVerdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if len(self._running) < self._lanes:
            self._running.add(asyncio.create_task(self._serve()))
        return await answer

    async def _serve(self) -> None:
        try:
            while self._waiting:
                # Callers whose answers just came ask again in this turn of the loop: let them join.
                await asyncio.sleep(0)
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
                group = [(request, answer) for request, answer in group if not answer.done()]
                if group:
                    await self._answer(group)
        finally:
            # In the same moment in which nobody was found waiting: a callback would run after those who ask now.
            self._running -= {asyncio.current_task()}

    async def _answer(self, group: list[tuple[SoftRequest, asyncio.Future[ReservationVerdict]]]) -> None:
        try:
            verdicts = await self._together([request for request, _ in group])
        except DBAPIError as error:
            if len(group) == 1 or is_unavailable(error):
                _fail(group, error)
            else:
                for one in group:
                    await self._answer([one])
        except BaseException as error:
            _fail(group, error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, answer), verdict in zip(group, verdicts, strict=True):
                if not answer.done():
                    answer.set_result(verdict)

    async def _together(self, requests: list[SoftRequest]) -> list[ReservationVerdict]:
        async with self._engine.connect() as connection:
            return await soft.take(connection, requests)

    async def _alone(self, request: SoftRequest) -> ReservationVerdict:
        return (await self._together([request]))[0]


def _fail(group: list[tuple[SoftRequest, asyncio.Future[ReservationVerdict]]], error: BaseException) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
