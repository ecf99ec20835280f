"""What may happen to an order's units, decided once: `decide` says what a command changes, `apply` makes the change.

Both are pure. The use case `services.change_orders` decides on what the store holds, under the order's lock, and writes
the change in the same transaction; a preview is a decision that is not written.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from dom.exceptions import ExceptionKind
from dom.notifications.messages import MessageKind
from dom.orders import events
from dom.orders.changes import (
    CANCELLED,
    WAITING,
    ConsumeStock,
    GiveDayBack,
    MovedUnits,
    Notification,
    OrderChange,
    OrderEvent,
    ReleaseStock,
    StatusMove,
    StockEffect,
    Trouble,
)
from dom.orders.commands import (
    BookCarrierRefused,
    CancelRest,
    CancelUnits,
    CarrierBooked,
    Command,
    CountAsDelivered,
    GiveUpWaiting,
    MoveParcel,
    Requested,
    TakeNodeStep,
)
from dom.orders.events import CancelledData, CarrierBookedData, EventKind, FulfilmentData, RequestedData
from dom.orders.lifecycle import CancelledUnits, FulfilmentState, OrderState, after_step, is_repeat
from dom.orders.status import GONE, FulfilmentStatus, FulfilmentStep
from dom.shared.access import OFL
from dom.shared.errors import InvalidInput, NotFound, StepNotPossible

_S = FulfilmentStatus

TOLD: Final[Mapping[FulfilmentStatus, MessageKind]] = {
    _S.HANDED_OVER: MessageKind.SHIPPED,
    _S.READY: MessageKind.READY_FOR_COLLECTION,
    _S.DELIVERED: MessageKind.DELIVERED,
    _S.COLLECTED: MessageKind.DELIVERED,
    _S.RETURNED: MessageKind.RETURNED_TO_SENDER,
}
"""What the customer is told when a fulfilment comes to a status."""

NEEDS_A_PERSON: Final[Mapping[FulfilmentStatus, ExceptionKind]] = {
    _S.LOST: ExceptionKind.PARCEL_LOST,
    _S.RETURNED: ExceptionKind.PARCEL_RETURNED,
}
"""What a person has to look at when a fulfilment comes to a status."""
_LEAVES_THE_NODE: Final = frozenset({_S.HANDED_OVER, _S.COLLECTED})
_PARCEL_FROM: Final[Mapping[FulfilmentStatus, FulfilmentStatus]] = {
    _S.HANDED_OVER: _S.BOOKED,
    _S.DELIVERED: _S.HANDED_OVER,
    _S.LOST: _S.HANDED_OVER,
    _S.RETURNED: _S.HANDED_OVER,
}
"""Where a parcel must be for its carrier to report it there."""
_TO_PACK_ANEW: Final = frozenset({_S.PACKED, _S.BOOKED})
_NOTHING_FOUND: Final = "nothing was found"


def message_key(fulfilment_id: str, status: FulfilmentStatus) -> str:
    """The key of the messages of a fulfilment's step."""
    return f"{fulfilment_id}:{status}"


def cancellation_key(number: int) -> str:
    """The key of the messages of an order's cancellation."""
    return f"cancelled:{number}"


def decide(state: OrderState, command: Command) -> OrderChange:
    """What the command changes. Raises NotFound, StepNotPossible, CannotCancel or InvalidInput, as each command says.

    A command that says what is known already is refused like any other; `is_known` tells it apart.
    """
    change = _DECIDE[type(command)](state, command)
    return replace(change, event=_asked_by(change.event, command))


def _asked_by(event: OrderEvent, command: Requested) -> OrderEvent:
    if command.request is None or not isinstance(event.data, RequestedData):
        return event
    return replace(event, data=event.data.model_copy(update=command.model_dump(include={"request", "request_hash"})))


def is_known(state: OrderState, command: Command) -> bool:
    """Whether the command says what the state holds already, so that it changes nothing."""
    if isinstance(command, TakeNodeStep):
        return is_repeat(_fulfilment(state, command.fulfilment_id).status, command.step)
    if isinstance(command, MoveParcel):
        return _fulfilment(state, command.fulfilment_id).status is command.status
    if isinstance(command, CountAsDelivered):
        return _fulfilment(state, command.fulfilment_id).status is _S.DELIVERED
    return False


