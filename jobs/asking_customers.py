"""Asks customers when what was promised comes later, sees to questions that are open, and ends those that nobody
answered in time, as the policy's `slips` says.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services import customer_questions, question_answers
from services.clock import utc_now
from services.database import Database

_log = structlog.get_logger("jobs")


class AskingCustomers:
    """`every` is the pause in seconds between two looks. `can_ask`: links are configured, so that a customer can
    answer; otherwise nobody is asked. `webhooks`: a webhook is told what the customer is told.
    """

    name: Final = "asking_customers"

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        can_ask: bool,
        every: float = 30.0,
        now: Callable[[], datetime] = utc_now,
        webhooks: bool = False,
    ) -> None:
        self._database = Database(engine, now=now, webhooks=webhooks)
        self.every = every
        self._can_ask = can_ask
        self._now = now
        self._said = False

    async def run(self) -> bool:
        """One look takes all there is."""
        if not self._can_ask and not self._said:
            self._said = True
            _log.info("no customer is asked: DOM_LINK_URL and DOM_LINK_SECRET are not both set")
        seen_to = await customer_questions.look(self._database, self._now(), asks=self._can_ask)
        ended = await question_answers.expire(self._database, self._now())
        if seen_to or ended:
            _log.info("customers asked", orders=seen_to, not_answered_in_time=ended)
        return False
