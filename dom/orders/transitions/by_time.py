"""What time alone does to a hold."""

from datetime import datetime

from dom.orders.commands import HoldIsOverdue, ReleaseHold
from dom.orders.views import HoldView
from dom.shared.access import EXPIRY


def by_time(hold: HoldView, now: datetime, asked_by: str) -> ReleaseHold | HoldIsOverdue | None:
    """What is due of a hold: that it ends by itself, or that a person hears of it. None if nothing is due yet.
    Asked again by the same (`asked_by`: a run of the order's process, or a job), it is the same request.
    """
    if hold.release_at is not None and hold.release_at <= now:
        return ReleaseHold(
            hold_id=hold.hold_id,
            actor=EXPIRY,
            at=now,
            reason="its time is over",
            request=f"{asked_by}:released:{hold.hold_id}",
        )
    if hold.overdue_at is not None and hold.overdue_at <= now:
        return HoldIsOverdue(hold_id=hold.hold_id, at=now, request=f"{asked_by}:overdue:{hold.hold_id}")
    return None
