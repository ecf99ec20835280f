"""What changes where a node sends goods with a carrier of its own."""

from dataclasses import replace
from typing import Final

from dom.orders.changes import OrderChange, OwnShipment
from dom.orders.commands import ShipByOwnCarrier
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.lifecycle import OrderState
from dom.orders.status import UNBEGUN, FulfilmentStatus
from dom.orders.transitions.shared import advance, fulfilment_of
from dom.shared import ids
from dom.shared.errors import StepNotPossible

_S = FulfilmentStatus
_FROM: Final = frozenset({_S.RELEASED, _S.ACCEPTED, _S.PICKED})
"""From packing on a carrier of ours is booked."""


def ship(state: OrderState, command: ShipByOwnCarrier) -> OrderChange:
    work = fulfilment_of(state, command.fulfilment_id)
    if work.pickup or work.status not in _FROM:
        what = "is collected by the customer" if work.pickup else f"is {work.status}"
        raise StepNotPossible(f"{work.id} {what}; it cannot be sent so", data={"status": work.status})
    if work.status in UNBEGUN:
        must_not_block(state.holds.values(), BlockedStep.RELEASE, f"the work on {work.id}")
    must_not_block(state.holds.values(), BlockedStep.HAND_OVER, f"the hand-over of {work.id}")
    change = advance(work, _S.HANDED_OVER, command.actor, command.reason, command.at)
    told = {"carrier": command.carrier, "tracking_number": command.tracking_number}
    return replace(
        change,
        event=replace(change.event, data=change.event.data.model_copy(update=told)),
        sent=shipment_of(command),
    )


def shipment_of(command: ShipByOwnCarrier) -> OwnShipment:
    """What was sent."""
    return OwnShipment(
        id=ids.own_shipment_id(command.fulfilment_id),
        fulfilment_id=command.fulfilment_id,
        carrier=command.carrier,
        tracking_number=command.tracking_number,
        parcels=command.parcels,
    )
