"""What the parts of an order's process need of the order itself."""

from typing import Protocol

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dom.orders.commands import Command
    from dom.orders.views import FulfilmentView, OrderAfter


class OrderProcess(Protocol):
    """What the parts of an order need of it."""

    order_id: str

    def fulfilment(self, fulfilment_id: str) -> FulfilmentView | None:
        """A fulfilment as it stood when the store was last read."""

    async def change(self, place: int, command: Command, summary: str) -> OrderAfter:
        """Have the store decide and write a command. Raises its refusal."""

    async def read_again(self, place: int) -> None:
        """Read from the store how the order stands."""
