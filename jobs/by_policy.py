"""Jobs that end what time is over for, as the live policy says. They differ in what they look at alone."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.sourcing.policy.document import Policy
from services.change_orders import Writing
from services.clock import utc_now
from store.database.engine import reading
from store.network.reference import ReferenceCache

_log = structlog.get_logger("jobs")


class JobByPolicy(ABC):
    """`every` is the pause in seconds between two looks. `webhooks`: a webhook is told what the customer is told."""

    name: ClassVar[str]
    done: ClassVar[str]
    """What the log says of what was ended."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        every: float = 15.0,
        now: Callable[[], datetime] = utc_now,
        webhooks: bool = False,
    ) -> None:
        self.engine = engine
        self._reads = reading(engine)
        self.every = every
        self._now = now
        self._cache = ReferenceCache()
        self.writing = Writing(webhook=webhooks, notify=True)

    async def run(self) -> bool:
        """One look takes all there is."""
        async with self._reads.connect() as connection:
            reference = await self._cache.now(connection)
        ended = await self.look(reference.policy, self._now())
        if ended:
            _log.info(self.done, ended=ended)
        return False

    @abstractmethod
    async def look(self, policy: Policy, now: datetime) -> int:
        """Deal with all whose time is over; answers how many were ended."""
