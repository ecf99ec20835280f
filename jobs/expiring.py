"""Writes down what the clock alone changed: soft reservations that lapsed, preorders whose day has come, and holds of
ended orders.

Availability is right without it. The entries tell those who listen to changes, and wake waiting orders.
"""

import asyncio
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services import holds
from services.change_orders import Writing
from services.clock import utc_now
from store.availability import preorder_releases
from store.database.engine import reading
from store.stock import soft


class Sweeping:
    """What lapsed is heard of within `every` seconds, what is released within `releases_every`."""

    name: Final = "expiring"

    def __init__(
        self, engine: AsyncEngine, *, every: float = 1.0, releases_every: float = 30.0, webhooks: bool = False
    ) -> None:
        self._engine = engine
        self._webhooks = webhooks
        self._reads = reading(engine)
        self.every = every
        self._releases_every = releases_every
        self._releases_at = 0.0

    async def run(self) -> bool:
        """One sweep takes all there is."""
        async with self._reads.connect() as connection:
            is_due = await soft.is_due(connection)
        if is_due:
            async with self._engine.begin() as connection:
                await soft.sweep(connection)
        now = asyncio.get_running_loop().time()
        if now >= self._releases_at:
            async with self._engine.begin() as connection:
                await preorder_releases.announce_due(connection)
            await holds.heed_time(self._engine, utc_now(), Writing(webhook=self._webhooks))
            self._releases_at = now + self._releases_every
        return False
