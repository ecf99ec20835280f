"""What an order's process asks of the order, and reads of it. The use cases are in `services.order_process`."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from temporalio import activity

from activities.defects import step
from dom.fulfilment.carrier_reports import ParcelReport
from dom.orders.commands import Command, TakeNodeStep
from dom.orders.views import Heeded, OrderAfter, OrderView
from dom.shared.base import Value
from services import order_process
from services.database import Database


class ChangeOrder(Value):
    """Carry a command to an order out. It has a request of its own, so that it is carried out once.

    `answered`: somebody waits for the answer.
    """

    order_id: str
    command: Command
    answered: bool = False


class HeedReport(Value):
    """Somebody reported what happened, and cannot be answered."""

    order_id: str
    report: Annotated[TakeNodeStep | ParcelReport, Field(discriminator="verb")]


class ReadOrder(Value):
    """Read how an order stands; `revision` is that of the order which its process knows."""

    order_id: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Changing:
    """Orders, changed and read."""

    database: Database

    @activity.defn(name="change_order")
    async def change_order(self, request: ChangeOrder) -> OrderAfter:
        """Carry the command out. Errors: what stands in its way, as the commands say."""
        async with step(self.database, request.order_id, request.order_id, answered=request.answered):
            return await order_process.change(self.database, request.order_id, request.command)

    @activity.defn(name="heed_report")
    async def heed_report(self, request: HeedReport) -> Heeded:
        """Carry out what a report means, or put it before a person. Errors: not-found."""
        async with step(self.database, request.order_id, request.order_id):
            return await order_process.heed(self.database, request.order_id, request.report)

    @activity.defn(name="read_order")
    async def read_order(self, request: ReadOrder) -> OrderView | None:
        """The order as it stands; None if the store does not hold it."""
        async with step(self.database, request.order_id, request.order_id):
            return await order_process.read(self.database, request.order_id, request.revision)