def apply(state: OrderState, change: OrderChange) -> OrderState:
    """The order as it is after the change; the state given stays as it is."""
    waiting, cancelled, unlisted = change.waiting, change.cancelled, change.unlisted
    statuses = {move.fulfilment_id: move.status for move in change.statuses}
    lines = {
        line_id: replace(
            line,
            backordered=line.backordered + waiting.get(line_id, 0),
            cancelled=line.cancelled + cancelled.get(line_id, 0),
        )
        for line_id, line in state.lines.items()
    }
    fulfilments = {
        f.id: replace(
            f,
            status=statuses.get(f.id, f.status),
            lines={line_id: n - unlisted.get(f.id, {}).get(line_id, 0) for line_id, n in f.lines.items()},
            steps=f.steps + (f.id == change.step_of),
            packings=f.packings + (statuses.get(f.id) is _S.PACKED),
        )
        for f in state.fulfilments.values()
    }
    return OrderState(state.order_id, lines, fulfilments, state.cancellations + change.is_cancellation)


# --- steps of nodes --------------------------------------------------------------------------------------------------


def _node_step(state: OrderState, command: TakeNodeStep) -> OrderChange:
    fulfilment = _fulfilment(state, command.fulfilment_id)
    if command.if_unbegun and fulfilment.status is not _S.RELEASED:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}; its node has begun")
    target = after_step(fulfilment.status, command.step, pickup=fulfilment.pickup)
    missing = _missing(state, fulfilment, command)
    if missing and sum(missing.values()) == sum(fulfilment.lines.values()):
        return _rejected(fulfilment, command.actor, _NOTHING_FOUND, command.at, missing)
    if target is _S.REJECTED:
        return _rejected(fulfilment, command.actor, command.reason, command.at, {})
    change = _advance(fulfilment, target, command.actor, command.reason, command.at)
    if not missing:
        return change
    return replace(
        change,
        event=_not_all_found(change.event, missing),
        moved=tuple(MovedUnits(line_id, units, fulfilment.id, WAITING) for line_id, units in missing.items()),
        stock=(_not_found(fulfilment, missing), *change.stock),
    )


def _missing(state: OrderState, fulfilment: FulfilmentState, command: TakeNodeStep) -> dict[str, int]:
    """Units a pick did not find; a line the node does not name was not found at all."""
    if command.step is not FulfilmentStep.PICK or command.found is None:
        return {}
    for position, (line_id, units) in enumerate(command.found.items()):
        if line_id not in fulfilment.lines:
            raise InvalidInput(f"there is no line {line_id} to pick", field=f"lines[{position}].line_id")
        if units > state.lines[line_id].quantity:
            raise InvalidInput("more than was to be picked", field=f"lines[{position}].quantity")
        if units > fulfilment.lines[line_id]:  # as it is when some were cancelled meanwhile
            raise StepNotPossible(f"{fulfilment.lines[line_id]} of line {line_id} are to be picked, not {units}")
    short = {line_id: units - command.found.get(line_id, 0) for line_id, units in fulfilment.lines.items()}
    return {line_id: units for line_id, units in short.items() if units > 0}


def _advance(
    fulfilment: FulfilmentState, status: FulfilmentStatus, actor: str, reason: str, at: datetime
) -> OrderChange:
    """A step on the way to the customer."""
    return OrderChange(
        event=_step_event(fulfilment, status, actor, reason, at),
        statuses=(StatusMove(fulfilment.id, status, reason),),
        stock=(ConsumeStock(fulfilment.id),) if status in _LEAVES_THE_NODE else (),
        notifications=_told(fulfilment, status),
        step_of=fulfilment.id,
    )


def _rejected(
    fulfilment: FulfilmentState, actor: str, reason: str, at: datetime, missing: Mapping[str, int]
) -> OrderChange:
    """The node cannot do the work, because it did not find the `missing` units or for another reason."""
    event = _step_event(fulfilment, _S.REJECTED, actor, reason, at)
    if missing:
        event = _not_all_found(event, missing)
    units = _listed(fulfilment)
    let_go = (
        _not_found(fulfilment, missing)
        if missing
        else ReleaseStock(fulfilment.id, units, _key(fulfilment, "rejected"), reason or "rejected by the node")
    )
    return OrderChange(
        event=event,
        moved=tuple(MovedUnits(i, n, fulfilment.id, WAITING, stay_listed=not missing) for i, n in units.items()),
        statuses=(StatusMove(fulfilment.id, _S.REJECTED, reason),),
        stock=(let_go, GiveDayBack(fulfilment.id)),
        step_of=fulfilment.id,
    )


