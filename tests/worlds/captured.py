"""Orders captured without a process."""

from activities.boundary import Database
from activities.capture import AcceptOrder, Capture
from activities.sourcing import Sourced
from dom.orders.order import Order


async def accept(database: Database, order: Order) -> Sourced:
    """Capture an order; what sourcing gave it."""
    accepted = await Capture(database).accept_order(AcceptOrder(order=order))
    assert accepted.sourced is not None
    return accepted.sourced
