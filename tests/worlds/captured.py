"""Orders captured without a process."""

from dom.orders.order import Order
from dom.sourcing.sourced import Sourced
from services.capture import capture
from services.database import Database


async def accept(database: Database, order: Order) -> Sourced:
    """Capture an order; what sourcing gave it."""
    accepted = await capture(database, order)
    assert accepted.sourced is not None
    return accepted.sourced
