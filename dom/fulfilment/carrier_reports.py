"""What a carrier's report of a parcel means for the fulfilment whose parcel it is."""

from datetime import datetime
from typing import Final, Literal

from dom.orders.commands import CountAsDelivered, MoveParcel
from dom.orders.lifecycle import PROGRESS, FulfilmentState
from dom.orders.status import (
    BEFORE_HAND_OVER,
    CARRIER_MILESTONES,
    COMES_BACK,
    CarrierEventKind,
    FulfilmentStatus,
    FulfilmentStep,
)
from dom.shared import ids
from dom.shared.base import Value

_S = FulfilmentStatus

CARRIED: Final = frozenset({_S.BOOKED, _S.HANDED_OVER, _S.DELIVERED, _S.LOST, _S.RETURNED})
"""Statuses in which the fulfilment's last booking stands. In all others it has none, or one that is taken back; but
that of goods that came to a store stands, whatever became of them there (`booking_stands`).
"""

NEEDS_BOOKING: Final = CARRIED | {_S.PACKED}
"""Statuses in which the booking of the last packing stands or is wanted. Once a booking is not, it never is again."""

LEFT: Final = frozenset({_S.HANDED_OVER, _S.DELIVERED, _S.COLLECTED, _S.LOST, _S.RETURNED})
"""Statuses in which the goods left the node as far as the books know: its balance does not count them any more."""

_REPORTED: Final = "reported by the carrier"
_REASONS: Final = {
    CarrierEventKind.REFUSED: "who was to get it did not take it",
    CarrierEventKind.INTERCEPTED: "intercepted by the carrier",
}

GOODS_LEAVE: Final = frozenset({FulfilmentStep.HAND_OVER, FulfilmentStep.COLLECT})
"""Steps of a node after which the goods are not on its shelves."""


def booking_stands(fulfilment: FulfilmentState) -> bool:
    """Whether the fulfilment's last booking stands."""
    return fulfilment.status in CARRIED or fulfilment.came


def needs_booking(fulfilment: FulfilmentState) -> bool:
    """Whether the booking of its last packing stands or is wanted."""
    return fulfilment.status in NEEDS_BOOKING or fulfilment.came


class ParcelReport(Value):
    """What a carrier says of a fulfilment's parcel: of which booking (`shipment_id`), under its own `event_id`.

    Both are None in what was told before bookings were told apart; such a scan on the way counts for nothing.
    """

    verb: Literal["heard_of_parcel"] = "heard_of_parcel"
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

    @property
    def names_no_booking(self) -> bool:
        """Whether it is a scan on the way of nobody knows which booking."""
        return self.kind not in CARRIER_MILESTONES and self.shipment_id is None

    def is_of_the_last_booking(self, fulfilment: FulfilmentState) -> bool:
        """Whether it is of the booking that stands. That of a shipment named for another fulfilment, which carries
        this one too, the store has looked up before it was handed on.
        """
        if self.shipment_id is None or self.shipment_id.rpartition("-B")[0] != fulfilment.id:
            return True
        return booking_stands(fulfilment) and self.shipment_id == ids.booking_key(fulfilment.id, fulfilment.packings)

    def moves_to(self, status: FulfilmentStatus, reason: str) -> MoveParcel:
        """The command that takes the parcel there."""
        return MoveParcel(
            fulfilment_id=self.fulfilment_id,
            status=status,
            actor=self.actor,
            at=self.at,
            reason=reason,
            request=self.request,
        )

    def means(self, status: FulfilmentStatus) -> MoveParcel | CountAsDelivered | None:
        """What it asks of the order while the fulfilment stands there; None for a scan on the way."""
        target = CARRIER_MILESTONES.get(self.kind)
        if target is None:
            return None
        if status is _S.LOST and target is _S.DELIVERED and self.shipment_id is not None:
            return CountAsDelivered(
                fulfilment_id=self.fulfilment_id,
                actor=self.actor,
                at=self.at,
                reason="it arrived after all",
                request=self.request,
            )
        return self.moves_to(target, "" if target is _S.DELIVERED else _REASONS.get(self.kind, _REPORTED))


def is_known(fulfilment: FulfilmentState, kind: CarrierEventKind) -> bool:
    """Whether a report of the booking that stands says nothing new.

    A scan on the way says that the carrier has the parcel, which is news of one that is not handed over yet, and of
    one that is lost. Of goods that came to a store, that they were delivered is known as well.
    """
    if fulfilment.came:
        return kind not in CARRIER_MILESTONES or kind is CarrierEventKind.DELIVERED
    return _is_known_of(fulfilment.status, kind)


def _is_known_of(status: FulfilmentStatus, kind: CarrierEventKind) -> bool:
    if kind in CARRIER_MILESTONES:
        return status is CARRIER_MILESTONES[kind]
    return status is _S.RETURNED or PROGRESS.get(status, -1) >= PROGRESS[_S.HANDED_OVER]


def concerns(status: FulfilmentStatus, kind: CarrierEventKind, *, after_its_loss: bool) -> bool:
    """Whether the order has to hear of a report of the booking that stands. `after_its_loss`: the scan was made later
    than the shipment was lost; scans made before often come in late, and say nothing.
    """
    if kind in CARRIER_MILESTONES or kind is CarrierEventKind.INTERCEPT_FAILED or after_its_loss:
        return True
    return status in BEFORE_HAND_OVER or (status is not _S.LOST and not _is_known_of(status, kind))


def fact(kind: CarrierEventKind) -> str:
    """What a report says, as far as it is told apart: every scan on the way says that the carrier has the parcel, and
    goods that come back come back for whatever reason.
    """
    if kind in COMES_BACK:
        return CarrierEventKind.RETURNED_TO_SENDER
    return kind if kind in CARRIER_MILESTONES else "seen"


def on_hand(status: FulfilmentStatus, report: str, *, stands: bool) -> str:
    """What a report out of turn says of the node's balance: "too high" (it counts units that left), "too low" (it does
    not count units that are back) or "unchanged". `stands`: the booking reported of is the fulfilment's present one.
    """
    left = stands and status in LEFT
    back = report in COMES_BACK
    on_the_way = report in set(CarrierEventKind) or report in GOODS_LEAVE
    if left:
        return "too low" if back else "unchanged"
    return "too high" if on_the_way and not back else "unchanged"
