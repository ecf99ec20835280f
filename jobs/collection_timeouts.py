"""Reminds customers of goods that are ready, and cancels what they did not collect in time."""

from datetime import datetime

from dom.sourcing.policy.document import Policy
from jobs.by_policy import JobByPolicy
from services import collecting


class CollectionTimeouts(JobByPolicy):
    """Goods that wait for their customer. How long, the policy said when they became ready."""

    name = "collection_timeouts"
    done = "customers reminded of goods that wait, or goods not collected in time"

    async def look(self, policy: Policy, now: datetime) -> int:  # noqa: ARG002  it stands with the goods
        """Deal with all goods whose time is over, and with reminders that are due; answers how many."""
        return await collecting.look(self.engine, now, self.writing)