def _not_found(fulfilment: FulfilmentState, missing: Mapping[str, int]) -> ReleaseStock:
    return ReleaseStock(fulfilment.id, dict(missing), _key(fulfilment, "short"), "short pick", not_found=True)


# --- carriers --------------------------------------------------------------------------------------------------------


def _carrier_booked(state: OrderState, command: CarrierBooked) -> OrderChange:
    fulfilment = _fulfilment(state, command.fulfilment_id)
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


def _booking_refused(state: OrderState, command: BookCarrierRefused) -> OrderChange:
    fulfilment = _fulfilment(state, command.fulfilment_id)
    if fulfilment.status is not _S.PACKED or fulfilment.packings != command.attempt:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}; the booking is not waited for")
    return _rejected(fulfilment, "carrier", command.reason, command.at, {})


def _parcel_moved(state: OrderState, command: MoveParcel) -> OrderChange:
    fulfilment, status = _fulfilment(state, command.fulfilment_id), command.status
    if fulfilment.status is not _PARCEL_FROM[status]:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}; it cannot be {status}")
    change = _advance(fulfilment, status, command.actor, command.reason, command.at)
    if status not in GONE:
        return change
    target = WAITING if status is _S.LOST else CANCELLED
    units = _listed(fulfilment)
    return replace(
        change,
        moved=tuple(MovedUnits(i, n, fulfilment.id, target, stay_listed=True) for i, n in units.items()),
        troubles=(_parcel_in_trouble(state, fulfilment, status, command.reason),),
    )


def _parcel_in_trouble(state: OrderState, fulfilment: FulfilmentState, status: FulfilmentStatus, why: str) -> Trouble:
    units: defaultdict[str, int] = defaultdict(int)
    for line_id, quantity in _listed(fulfilment).items():
        units[state.lines[line_id].sku] += quantity
    return Trouble(
        NEEDS_A_PERSON[status],
        message_key(fulfilment.id, status),
        f"{fulfilment.id} is {status}: {why or 'reported by the carrier'}",
        {"fulfilment_id": fulfilment.id, "node_id": fulfilment.node_id, "units": dict(units)},
    )


def _arrived(state: OrderState, command: CountAsDelivered) -> OrderChange:
    """A lost parcel reached the customer: what was to replace it is not sent, as far as that is possible."""
    fulfilment = _fulfilment(state, command.fulfilment_id)
    if fulfilment.status is not _S.LOST:
        raise StepNotPossible(f"{fulfilment.id} is {fulfilment.status}, not lost", data={"status": fulfilment.status})
    units = state.plan_arrival(fulfilment.id, begun=command.begun)
    if units is None:
        others = {f.id: f.status for f in state.living}
        raise StepNotPossible(f"not all that replaces {fulfilment.id} can be taken back", data={"living": others})
    event = _step_event(fulfilment, _S.DELIVERED, command.actor, command.reason, command.at)
    waited = {part.line_id: part.quantity for part in units if part.fulfilment_id is None}
    change = _taken_out(state, units, fulfilment.id, event)
    arrived = FulfilmentData(fulfilment_id=fulfilment.id, taken_back=dict(change.unlisted), waited=waited)
    return replace(
        change,
        event=replace(event, data=arrived),
        statuses=(*change.statuses, StatusMove(fulfilment.id, _S.DELIVERED)),
        notifications=_told(fulfilment, _S.DELIVERED),
        step_of=fulfilment.id,
    )


# --- cancelling ------------------------------------------------------------------------------------------------------


def _cancel_units(state: OrderState, command: CancelUnits) -> OrderChange:
    return _cancelled(state, command, state.plan_cancellation(_asked_units(state, command)))


def _asked_units(state: OrderState, command: CancelUnits) -> dict[str, int] | None:
    if command.lines is None:
        return None
    left = {line.line_id: line.quantity - line.cancelled for line in state.lines.values()}
    return {line_id: left.get(line_id, 0) if units is None else units for line_id, units in command.lines.items()}


