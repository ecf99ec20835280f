"""The holds that stand on an order, from its process's side: they end when their time is over, and a person hears of
those that nobody released in time.
"""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dom.orders.transitions.by_time import by_time
    from workflows.activity_calls import REFUSALS
    from workflows.order.stored import StoredOrder, run_id


class OrderHolding:
    """What becomes of the order's holds by time alone."""

    def __init__(self, stored: StoredOrder) -> None:
        self._stored = stored

    def next_at(self) -> datetime | None:
        """When the next of them ends or is overdue; None if time changes nothing."""
        moments = [
            at for hold in self._stored.view.holds for at in (hold.release_at, hold.overdue_at) if at is not None
        ]
        return min(moments, default=None)

    def is_time(self, now: datetime) -> bool:
        """Whether one of them is to be ended, or is overdue."""
        next_at = self.next_at()
        return next_at is not None and next_at <= now

    async def heed_time(self, place: int) -> None:
        """Release what ends by itself, and say what is overdue."""
        for hold in self._stored.view.holds:
            command = by_time(hold, workflow.now(), run_id())
            if command is None:
                continue
            try:
                await self._stored.change(place, command, f"{hold.hold_id} ({hold.type}): its time is over")
            except REFUSALS:  # somebody released it
                await self._stored.read_again(place)
