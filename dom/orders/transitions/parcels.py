"""What a carrier's booking, and what it says of a parcel, changes."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dom.exceptions import ExceptionKind
from dom.orders.changes import CANCELLED, WAITING, MovedUnits, OrderChange, OrderEvent, StatusMove, Trouble
from dom.orders.commands import BookCarrierRefused, CarrierBooked, CountAsDelivered, MoveParcel, Reship
from dom.orders.event_data import ReshippedData
from dom.orders.events import CarrierBookedData, EventKind
from dom.orders.holds import BlockedStep, blocking
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import ENDED_UNDELIVERED, FulfilmentStatus
from dom.orders.transitions.collecting import came_to_store
from dom.orders.transitions.shared import (
    NEEDS_A_PERSON,
    advance,
    fulfilment_of,
    listed_units,
    message_key,
    notified,
    rejected,
    step_event,
    taken_out,
)
from dom.shared import ids
from dom.shared.errors import StepNotPossible

_S = FulfilmentStatus
_PARCEL_FROM: Final[Mapping[FulfilmentStatus, FulfilmentStatus]] = {
    _S.HANDED_OVER: _S.BOOKED,
    _S.DELIVERED: _S.HANDED_OVER,
    _S.LOST: _S.HANDED_OVER,
    _S.RETURNED: _S.HANDED_OVER,
}
"""Where a parcel must be for its carrier to report it there."""


def carrier_booked(state: OrderState, command: CarrierBooked) -> OrderChange:
    fulfilment = fulfilment_of(state, command.fulfilment_id)
    booked = fulfilment.status is _S.PACKED and command.is_needed
    return OrderChange(
        event=OrderEvent(
            EventKind.CARRIER_BOOKED,
            command.shipment_id,
            f"carrier:{command.carrier}",
            command.at,
            "",
            CarrierBookedData(
                fulfilment_id=fulfilment.id,
                tracking_number=command.tracking_number,
                price=command.price,
                currency=command.currency,
            ),
        ),
        statuses=(StatusMove(fulfilment.id, _S.BOOKED),) if booked else (),
    )


def booking_refused(state: OrderState, command: BookCarrierRefused) -> OrderChange:
    fulfilment = fulfilment_of(state, command.fulfilment_id)
    if fulfilment.status is not _S.PACKED or fulfilment.packings != command.attempt:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}; the booking is not waited for")
    trouble = Trouble(
        ExceptionKind.BOOKING_REFUSED,
        f"{fulfilment.id}:{command.attempt}:booking refused",
        f"{fulfilment.id} was packed at {fulfilment.node_id}, and its carrier refused it: {command.reason}",
        _about(state, fulfilment),
    )
    return replace(rejected(fulfilment, "carrier", command.reason, command.at, {}), troubles=(trouble,))


def parcel_moved(state: OrderState, command: MoveParcel) -> OrderChange:
    fulfilment, status = fulfilment_of(state, command.fulfilment_id), command.status
    must_go_to_a_store(fulfilment, command)
    if fulfilment.status is not _PARCEL_FROM[status]:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}; it cannot be {status}")
    if status is _S.DELIVERED and fulfilment.brought:
        return came_to_store(fulfilment, command)
    change = advance(fulfilment, status, command.actor, command.reason, command.at)
    if status is _S.HANDED_OVER and state.blocked(BlockedStep.HAND_OVER):
        return replace(change, troubles=(_sent_on_hold(state, fulfilment),))
    if status not in ENDED_UNDELIVERED:
        return change
    target = WAITING if status is _S.LOST else CANCELLED
    units = listed_units(fulfilment)
    return replace(
        change,
        moved=tuple(MovedUnits(i, n, fulfilment.id, target, stay_listed=True) for i, n in units.items()),
        troubles=(_parcel_in_trouble(state, fulfilment, status, command.reason),),
    )


def must_go_to_a_store(fulfilment: FulfilmentState, command: MoveParcel) -> None:
    """Raises StepNotPossible where a store is said to have received goods that no carrier brings to a store."""
    if command.at_store and not fulfilment.brought:
        about = {"status": fulfilment.status}
        raise StepNotPossible(f"no carrier brings {fulfilment.id} to a store for its customer", data=about)


def _sent_on_hold(state: OrderState, fulfilment: FulfilmentState) -> Trouble:
    holds = {hold.id: hold.type for hold in blocking(state.holds.values(), BlockedStep.HAND_OVER)}
    return Trouble(
        ExceptionKind.SENT_ON_HOLD,
        f"{fulfilment.id}:on hold",
        f"the carrier has {fulfilment.id}, and the order is on hold ({', '.join(sorted(holds.values()))})",
        {"fulfilment_id": fulfilment.id, "node_id": fulfilment.node_id, "holds": holds},
    )


def _parcel_in_trouble(state: OrderState, fulfilment: FulfilmentState, status: FulfilmentStatus, why: str) -> Trouble:
    # The goods of a parcel that comes back come in by a return, and are booked in by nobody else.
    back = {"fulfilment_id": fulfilment.id, "return_id": ids.return_id(state.order_id, fulfilment.id)}
    return Trouble(
        NEEDS_A_PERSON[status],
        message_key(fulfilment.id, status),
        f"{fulfilment.id} is {status}: {why or 'reported by the carrier'}",
        back if status is _S.RETURNED else _about(state, fulfilment),
    )


def _about(state: OrderState, fulfilment: FulfilmentState) -> dict[str, object]:
    """What a parcel is, for programs."""
    units: defaultdict[str, int] = defaultdict(int)
    for line_id, quantity in listed_units(fulfilment).items():
        units[state.lines[line_id].sku] += quantity
    return {"fulfilment_id": fulfilment.id, "node_id": fulfilment.node_id, "units": dict(units)}


def arrived(state: OrderState, command: CountAsDelivered) -> OrderChange:
    """A lost parcel reached the customer, or the store where he collects it: what was to replace it is not sent, as far
    as that is possible.
    """
    fulfilment = fulfilment_of(state, command.fulfilment_id)
    if fulfilment.status is not _S.LOST:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}, not lost", data={"status": fulfilment.status})
    if fulfilment.comes_back:
        about = {"status": fulfilment.status}
        raise StepNotPossible(f"{fulfilment.id} was lost, and its carrier brings it back", data=about)
    units = state.plan_arrival(fulfilment.id, begun=command.begun)
    if units is None:
        others = {f.id: f.status for f in state.living}
        raise StepNotPossible(f"not all that replaces {fulfilment.id} can be taken back", data={"living": others})
    came = came_to_store(fulfilment, command) if fulfilment.brought else None
    status = _S.DELIVERED if came is None else _S.READY
    event = step_event(fulfilment, status, command.actor, command.reason, command.at) if came is None else came.event
    waited = {part.line_id: part.quantity for part in units if part.fulfilment_id is None}
    change = taken_out(state, units, fulfilment.id, event)
    taken = {"taken_back": dict(change.unlisted), "waited": waited}
    made = replace(
        change,
        event=replace(event, data=event.data.model_copy(update=taken)),
        statuses=(*change.statuses, StatusMove(fulfilment.id, status)),
        notifications=notified(fulfilment, status),
        step_of=fulfilment.id,
    )
    return made if came is None else replace(made, stock=(*made.stock, *came.stock), waits=came.waits)


def reship(state: OrderState, command: Reship) -> OrderChange:
    fulfilment = fulfilment_of(state, command.fulfilment_id)
    if fulfilment.status is not _S.RETURNED:
        said = {_S.LOST: "lost, and its units are sourced again by themselves"}
        status = said.get(fulfilment.status, str(fulfilment.status))
        raise StepNotPossible(
            f"{fulfilment.id} is {status}; what came back can be sent once more", data={"status": fulfilment.status}
        )
    if fulfilment.reshipped:
        raise StepNotPossible(f"what came back of {fulfilment.id} was sent once more before")
    if command.refunded:
        raise StepNotPossible(f"what came back of {fulfilment.id} was refunded; it is not sent once more")
    units = listed_units(fulfilment)
    data = ReshippedData(fulfilment_id=fulfilment.id, lines=units)
    key = f"reshipped:{fulfilment.id}"
    return OrderChange(
        event=OrderEvent(EventKind.RESHIPPED, key, command.actor, command.at, command.reason, data),
        moved=tuple(MovedUnits(line_id, quantity, CANCELLED, WAITING) for line_id, quantity in units.items()),
        reshipped=fulfilment.id,
    )
