"""Deals out what came in to the orders that wait for it.

It follows the ledger: whatever makes units free (goods, a count, a cancellation, a lapsed hold, another rule) stands
there. Now and then it looks at everything that is waited for, for what no entry tells: a preorder's day that came, an
order that was busy, one that did not take its units in time.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services import backorder_allocation
from store import backorders
from store.availability import changes
from store.database.engine import reading
from store.ledger import cursors
from store.ledger.cursors import Cursor

CURSOR: Final = "allocating"
"""The name of the cursor that says how far the ledger has been followed."""
SKUS_AT_ONCE: Final = 100
"""SKUs of one run, and of one transaction."""

_log = structlog.get_logger("jobs")


class Allocating:
    """`every` is the pause between two looks at the ledger, `everything_every` between two looks at all that waits."""

    name: Final = "allocating"

    def __init__(self, engine: AsyncEngine, *, every: float = 0.5, everything_every: float = 60.0) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self.every = every
        self._everything_every = everything_every
        self._everything_at = 0.0
        self._again: set[str] = set()
        self._cursor: Cursor | None = None

    async def run(self) -> bool:
        """Deal out what changed since the last run; the orders are told by the outbox."""
        more = await self._follow()
        if self._again:
            again, self._again = self._again, set()
            await self._deal(sorted(again))
        now = asyncio.get_running_loop().time()
        if now >= self._everything_at:
            await self._look_at_everything()
            self._everything_at = now + self._everything_every
        return more

    async def _follow(self) -> bool:
        async with self._reads.connect() as connection:
            cursor = self._cursor = self._cursor or await cursors.ensure(connection, CURSOR)
            found = await changes.read(connection, cursor, SKUS_AT_ONCE)
            if not found.skus:
                return False
            waited = await backorders.reach(connection, [changed.sku for changed in found.skus])
        if waited:
            await self._deal(waited)
        async with self._reads.connect() as connection:
            moved = await cursors.advance(connection, CURSOR, cursor, found.cursor)
        self._cursor = found.cursor if moved else None  # somebody set it elsewhere: look where it stands
        return found.more

    async def _deal(self, skus: Sequence[str]) -> None:
        async with self._engine.begin() as connection:
            outcome = await backorder_allocation.allocate(connection, skus)
        self._again |= outcome.again
        if outcome.granted:
            _log.info("stock allocated", orders=len(outcome.granted))

    async def _look_at_everything(self) -> None:
        async with self._reads.connect() as connection:
            skus = await backorders.waited_for(connection)
            idle, lacking = await backorders.idle(connection), await backorders.lacking(connection)
        for order_id in idle:
            async with self._engine.begin() as connection:
                await backorders.release_idle(connection, order_id)
        for order_id in lacking:
            async with self._engine.begin() as connection:
                await backorders.extend_allocation(connection, order_id)
        for part in _parts(skus):
            await self._deal(part)


def _parts(skus: Iterable[str]) -> Iterable[list[str]]:
    left = iter(skus)
    while part := list(islice(left, SKUS_AT_ONCE)):
        yield part
