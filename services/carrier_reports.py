"""What a carrier reports of a parcel: it moves the order on, says what is known, or is put before a person."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.fulfilment.carrier_reports import CARRIED, is_known
from dom.orders import transitions
from dom.orders.changes import OrderChange
from dom.orders.commands import CountAsDelivered, MoveParcel
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import CARRIER_MILESTONES, CarrierEventKind, FulfilmentStatus
from dom.shared import ids
from dom.shared.errors import NotFound, StepNotPossible
from services.change_orders import Writing, locked, write
from store.fulfilment import unexpected_reports
from store.orders import timeline

_S = FulfilmentStatus


@dataclass(frozen=True, slots=True)
class ParcelReport:
    """What a carrier says of a fulfilment's parcel: of which booking (`shipment_id`), under its own `event_id`.

    Both are None in what was told before bookings were told apart; such a scan on the way counts for nothing.
    """

    fulfilment_id: str
    kind: CarrierEventKind
    actor: str
    at: datetime
    shipment_id: str | None = None
    event_id: str | None = None

    @property
    def request(self) -> str | None:
        """What tells that the order has heard of it."""
        return f"{self.fulfilment_id}/{self.event_id}" if self.event_id else None


async def heed(connection: AsyncConnection, order_id: str, report: ParcelReport, writing: Writing) -> bool:
    """Carry out what a report means, once. False if it cannot be true: then it is kept, and put before a person.

    Raises NotFound for a parcel of no fulfilment of the order.
    """
    state = await locked(connection, order_id)
    if report.fulfilment_id not in state.fulfilments:
        raise NotFound(f"there is no fulfilment {report.fulfilment_id}")
    if report.request is not None and await timeline.asked_by(connection, order_id, report.request):
        return True
    if _names_no_booking(report):
        return True
    stands = _is_of_the_last_booking(state.fulfilments[report.fulfilment_id], report)
    if stands and state.fulfilments[report.fulfilment_id].status is _S.BOOKED:
        # The carrier has it: the node's hand-over scan was missed or is late.
        handed_over = transitions.decide(state, _moved(report, _S.HANDED_OVER, "seen by the carrier"))
        state = await write(connection, state, handed_over, writing)
    status = state.fulfilments[report.fulfilment_id].status
    if stands and (is_known(status, report.kind) or await _made_before_its_loss(connection, status, order_id, report)):
        return True
    change = _decided(state, _means(status, report)) if stands else None
    if change is None:
        stray = unexpected_reports.UnexpectedReport(
            report.fulfilment_id, report.kind, report.actor, report.at, shipment_id=report.shipment_id
        )
        await unexpected_reports.note(connection, stray)
        return False
    await write(connection, state, change, writing)
    return True


def _decided(state: OrderState, command: MoveParcel | CountAsDelivered | None) -> OrderChange | None:
    """What a report changes; None if it cannot be true."""
    try:
        return None if command is None else transitions.decide(state, command)
    except StepNotPossible:
        return None


def _names_no_booking(report: ParcelReport) -> bool:
    return report.kind not in CARRIER_MILESTONES and report.shipment_id is None


def _is_of_the_last_booking(fulfilment: FulfilmentState, report: ParcelReport) -> bool:
    """Whether the report is of the booking that stands. That of a shipment named for another fulfilment, which carries
    this one too, the store has looked up before we were told.
    """
    if report.shipment_id is None or report.shipment_id.rpartition("-B")[0] != fulfilment.id:
        return True
    return fulfilment.status in CARRIED and report.shipment_id == ids.booking_key(fulfilment.id, fulfilment.packings)


async def _made_before_its_loss(
    connection: AsyncConnection, status: FulfilmentStatus, order_id: str, report: ParcelReport
) -> bool:
    """Whether a scan on the way was made before the parcel was lost: it comes in late, and says nothing."""
    if status is not _S.LOST or report.kind in CARRIER_MILESTONES:
        return False
    lost_at = await timeline.happened_at(connection, order_id, f"fulfilment_{_S.LOST}", report.fulfilment_id)
    return lost_at is not None and report.at <= lost_at


def _means(status: FulfilmentStatus, report: ParcelReport) -> MoveParcel | CountAsDelivered | None:
    target = CARRIER_MILESTONES.get(report.kind)
    if target is None:
        return None
    if status is _S.LOST and target is _S.DELIVERED and report.shipment_id is not None:
        return CountAsDelivered(
            fulfilment_id=report.fulfilment_id,
            actor=report.actor,
            at=report.at,
            reason="it arrived after all",
            request=report.request,
        )
    return _moved(report, target, "" if target is _S.DELIVERED else "reported by the carrier")


def _moved(report: ParcelReport, status: FulfilmentStatus, reason: str) -> MoveParcel:
    return MoveParcel(
        fulfilment_id=report.fulfilment_id,
        status=status,
        actor=report.actor,
        at=report.at,
        reason=reason,
        request=report.request,
    )
