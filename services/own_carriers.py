"""Suppliers send goods with carriers of their own, which nobody books."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.network import NodeKind
from dom.orders.commands import ShipByOwnCarrier
from dom.orders.lifecycle import OrderState, is_repeat
from dom.orders.status import FulfilmentStep
from dom.orders.transitions.own_carrier import shipment_of
from dom.shared import ids
from dom.shared.errors import NotFound, StepNotPossible
from services.change_orders import OrderChanged, Writing, answered_before, carry_out
from store.delivery import shipments
from store.fulfilment import fulfilments
from store.orders import state as order_state


async def ship(engine: AsyncEngine, command: ShipByOwnCarrier, writing: Writing) -> OrderChanged:
    """Write down that a supplier sent its work, in one transaction; the same said again changes nothing. Raises
    NotFound for work that is not in its node's work list, Conflict for a tracking number that another shipment has, and
    StepNotPossible where the node is no supplier, and as the command says.
    """
    async with engine.begin() as connection:
        if not await fulfilments.lock_at_the_node(connection, command.fulfilment_id):
            raise NotFound(f"there is no fulfilment {command.fulfilment_id}")
        kind = await fulfilments.kind_of_node(connection, command.fulfilment_id)
        if kind != NodeKind.SUPPLIER:
            detail = f"{command.fulfilment_id} is at a {kind}: its carrier is booked once it is packed"
            raise StepNotPossible(detail, data={"kind": kind})
        state = await order_state.read(connection, ids.order_of(command.fulfilment_id))
        before = await answered_before(connection, state, command)
        if before is None and await _says_the_same(connection, state, command):
            before = OrderChanged(state, {}, repeated=True)
        return before or await carry_out(connection, state, command, writing)


async def _says_the_same(connection: AsyncConnection, state: OrderState, command: ShipByOwnCarrier) -> bool:
    """Whether it left already, with this carrier, under this number, in as many parcels."""
    work = state.fulfilments[command.fulfilment_id]
    left = is_repeat(work.status, FulfilmentStep.HAND_OVER, brought=work.brought)
    return left and await shipments.was_sent(connection, shipment_of(command))
