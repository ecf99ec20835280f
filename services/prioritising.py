"""An order gets another priority for scarce stock, and what it waits for is dealt out by it at once."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.commands import Prioritise
from services import backorder_allocation
from services.change_orders import OrderChanged, Writing, carry_out, locked


async def prioritise(connection: AsyncConnection, order_id: str, command: Prioritise, writing: Writing) -> OrderChanged:
    """Change the order's priority, in this transaction, which has locked no balance yet. What is free of the SKUs that
    it waits for, and what is dealt out anew, then goes by the new places; units that others were given for good stay
    theirs. Raises NotFound, StepNotPossible for an order that is over, and Conflict for a request that stands for
    another one.
    """
    state = await locked(connection, order_id)
    changed = await carry_out(connection, state, command, writing)
    if not changed.repeated:
        await backorder_allocation.allocate(connection, {state.lines[line_id].sku for line_id in state.waiting})
    return changed
