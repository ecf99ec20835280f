"""Re-allocation: stock of orders that can wait is given to dearer ones whose promise is in danger.

Who is in danger depends on the time as well as on stock: it looks at all who wait, now and then, while the policy
switches it on.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services import reallocation
from services.clock import utc_now
from services.database import Database

_log = structlog.get_logger("jobs")


class Reallocating:
    """`every` is the pause in seconds between two looks."""

    name: Final = "reallocating"

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        webhooks: bool = False,
        every: float = 60.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = Database(engine=engine, now=now, webhooks=webhooks)
        self.every = every

    async def run(self) -> bool:
        """Make what gains most; what somebody was busy with is tried at the next look."""
        async with self._database.statement() as connection:
            reference = await self._database.reference.now(connection)
        if not reference.policy.reallocation.enabled:
            return False
        done = await reallocation.run(self._database, self._database.now())
        if done.made:
            _log.info("stock re-allocated", orders=len(done.made), gain=sum(each.gain for each in done.made))
        return False
