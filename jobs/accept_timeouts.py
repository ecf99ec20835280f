"""Takes work from nodes that did not accept it in time, as the policy's `acceptance` says."""

from datetime import datetime

from dom.sourcing.policy.document import Policy
from jobs.by_policy import JobByPolicy
from services import unanswered_work


class AcceptTimeouts(JobByPolicy):
    """Work that no node began in time."""

    name = "accept_timeouts"
    done = "work not accepted in time"

    async def look(self, policy: Policy, now: datetime) -> int:
        """Deal with all work whose time is over; answers how much was taken from its node."""
        return await unanswered_work.look(self.engine, policy.acceptance, now, self.writing)
