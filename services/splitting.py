"""Work that no node has begun is split: some of its units become a fulfilment of their own at the same node."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import SplitWork
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.shared import ids
from dom.shared.errors import StepNotPossible
from services.change_orders import OrderChanged, Writing, answered_before, locked_with, write
from store import stock
from store.fulfilment import fulfilments
from store.orders import orders
from store.orders import state as order_state
from store.stock.firm import Reserved


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
    await write(connection, state, change, writing)
    await _give(connection, state, work, command, made)
    after = await order_state.read(connection, state.order_id)
    await orders.set_status(connection, state.order_id, after.status(), command.at)
    return OrderChanged(after, change.event.data.model_dump(mode="json", exclude_none=True))


async def _give(
    connection: AsyncConnection, state: OrderState, work: FulfilmentState, command: SplitWork, made: str
) -> None:
    """The units that were taken out become the new fulfilment's, with their stock."""
    order_id, lines = state.order_id, dict(sorted(command.lines.items()))
    await orders.move_units(
        connection, order_id, [orders.UnitMove(line_id, backordered=-units) for line_id, units in lines.items()]
    )
    skus = {line_id: state.lines[line_id].sku for line_id in lines}
    row = await fulfilments.copy(connection, work.id, made, lines)
    units = [Reserved(made, line_id, work.node_id, skus[line_id], count) for line_id, count in lines.items()]
    owned: dict[tuple[str, str], int] = {}
    for unit in units:
        owned[unit.node_id, unit.sku] = owned.get((unit.node_id, unit.sku), 0) + unit.quantity
    day = stock.WorkDay(work.node_id, row["ship_day"], row["method"])
    channel = await orders.channel_of(connection, order_id)
    try:
        await stock.reserve(connection, order_id, channel, units, [day], command.at, owned)
    except stock.OutOfReach as full:
        where = f"{work.node_id} has no place left on {row['ship_day']}"
        raise StepNotPossible(f"{work.id} cannot be split: {where}", data={"node_id": work.node_id}) from full
