"""Work that no node has begun is merged: two fulfilments of one node become one."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import MergeWork
from dom.orders.lifecycle import OrderState
from dom.orders.transitions.merging import together
from dom.shared import ids
from dom.shared.errors import NotFound, StepNotPossible
from services.change_orders import OrderChanged, Writing, answered_before, locked_with, write
from store import stock
from store.fulfilment import fulfilments
from store.orders import orders
from store.orders import state as order_state
from store.stock.firm import Reserved

_ALIKE: Final = {"method": "by another service", "carrier": "by another carrier"}
_NO_LATER: Final = {"ship_by": "leaves later", "promise_latest": "is promised later"}


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
    first, other = [await _row(connection, each) for each in (work.id, command.merged)]
    _must_go_together(first, other)
    await fulfilments.copy(connection, work.id, made, {})  # as the first is before it is recalled
    await write(connection, state, change, writing)
    await _give(connection, state, first, together(work, state.fulfilments[command.merged]), made, command)
    after = await order_state.read(connection, state.order_id)
    await orders.set_status(connection, state.order_id, after.status(), command.at)
    return OrderChanged(after, change.event.data.model_dump(mode="json", exclude_none=True))


async def _row(connection: AsyncConnection, fulfilment_id: str) -> RowMapping:
    row = await fulfilments.get(connection, fulfilment_id)
    if row is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}")
    return row


def _must_go_together(first: RowMapping, other: RowMapping) -> None:
    """Raises StepNotPossible for what goes otherwise, or where goods of the other work would come later."""
    for field, words in _ALIKE.items():
        if first[field] != other[field]:
            raise StepNotPossible(f"{other['id']} goes {words} than {first['id']}", field="merged")
    for field, words in _NO_LATER.items():
        if first[field] > other[field]:
            raise StepNotPossible(f"{first['id']} {words} than {other['id']}: name {other['id']}", field="merged")


async def _give(
    connection: AsyncConnection,
    state: OrderState,
    first: RowMapping,
    lines: Mapping[str, int],
    made: str,
    command: MergeWork,
) -> None:
    """The units of both become the new fulfilment's, with their stock."""
    order_id, node_id, units = state.order_id, first["node_id"], dict(sorted(lines.items()))
    moves = [orders.UnitMove(line_id, backordered=-count) for line_id, count in units.items()]
    await orders.move_units(connection, order_id, moves)
    skus = {line_id: state.lines[line_id].sku for line_id in units}
    await fulfilments.put_in(connection, made, order_id, units, skus)
    reserved = [Reserved(made, line_id, node_id, skus[line_id], count) for line_id, count in units.items()]
    owned: dict[tuple[str, str], int] = {}
    for unit in reserved:
        owned[unit.node_id, unit.sku] = owned.get((unit.node_id, unit.sku), 0) + unit.quantity
    channel = await orders.channel_of(connection, order_id)
    day = stock.WorkDay(node_id, first["ship_day"], first["method"])
    await stock.reserve(connection, order_id, channel, reserved, [day], command.at, owned)
