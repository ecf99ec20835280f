"""Capture, for the order's process. The use case is in `services.capture`."""

from dataclasses import dataclass

from temporalio import activity

from activities.defects import step
from dom.orders.order import Correction, Order
from dom.shared.base import Value
from dom.sourcing.sourced import Accepted
from services.capture import capture
from services.database import Database


class AcceptOrder(Value):
    """Take an order in; what was corrected of it goes into its timeline, and `run_id`: the process that took it in."""

    order: Order
    corrections: tuple[Correction, ...] = ()
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """The first thing that happens to an order."""

    database: Database

    @activity.defn(name="accept_order")
    async def accept_order(self, request: AcceptOrder) -> Accepted:
        """Take the order in, once. Errors: order-conflict, unknown-sku, unknown-node, not-available, defect."""
        async with step(self.database, request.order.order_id, request.order.order_id, answered=True):
            return await capture(self.database, request.order, request.corrections, request.run_id)
