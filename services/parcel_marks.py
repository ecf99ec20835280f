"""What staff says of a parcel: lost, delivered, received at the store, to be sent once more. It does what the carrier's
report would do.
"""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders import transitions
from dom.orders.commands import CountAsDelivered, MoveParcel, Reship
from dom.orders.status import FINAL_FULFILMENT, CarrierEventKind, FulfilmentStatus
from dom.orders.transitions.parcels import must_go_to_a_store
from dom.shared.errors import StepNotPossible
from services.change_orders import OrderChanged, Writing, answered_before, carry_out, locked_with, write
from store import returns
from store.fulfilment import fulfilments, unexpected_reports
from store.fulfilment.unexpected_reports import UnexpectedReport

_S = FulfilmentStatus


async def receive_at_store(engine: AsyncEngine, command: MoveParcel, writing: Writing) -> OrderChanged:
    """The store has what a carrier brings it, whatever the carrier says of it; as `mark`. Of goods that came though
    they count as lost, cancelled or sent back, and that cannot be taken in any more, a person hears.
    """
    try:
        async with engine.begin() as connection:
            return await mark(connection, command, writing)
    except StepNotPossible:
        async with engine.begin() as connection:
            row = await fulfilments.get(connection, command.fulfilment_id)
            if row is not None and row["pickup_node"] and FulfilmentStatus(row["status"]) in FINAL_FULFILMENT:
                said = CarrierEventKind.DELIVERED
                report = UnexpectedReport(command.fulfilment_id, said, command.actor, command.at)
                await unexpected_reports.note(connection, report)
        raise


async def mark(connection: AsyncConnection, command: MoveParcel | Reship, writing: Writing) -> OrderChanged:
    """Carry it out, in this transaction; said again it changes nothing. That a parcel is lost or delivered which its
    node has not handed over implies the hand-over. A lost one that is delivered counts as arrived: what replaces it is
    taken back, also from nodes that have begun on it; not from those where a store says so, as for the carrier.

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
    must_go_to_a_store(work, command)
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
        begun=not command.at_store,
        request=command.request,
        request_hash=command.request_hash,
    )
