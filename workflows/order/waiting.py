"""How an order's units wait for stock: how long they are left alone, and when it is enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dom.sourcing.policy.document import FailedNodes
    from dom.sourcing.sourced import Sourced


@dataclass
class Waiting:
    """What the policy said of units without a node, when they were sourced last; `since` is when they began to wait."""

    since: datetime
    cancels: bool = False
    failed_nodes: FailedNodes = FailedNodes.AFTER_OTHER_NEWS
    """What the policy says of nodes that failed the order."""
    _impossible: bool = False
    """Nothing that waits can ever be sent: no stock is waited for."""
    _retry_after: timedelta = timedelta()
    _give_up_after: timedelta = timedelta()
    _released_at: datetime | None = None
    _any_units: bool = False

    def heed(self, sourced: Sourced, now: datetime) -> None:
        """Go by what the last sourcing says."""
        self.cancels, self.failed_nodes = sourced.cancels, sourced.failed_nodes
        self._impossible = bool(sourced.waiting) and not sourced.for_stock
        self._retry_after = timedelta(minutes=sourced.retry_minutes)
        self._give_up_after = timedelta(days=sourced.cancel_after_days)
        span = sourced.release_seconds
        self._released_at = None if span is None else now + timedelta(seconds=span)

    def go_on(self, sourced: Sourced, waited: timedelta, now: datetime) -> None:
        """Go on after earlier runs of the order's process, whose units have waited so long."""
        self.heed(sourced, now)
        self.since = now - waited
        self._any_units = bool(sourced.waiting)

    def patience(self, now: datetime) -> timedelta:
        """How long waiting units are left alone: until it is time to look again, or one of them is released."""
        if self._released_at is None:
            return self._retry_after
        return max(min(self._retry_after, self._released_at - now), timedelta())

    def note(self, now: datetime, *, any_units: bool, begins_anew: bool = False) -> None:
        """Time counts only while units wait, and not while they wait for their release. `begins_anew`: they lost their
        node, and if none waited before, they begin to wait now.
        """
        if not any_units or self._released_at is not None or (begins_anew and not self._any_units):
            self.since = now
        self._any_units = any_units

    def enough(self, now: datetime) -> str | None:
        """Why the waiting units are cancelled now; None if they go on waiting."""
        if self.cancels:
            return "the policy cancels what cannot be sourced"
        if self._released_at is None and now - self.since >= self._give_up_after:
            return "no way to send it was found in time" if self._impossible else "no stock came in time"
        return None
