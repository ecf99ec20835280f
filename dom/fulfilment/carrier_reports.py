"""What a carrier's report of a parcel means for the fulfilment whose parcel it is."""

from typing import Final

from dom.orders.lifecycle import PROGRESS
from dom.orders.status import BEFORE_HAND_OVER, CARRIER_MILESTONES, CarrierEventKind, FulfilmentStatus, FulfilmentStep

_S = FulfilmentStatus

CARRIED: Final = frozenset({_S.BOOKED, _S.HANDED_OVER, _S.DELIVERED, _S.LOST, _S.RETURNED})
"""Statuses in which the fulfilment's last booking stands. In all others it has none, or one that is taken back."""

NEEDS_BOOKING: Final = CARRIED | {_S.PACKED}
"""Statuses in which the booking of the last packing stands or is wanted. Once a booking is not, it never is again."""

LEFT: Final = frozenset({_S.HANDED_OVER, _S.DELIVERED, _S.COLLECTED, _S.LOST, _S.RETURNED})
"""Statuses in which the goods left the node as far as the books know: its balance does not count them any more."""

GOODS_LEAVE: Final = frozenset({FulfilmentStep.HAND_OVER, FulfilmentStep.COLLECT})
"""Steps of a node after which the goods are not on its shelves."""


def is_known(status: FulfilmentStatus, kind: CarrierEventKind) -> bool:
    """Whether a report of the booking that stands says nothing new.

    A scan on the way says that the carrier has the parcel, which is news of one that is not handed over yet, and of
    one that is lost.
    """
    if kind in CARRIER_MILESTONES:
        return status is CARRIER_MILESTONES[kind]
    return status is _S.RETURNED or PROGRESS.get(status, -1) >= PROGRESS[_S.HANDED_OVER]


def concerns(status: FulfilmentStatus, kind: CarrierEventKind, *, after_its_loss: bool) -> bool:
    """Whether the order has to hear of a report of the booking that stands. `after_its_loss`: the scan was made later
    than the shipment was lost; scans made before often come in late, and say nothing.
    """
    if kind in CARRIER_MILESTONES or after_its_loss:
        return True
    return status in BEFORE_HAND_OVER or (status is not _S.LOST and not is_known(status, kind))


def fact(kind: CarrierEventKind) -> str:
    """What a report says, as far as it is told apart: every scan on the way says that the carrier has the parcel."""
    return kind if kind in CARRIER_MILESTONES else "seen"


def on_hand(status: FulfilmentStatus, report: str, *, stands: bool) -> str:
    """What a report out of turn says of the node's balance: "too high" (it counts units that left), "too low" (it does
    not count units that are back) or "unchanged". `stands`: the booking reported of is the fulfilment's present one.
    """
    left = stands and status in LEFT
    back = report == CarrierEventKind.RETURNED_TO_SENDER
    on_the_way = report in set(CarrierEventKind) or report in GOODS_LEAVE
    if left:
        return "too low" if back else "unchanged"
    return "too high" if on_the_way and not back else "unchanged"
