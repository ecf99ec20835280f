"""What time alone does to a hold."""

from datetime import datetime

from dom.orders.commands import HoldIsOverdue, ReleaseHold
from dom.orders.views import HoldView
from dom.shared.access import EXPIRY


def by_time(hold: HoldView, now: datetime, request: str | None = None) -> ReleaseHold | HoldIsOverdue | None:
    """What is due of a hold: that it ends by itself, or that a person hears of it. None if nothing is due yet."""
    if hold.release_at is not None and hold.release_at <= now:
        return ReleaseHold(hold_id=hold.hold_id, actor=EXPIRY, at=now, reason="its time is over", request=request)
    if hold.overdue_at is not None and hold.overdue_at <= now:
        return HoldIsOverdue(hold_id=hold.hold_id, at=now, request=request)
    return None
