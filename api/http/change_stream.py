"""One reader of the log of changes for everybody who listens in this process.

The tail reads what is new and keeps the last batches; listeners take them from there, each at its own pace, and what a
channel may be promised is looked up once a batch and channel. A listener that was away for longer reads on its own
until it has caught up. While nobody listens the tail rests.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sse_starlette.sse import AppStatus

from store.availability import changes
from store.availability.changes import Changed, Changes, News
from store.database.uninterrupted import uninterrupted
from store.ledger import cursors
from store.ledger.cursors import Cursor
from store.network.reference import ReferenceCache

SKUS: Final = 500
"""SKUs of one batch."""
_KEPT: Final = 256
"""Batches kept for listeners that are a little behind."""
_SHARE: Final = 10
"""One caller has this part of the places at most: others are to be told too."""
_REST: Final = 1.0
"""Seconds until the next look while the database is away."""

_log = structlog.get_logger("api.http.change_stream")


class FullError(Exception):
    """As many listen as may, in all or of this caller."""


@dataclass(frozen=True, slots=True)
class ChangesRead:
    """What a listener hears at once, and the cursor it stands at then."""

    news: list[News]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class _Batch:
    before: Cursor
    after: Cursor
    skus: tuple[Changed, ...]
    looked_up: dict[str | None, asyncio.Task[list[News]]] = field(default_factory=dict)


class Tail:
    """What listeners share. `most` may listen at once, a tenth of them for one caller; `every` seconds lie between two
    looks at the log.
    """

    def __init__(self, reads: AsyncEngine, cache: ReferenceCache, most: int, every: float = 0.25) -> None:
        self._reads = reads
        self._cache = cache
        self._most = most
        self._every = every
        self._listeners: Counter[str] = Counter()
        self._reading: asyncio.Task[None] | None = None
        self._position = cursors.START
        self._kept: deque[_Batch] = deque(maxlen=_KEPT)
        self._moved = asyncio.Event()
        self._closed = False

    @asynccontextmanager
    async def listening(self, caller: str) -> AsyncIterator[None]:
        """The tail reads while the block runs. Raises FullError."""
        if self._listeners.total() >= self._most or self._listeners[caller] >= max(self._most // _SHARE, 1):
            raise FullError
        self._listeners[caller] += 1
        try:
            if self._reading is None:
                self._kept.clear()
                self._position = cursors.START  # nobody is told anything by the tail before it has begun
                self._reading = asyncio.create_task(self._read_on())
            yield
        finally:
            self._listeners -= Counter({caller: 1})
            if not self._listeners and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    async def follow(self, channel: str | None, after: Cursor, beat: float) -> AsyncIterator[ChangesRead]:
        """What changed after the cursor, as it changes, and nothing every `beat` seconds in which nothing does; ends
        when the process stops. For a block of `listening`.
        """
        while not self._closed:
            moved, position = self._moved, self._position
            if batch := self._batch_at(after):
                after = batch.after
                yield ChangesRead(await self._news(batch, channel), after)
            elif after < position or position == cursors.START:
                told = await self.read(channel, after, SKUS)
                if told.news:
                    after = told.cursor
                    yield told
                elif position != cursors.START:
                    after = position
                elif not await _within(beat, moved):
                    yield ChangesRead([], after)
            elif not await _within(beat, moved):
                yield ChangesRead([], after)

    async def read(self, channel: str | None, after: Cursor, limit: int) -> ChangesRead:
        """What changed after the cursor, of at most `limit` SKUs, without waiting."""
        return await uninterrupted(self._read(channel, after, limit))

    async def wait_and_read(self, channel: str | None, after: Cursor, limit: int, seconds: float) -> ChangesRead:
        """The same; where nothing has changed yet it waits for it. For a block of `listening`."""
        try:
            async with asyncio.timeout(seconds):
                while not self._closed:
                    moved = self._moved
                    told = await self.read(channel, after, limit)
                    if told.news:
                        return told
                    await moved.wait()
        except TimeoutError:
            pass
        return ChangesRead([], after)

    async def close(self) -> None:
        """Nobody is told anything more: those who listen end."""
        self._let_go()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _let_go(self) -> None:
        self._closed = True
        self._move()

    async def _read(self, channel: str | None, after: Cursor, limit: int) -> ChangesRead:
        async with self._reads.connect() as connection:
            found = await changes.read(connection, after, limit)
            return ChangesRead(await changes.now(connection, self._cache, channel, found.skus), found.cursor)

    async def _read_on(self) -> None:
        started = more = False
        while not self._closed:
            try:
                if not started:
                    self._position, started = await uninterrupted(self._end()), True
                    self._move()
                more = self._keep(await uninterrupted(self._next()))
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("cannot read changes", error=str(error))
                await asyncio.sleep(_REST)
            if AppStatus.should_exit:
                self._let_go()
            if not more:
                await asyncio.sleep(self._every)

    async def _end(self) -> Cursor:
        async with self._reads.connect() as connection:
            return await cursors.end(connection)

    async def _next(self) -> Changes:
        async with self._reads.connect() as connection:
            return await changes.read(connection, self._position, SKUS)

    def _keep(self, found: Changes) -> bool:
        if found.skus:
            self._kept.append(_Batch(self._position, found.cursor, found.skus))
            self._position = found.cursor
            self._move()
        return found.more

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _batch_at(self, place: Cursor) -> _Batch | None:
        """The kept batch that tells what comes after this place."""
        if not self._kept or place < self._kept[0].before or place >= self._kept[-1].after:
            return None
        return next(batch for batch in reversed(self._kept) if batch.before <= place)

    async def _news(self, batch: _Batch, channel: str | None) -> list[News]:
        if (task := batch.looked_up.get(channel)) is None:
            task = batch.looked_up[channel] = asyncio.create_task(self._look_up(batch, channel))
        try:
            return await asyncio.shield(task)
        except (SQLAlchemyError, OSError, TimeoutError):
            batch.looked_up.pop(channel, None)  # whoever comes next asks again
            raise

    async def _look_up(self, batch: _Batch, channel: str | None) -> list[News]:
        async with self._reads.connect() as connection:
            return await changes.now(connection, self._cache, channel, batch.skus)


async def _within(seconds: float, moved: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await moved.wait()
    except TimeoutError:
        return False
