"""What staff says of a parcel: lost, delivered, to be sent once more. It does what the carrier's report would do."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders import transitions
from dom.orders.commands import CountAsDelivered, MoveParcel, Reship
from dom.orders.status import FulfilmentStatus
from dom.shared.errors import StepNotPossible
from services.change_orders import OrderChanged, Writing, answered_before, carry_out, locked_with, write
from store import returns

_S = FulfilmentStatus


async def mark(connection: AsyncConnection, command: MoveParcel | Reship, writing: Writing) -> OrderChanged:
    """Carry it out, in this transaction; said again it changes nothing. That a parcel is lost or delivered which its
    node has not handed over implies the hand-over. A lost one that is delivered counts as arrived: what replaces it is
    taken back, also from nodes that have begun on it.

    Raises NotFound, Conflict for a request that stands for another one, and StepNotPossible for a parcel that is
    elsewhere, whose replacement cannot be taken back, or that came back and was refunded.
    """
    state, work = await locked_with(connection, command.fulfilment_id)
    repeated = await answered_before(connection, state, command)
    if repeated is not None:
        return repeated
    if isinstance(command, Reship):
        refunded = await returns.parcel_is_refunded(connection, work.id)
        return await carry_out(connection, state, command.model_copy(update={"refunded": refunded}), writing)
    if work.pickup:
        raise StepNotPossible(f"{work.id} is collected by the customer, and no carrier has it")
    if work.status is _S.LOST and command.status is _S.DELIVERED:
        return await carry_out(connection, state, _arrived(command), writing)
    if work.status is _S.BOOKED and command.status is not _S.HANDED_OVER:
        change = transitions.decide(state, command.model_copy(update={"status": _S.HANDED_OVER, "request": None}))
        state = await write(connection, state, change, writing)
    return await carry_out(connection, state, command, writing)


def _arrived(command: MoveParcel) -> CountAsDelivered:
    return CountAsDelivered(
        fulfilment_id=command.fulfilment_id,
        actor=command.actor,
        at=command.at,
        reason=command.reason or "it arrived after all",
        begun=True,
        request=command.request,
        request_hash=command.request_hash,
    )
