"""What a carrier reports of a parcel: it moves the order on, says what is known, or is put before a person."""

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.fulfilment.carrier_reports import ParcelReport, is_known
from dom.orders import transitions
from dom.orders.asked import AskedOf, CancellationStatus
from dom.orders.changes import OrderChange
from dom.orders.commands import AnswerCancellation, CountAsDelivered, MoveParcel
from dom.orders.lifecycle import OrderState
from dom.orders.status import CARRIER_MILESTONES, COMES_BACK, CarrierEventKind, FulfilmentStatus
from dom.shared.errors import NotFound, StepNotPossible
from services import collection_terms, returned_parcels
from services.change_orders import Writing, locked, write
from store.fulfilment import unexpected_reports
from store.fulfilment.unexpected_reports import UnexpectedReport
from store.orders import timeline

_S = FulfilmentStatus


async def heed(connection: AsyncConnection, order_id: str, report: ParcelReport, writing: Writing) -> bool:
    """Carry out what a report means, once. False if it cannot be true: then it is kept, and put before a person.

    Raises NotFound for a parcel of no fulfilment of the order.
    """
    state = await locked(connection, order_id)
    if report.fulfilment_id not in state.fulfilments:
        raise NotFound(f"there is no fulfilment {report.fulfilment_id}")
    if report.request is not None and await timeline.asked_by(connection, order_id, report.request):
        return True
    if report.names_no_booking:
        return True
    stands = report.is_of_the_last_booking(state.fulfilments[report.fulfilment_id])
    if stands and state.fulfilments[report.fulfilment_id].status is _S.BOOKED:
        # The carrier has it: the node's hand-over scan was missed or is late.
        handed_over = transitions.decide(state, report.moves_to(_S.HANDED_OVER, "seen by the carrier"))
        state = await write(connection, state, handed_over, writing)
    if report.kind is CarrierEventKind.INTERCEPT_FAILED:
        return not stands or await _not_intercepted(connection, state, report, writing)
    work = state.fulfilments[report.fulfilment_id]
    status = work.status
    if stands and (
        is_known(work, report.kind)
        or await _made_before_its_loss(connection, status, order_id, report)
        or await _comes_back_though_lost(connection, state, report, writing)
    ):
        return True
    change = await _decided(connection, state, report.means(status)) if stands else None
    if change is None:
        await unexpected_reports.note(connection, unexpected(report))
        return False
    await write(connection, state, change, writing)
    return True


async def _not_intercepted(
    connection: AsyncConnection, state: OrderState, report: ParcelReport, writing: Writing
) -> bool:
    """The carrier does not bring the parcel back. True also where nobody waits for that any more: it says nothing."""
    for asked in state.asked.values():
        if asked.fulfilment_id == report.fulfilment_id and asked.asked_of is AskedOf.CARRIER:
            command = AnswerCancellation(
                request_id=asked.id,
                answer=CancellationStatus.REFUSED,
                asked_of=AskedOf.CARRIER,
                actor=report.actor,
                at=report.at,
                request=report.request,
            )
            await write(connection, state, transitions.decide(state, command), writing)
            break
    return True


def unexpected(report: ParcelReport) -> UnexpectedReport:
    """It as a report that cannot be true."""
    return UnexpectedReport(report.fulfilment_id, report.kind, report.actor, report.at, shipment_id=report.shipment_id)


async def _decided(
    connection: AsyncConnection, state: OrderState, command: MoveParcel | CountAsDelivered | None
) -> OrderChange | None:
    """What a report changes; None if it cannot be true."""
    if command is None:
        return None
    completed = await collection_terms.completed(connection, state, command)
    try:
        return transitions.decide(state, completed)
    except StepNotPossible:
        return None


async def _comes_back_though_lost(
    connection: AsyncConnection, state: OrderState, report: ParcelReport, writing: Writing
) -> bool:
    """Whether it is of a lost parcel that comes back. Its units were sourced again, so that nothing follows for the
    order; its node gets the goods.
    """
    parcel = state.fulfilments[report.fulfilment_id]
    if parcel.status is not _S.LOST or report.kind not in COMES_BACK:
        return False
    await returned_parcels.expect(connection, state.order_id, parcel, report.actor, report.at, writing.returns_last)
    return True


async def _made_before_its_loss(
    connection: AsyncConnection, status: FulfilmentStatus, order_id: str, report: ParcelReport
) -> bool:
    """Whether a scan on the way was made before the parcel was lost: it comes in late, and says nothing."""
    if status is not _S.LOST or report.kind in CARRIER_MILESTONES:
        return False
    lost_at = await timeline.happened_at(connection, order_id, f"fulfilment_{_S.LOST}", report.fulfilment_id)
    return lost_at is not None and report.at <= lost_at
