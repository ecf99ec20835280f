"""Work that no node has begun is merged: two fulfilments of one node become one."""

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import MergeWork
from dom.orders.transitions.merging import ShippingTerms, must_go_together, together
from dom.shared import ids
from services.change_orders import OrderChanged, Writing, answered_before, locked_with, write
from services.own_fulfilment import give
from store.fulfilment import fulfilments
from store.orders import orders
from store.orders import state as order_state


async def merge(connection: AsyncConnection, command: MergeWork, writing: Writing) -> OrderChanged:
    """Merge the work, in this transaction: both are recalled, and the answer's data name what they became (`made`). It
    goes by the day, service and promise of the first, which must be no later than the other's, and takes one place in
    the node's day.

    Raises NotFound, InvalidInput for work with itself, Conflict for a request that stands for another one, and
    StepNotPossible for work that is begun or ended, and for work that cannot go together.
    """
    state, work = await locked_with(connection, command.fulfilment_id)
    repeated = await answered_before(connection, state, command)
    if repeated is not None:
        return repeated
    made = ids.fulfilment_id(state.order_id, await fulfilments.next_number(connection, state.order_id))
    change = transitions.decide(state, command.model_copy(update={"made": made}))
    first, other = [await fulfilments.must_be_there(connection, each) for each in (work.id, command.merged)]
    must_go_together(_terms(first), _terms(other))
    await write(connection, state, change, writing)
    lines = together(work, state.fulfilments[command.merged])
    await give(connection, state, first, lines, made, command)
    after = await order_state.read(connection, state.order_id)
    await orders.set_status(connection, state.order_id, after.status(), command.at)
    return OrderChanged(after, change.event.data.model_dump(mode="json", exclude_none=True))


def _terms(row: RowMapping) -> ShippingTerms:
    return ShippingTerms(row["id"], row["method"], row["carrier"], row["ship_by"], row["promise_latest"])
