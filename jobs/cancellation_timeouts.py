"""Ends cancellations that a node was asked for and did not answer in time, as the policy's `cancellations` says."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services import cancellation_requests
from services.change_orders import Writing
from services.clock import utc_now
from store.database.engine import reading
from store.network.reference import ReferenceCache

_log = structlog.get_logger("jobs")


class CancellationTimeouts:
    """`every` is the pause in seconds between two looks. `webhooks`: a webhook is told what the customer is told."""

    name: Final = "cancellation_timeouts"

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        every: float = 15.0,
        now: Callable[[], datetime] = utc_now,
        webhooks: bool = False,
    ) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self.every = every
        self._now = now
        self._cache = ReferenceCache()
        self._writing = Writing(webhook=webhooks, notify=True)

    async def run(self) -> bool:
        """One look takes all there is."""
        async with self._reads.connect() as connection:
            reference = await self._cache.now(connection)
        policy = reference.policy.cancellations
        ended = await cancellation_requests.look(self._engine, policy, self._now(), self._writing)
        if ended:
            _log.info("cancellations not answered in time", requests=ended)
        return False
