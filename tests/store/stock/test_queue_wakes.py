"""Whoever asks the queue for a reservation is answered, in whatever moment he asks."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.stock.grouped import ReservationQueue
from store.stock.soft import ReservationVerdict, SoftRequest, SoftUnits

REQUEST = SoftRequest("s1", "web", "cart-1", "cart", 600, (SoftUnits("dc-leeds", "A", 1),))


class Instant(ReservationQueue):
    """Statements that take as many turns of the event loop as told."""

    turns = 0

    async def _together(self, requests: list[SoftRequest]) -> list[ReservationVerdict]:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        return [ReservationVerdict.TAKEN] * len(requests)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("callers", [1, 2, 3, 5])
async def test_a_caller_who_asks_in_the_moment_the_last_lane_ends_is_served(
    world: AsyncEngine, callers: int, turns: int
) -> None:
    queue = Instant(world, lanes=2)
    queue.turns = turns

    async def ask() -> None:
        for number in range(200):
            await queue.take(REQUEST)
            for _ in range(number % 5):
                await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await asyncio.gather(*(ask() for _ in range(callers)))
