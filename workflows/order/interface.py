"""What the parts of an order's process need of the order itself."""

from typing import Protocol

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dom.orders.changes import OrderChange
    from dom.orders.lifecycle import OrderState
    from workflows.order.sequence import OneAtATime


class OrderProcess(Protocol):
    """What the parts of an order need of it. Steps that move units are taken one at a time."""

    state: OrderState
    one_at_a_time: OneAtATime

    def committed(self, change: OrderChange) -> None:
        """A change was written: take it over, and act on it."""

    def trouble(self, kind: str, about: str) -> None:
        """Something stands in the exception queue."""

    async def take_in_second_looks(self) -> None:
        """Take in what second looks changed. Called by who holds `one_at_a_time`."""

    def show(self) -> None:
        """Let people see where the order stands."""
