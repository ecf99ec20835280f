"""Ends cancellations that a node was asked for and did not answer in time, as the policy's `cancellations` says."""

from datetime import datetime

from dom.sourcing.policy.document import Policy
from jobs.by_policy import JobByPolicy
from services import cancellation_requests


class CancellationTimeouts(JobByPolicy):
    """Requests that nobody answered."""

    name = "cancellation_timeouts"
    done = "cancellations not answered in time"

    async def look(self, policy: Policy, now: datetime) -> int:
        """End all requests whose time is over; answers how many."""
        return await cancellation_requests.look(self.engine, policy.cancellations, now, self.writing)