def _cancel_rest(state: OrderState, command: CancelRest) -> OrderChange:
    return _cancelled(state, command, state.plan_cancellation(state.cancellable))


def _give_up_waiting(state: OrderState, command: GiveUpWaiting) -> OrderChange:
    units = [CancelledUnits(line_id, quantity, None) for line_id, quantity in state.waiting.items()]
    if not units:
        raise StepNotPossible("no units wait for stock")
    return _cancelled(state, command, units)


def _cancelled(
    state: OrderState, command: CancelUnits | CancelRest | GiveUpWaiting, units: Sequence[CancelledUnits]
) -> OrderChange:
    by_line: defaultdict[str, int] = defaultdict(int)
    for part in units:
        by_line[part.line_id] += part.quantity
    key = cancellation_key(state.cancellations + 1)
    data = CancelledData(lines=dict(by_line))
    event = OrderEvent(EventKind.CANCELLED, key, command.actor, command.at, command.reason, data)
    context = {"lines": dict(by_line), "reason": command.reason, "gave_up": command.actor == OFL}
    return replace(
        _taken_out(state, units, CANCELLED, event),
        notifications=(Notification(MessageKind.CANCELLED, key, context),),
        is_cancellation=True,
    )


def _taken_out(state: OrderState, units: Sequence[CancelledUnits], target: str, event: OrderEvent) -> OrderChange:
    """Units leave waiting and work: work without any ends, and what was packed with others is packed anew."""
    moved = tuple(MovedUnits(part.line_id, part.quantity, part.fulfilment_id or WAITING, target) for part in units)
    change = OrderChange(event=event, moved=moved)
    statuses: list[StatusMove] = []
    stock: list[StockEffect] = []
    for fulfilment_id, lines in sorted(change.unlisted.items()):
        fulfilment = state.fulfilments[fulfilment_id]
        stock.append(ReleaseStock(fulfilment_id, lines, f"{fulfilment_id}:{event.key}", event.reason))
        if sum(lines.values()) == sum(fulfilment.lines.values()):
            statuses.append(StatusMove(fulfilment_id, _S.CANCELLED))
            stock.append(GiveDayBack(fulfilment_id))
        elif fulfilment.status in _TO_PACK_ANEW:
            statuses.append(StatusMove(fulfilment_id, _S.PICKED))
    return replace(change, statuses=tuple(statuses), stock=tuple(stock))


# --- what they share -------------------------------------------------------------------------------------------------


def _fulfilment(state: OrderState, fulfilment_id: str) -> FulfilmentState:
    found = state.fulfilments.get(fulfilment_id)
    if found is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}")
    return found


def _listed(fulfilment: FulfilmentState) -> dict[str, int]:
    return {line_id: quantity for line_id, quantity in fulfilment.lines.items() if quantity}


def _key(fulfilment: FulfilmentState, what: str) -> str:
    return f"{fulfilment.id}:{fulfilment.steps + 1}:{what}"


def _step_event(
    fulfilment: FulfilmentState, status: FulfilmentStatus, actor: str, reason: str, at: datetime
) -> OrderEvent:
    data = FulfilmentData(fulfilment_id=fulfilment.id)
    return OrderEvent(events.of_status(status), _key(fulfilment, status), actor, at, reason, data)


def _not_all_found(event: OrderEvent, missing: Mapping[str, int]) -> OrderEvent:
    """The event of a step, with the units that the node did not find."""
    return replace(event, data=event.data.model_copy(update={"missing": dict(missing)}))


def _told(fulfilment: FulfilmentState, status: FulfilmentStatus) -> tuple[Notification, ...]:
    if status not in TOLD:
        return ()
    return (Notification(TOLD[status], message_key(fulfilment.id, status), {"fulfilment_id": fulfilment.id}),)


_DECIDE: Final[Mapping[type, Callable[[OrderState, Any], OrderChange]]] = {
    TakeNodeStep: _node_step,
    CarrierBooked: _carrier_booked,
    BookCarrierRefused: _booking_refused,
    MoveParcel: _parcel_moved,
    CountAsDelivered: _arrived,
    CancelUnits: _cancel_units,
    CancelRest: _cancel_rest,
    GiveUpWaiting: _give_up_waiting,
}
