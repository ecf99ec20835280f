"""Work that no node has begun is split: some of its units become a fulfilment of their own at the same node."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import SplitWork
from dom.shared import ids
from services.change_orders import OrderChanged, Writing, answered_before, locked_with, write
from services.own_fulfilment import give
from store.fulfilment import fulfilments
from store.orders import orders
from store.orders import state as order_state


async def split(connection: AsyncConnection, command: SplitWork, writing: Writing) -> OrderChanged:
    """Split the work, in this transaction. The new fulfilment is as the first one is, by the same day and promise; it
    takes a place of its own in the node's day. The answer's data name it (`made`).

    Raises NotFound, InvalidInput for lines that the work does not have, Conflict for a request that stands for another
    one, and StepNotPossible for work that is begun or ended, more units than it has, all of them, and a node whose day
    is full.
    """
    state, work = await locked_with(connection, command.fulfilment_id)
    repeated = await answered_before(connection, state, command)
    if repeated is not None:
        return repeated
    number = await fulfilments.next_number(connection, state.order_id)
    made = ids.fulfilment_id(state.order_id, number)
    change = transitions.decide(state, command.model_copy(update={"made": made}))
    alike = await fulfilments.must_be_there(connection, work.id)
    await write(connection, state, change, writing)
    await give(connection, state, alike, command.lines, made, command)
    after = await order_state.read(connection, state.order_id)
    await orders.set_status(connection, state.order_id, after.status(), command.at)
    return OrderChanged(after, change.event.data.model_dump(mode="json", exclude_none=True))
