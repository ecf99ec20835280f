"""Units that were taken out of work at a node become a fulfilment of their own there, as that work is."""

from collections.abc import Mapping

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.commands import MergeWork, SplitWork
from dom.orders.lifecycle import OrderState
from dom.shared.errors import StepNotPossible
from store import stock
from store.fulfilment import fulfilments
from store.orders import orders
from store.stock.firm import Reserved


async def give(
    connection: AsyncConnection,
    state: OrderState,
    alike: RowMapping,
    lines: Mapping[str, int],
    made: str,
    command: SplitWork | MergeWork,
) -> None:
    """Units by line that wait, and whose stock is free in this transaction, become the fulfilment `made`: by node, day,
    service and promise as `alike` was when it was read. It takes a place of its own in the node's day. Raises
    StepNotPossible where that is full.
    """
    order_id, node_id, units = state.order_id, alike["node_id"], dict(sorted(lines.items()))
    moves = [orders.UnitMove(line_id, backordered=-count) for line_id, count in units.items()]
    await orders.move_units(connection, order_id, moves)
    skus = {line_id: state.lines[line_id].sku for line_id in units}
    await fulfilments.write_alike(connection, alike, made, units, skus)
    reserved = [Reserved(made, line_id, node_id, skus[line_id], count) for line_id, count in units.items()]
    owned: dict[tuple[str, str], int] = {}
    for unit in reserved:
        owned[unit.node_id, unit.sku] = owned.get((unit.node_id, unit.sku), 0) + unit.quantity
    channel = await orders.channel_of(connection, order_id)
    day = stock.WorkDay(node_id, alike["ship_day"], alike["method"])
    try:
        await stock.reserve(connection, order_id, channel, reserved, [day], command.at, owned)
    except stock.OutOfReach as full:
        where = f"{node_id} has no place left on {alike['ship_day']}"
        raise StepNotPossible(f"{alike['id']} stays as it is: {where}", data={"node_id": node_id}) from full
