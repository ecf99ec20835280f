"""Many tries on one database, each undone: for property tests of what the store does."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from store.database import engine as database

Try = Callable[[AsyncConnection], Awaitable[None]]
Trial = Callable[[Try], None]


@contextmanager
def trials(url: str) -> Iterator[Trial]:
    """Runs what it is given in a transaction that is rolled back, in an event loop of its own."""
    engine = database.create(url, 1)

    async def once(work: Try) -> None:
        async with engine.connect() as connection:
            await work(connection)

    with asyncio.Runner() as runner:
        yield lambda work: runner.run(once(work))
        runner.run(engine.dispose())
