"""Takes unbegun work away from nodes that cannot do it any more, and puts begun work there before a person.

A node that was switched off, or does not offer any more what the work needs, would keep it for good: nobody works
there. One whose calendar changed cannot do it on its day, and the promise is not kept. The work is rejected in the
node's name, and the order's process sources it anew.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services import unable_nodes as use_cases
from services.change_orders import Writing
from services.clock import utc_now
from store.database import reference_version
from store.database.engine import reading
from store.fulfilment import unable_nodes


class Retiring:
    """Looks when nodes changed, and `everything_every` seconds in any case: work may have been planned meanwhile.

    `webhooks`: a webhook is to be told what the customer is told.
    """

    name: Final = "retiring_nodes"

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        every: float = 1.0,
        everything_every: float = 30.0,
        now: Callable[[], datetime] = utc_now,
        webhooks: bool = False,
    ) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self.every = every
        self._everything_every = everything_every
        self._everything_at = 0.0
        self._seen_version: int | None = None
        self._now = now
        self._writing = Writing(webhook=webhooks, notify=True)

    async def run(self) -> bool:
        """One look takes all there is. After one that took work away the next comes soon: it may be planned there again
        by who does not know of the change yet.
        """
        async with self._reads.connect() as connection:
            version = await reference_version.version(connection)
        now = asyncio.get_running_loop().time()
        if version == self._seen_version and now < self._everything_at:
            return False
        taken = await self._take_away()
        await use_cases.put_before_a_person(self._engine, self._now())
        self._seen_version = version
        self._everything_at = now + (self.every if taken else self._everything_every)
        return False

    async def _take_away(self) -> bool:
        """Take all unbegun work away; answers whether there was any."""
        after, taken = "", False
        async with self._reads.connect() as connection:
            at = await unable_nodes.moment(connection, self._now())
        while True:
            async with self._reads.connect() as connection:
                found = await unable_nodes.unbegun(connection, at, after)
            if not found:
                return taken
            after, taken = found[-1].fulfilment_id, True
            for work in found:
                await use_cases.take_away(self._engine, work, self._now(), self._writing)
