"""Who may listen to changes at once."""

from contextlib import AsyncExitStack

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.http.change_stream import FullError, Tail
from store.database.engine import reading
from store.network.reference import ReferenceCache


async def test_only_so_many_may_listen_whoever_they_are(engine: AsyncEngine) -> None:
    tail = Tail(reading(engine), ReferenceCache(), most=3)
    async with AsyncExitStack() as listening:
        for caller in "abc":
            await listening.enter_async_context(tail.listening(caller))
        for caller in "ad":
            with pytest.raises(FullError):
                await listening.enter_async_context(tail.listening(caller))
    async with tail.listening("d"):
        pass


async def test_one_caller_has_a_tenth_of_the_places(engine: AsyncEngine) -> None:
    tail = Tail(reading(engine), ReferenceCache(), most=20)
    async with AsyncExitStack() as listening:
        for caller in "aab":
            await listening.enter_async_context(tail.listening(caller))
        with pytest.raises(FullError):
            await listening.enter_async_context(tail.listening("a"))
