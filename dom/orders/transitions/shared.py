"""What the decisions about an order's units share: how work goes on, ends, and loses units."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

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
)
from dom.orders.events import CancelledData, EventKind, FulfilmentData
from dom.orders.lifecycle import CancelledUnits, FulfilmentState, OrderState
from dom.orders.status import FulfilmentStatus, NodeReason
from dom.shared.access import OFL
from dom.shared.errors import NotFound

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
_TO_PACK_ANEW: Final = frozenset({_S.PACKED, _S.BOOKED})


def message_key(fulfilment_id: str, status: FulfilmentStatus) -> str:
    """The key of the messages of a fulfilment's step."""
    return f"{fulfilment_id}:{status}"


def fulfilment_of(state: OrderState, fulfilment_id: str) -> FulfilmentState:
    found = state.fulfilments.get(fulfilment_id)
    if found is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}")
    return found


def listed_units(fulfilment: FulfilmentState) -> dict[str, int]:
    return {line_id: quantity for line_id, quantity in fulfilment.lines.items() if quantity}


def step_key(fulfilment: FulfilmentState, what: str) -> str:
    return f"{fulfilment.id}:{fulfilment.steps + 1}:{what}"


def step_event(
    fulfilment: FulfilmentState, status: FulfilmentStatus, actor: str, reason: str, at: datetime
) -> OrderEvent:
    data = FulfilmentData(fulfilment_id=fulfilment.id)
    return OrderEvent(events.of_status(status), step_key(fulfilment, status), actor, at, reason, data)


def with_found(
    event: OrderEvent, found: Mapping[str, int] | None, missing: Mapping[str, int], why: NodeReason | None
) -> OrderEvent:
    """The event with the units that the node found, those it did not, and what is wrong with these."""
    said = {"found": None if found is None else dict(found), "missing": dict(missing) or None, "reason_code": why}
    return replace(event, data=event.data.model_copy(update=said))


def notified(fulfilment: FulfilmentState, status: FulfilmentStatus) -> tuple[Notification, ...]:
    if status not in TOLD:
        return ()
    return (Notification(TOLD[status], message_key(fulfilment.id, status), {"fulfilment_id": fulfilment.id}),)


def advance(
    fulfilment: FulfilmentState, status: FulfilmentStatus, actor: str, reason: str, at: datetime
) -> OrderChange:
    """A step on the way to the customer."""
    return OrderChange(
        event=step_event(fulfilment, status, actor, reason, at),
        statuses=(StatusMove(fulfilment.id, status, reason),),
        stock=(ConsumeStock(fulfilment.id),) if status in _LEAVES_THE_NODE else (),
        notifications=notified(fulfilment, status),
        step_of=fulfilment.id,
    )


def rejected(
    fulfilment: FulfilmentState,
    actor: str,
    reason: str,
    at: datetime,
    missing: Mapping[str, int],
    why: NodeReason | None = None,
) -> OrderChange:
    """The node cannot do the work, because something is wrong with the `missing` units or for another reason."""
    event = with_found(step_event(fulfilment, _S.REJECTED, actor, reason, at), None, missing, why)
    there = {line_id: n - missing.get(line_id, 0) for line_id, n in listed_units(fulfilment).items()}
    stock: list[StockEffect] = []
    if missing:
        stock.append(cannot_be_sold(fulfilment, missing, why))
    if any(there.values()) or not missing:
        units = {line_id: n for line_id, n in there.items() if n}
        key = step_key(fulfilment, "rejected")
        stock.append(ReleaseStock(fulfilment.id, units, key, reason or "rejected by the node"))
    return OrderChange(
        event=event,
        moved=(
            *(MovedUnits(line_id, n, fulfilment.id, WAITING) for line_id, n in missing.items()),
            *(MovedUnits(line_id, n, fulfilment.id, WAITING, stay_listed=True) for line_id, n in there.items() if n),
        ),
        statuses=(StatusMove(fulfilment.id, _S.REJECTED, reason),),
        stock=(*stock, GiveDayBack(fulfilment.id)),
        step_of=fulfilment.id,
    )


def cannot_be_sold(fulfilment: FulfilmentState, units: Mapping[str, int], why: NodeReason | None) -> ReleaseStock:
    """Units that the node did not find, or found damaged."""
    what = "damaged" if why is NodeReason.DAMAGED else "short pick"
    wrong = why or NodeReason.NOT_FOUND
    return ReleaseStock(fulfilment.id, dict(units), step_key(fulfilment, "short"), what, wrong)


def taken_out(state: OrderState, units: Sequence[CancelledUnits], target: str, event: OrderEvent) -> OrderChange:
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


def cancellation_key(number: int) -> str:
    """The key of the messages of an order's cancellation."""
    return f"cancelled:{number}"


def cancelled(state: OrderState, units: Sequence[CancelledUnits], actor: str, reason: str, at: datetime) -> OrderChange:
    """Units are not to be sent any more, and the customer is told."""
    by_line: defaultdict[str, int] = defaultdict(int)
    for part in units:
        by_line[part.line_id] += part.quantity
    key = cancellation_key(state.cancellations + 1)
    event = OrderEvent(EventKind.CANCELLED, key, actor, at, reason, CancelledData(lines=dict(by_line)))
    context = {"lines": dict(by_line), "reason": reason, "gave_up": actor == OFL}
    return replace(
        taken_out(state, units, CANCELLED, event),
        notifications=(Notification(MessageKind.CANCELLED, key, context),),
        is_cancellation=True,
    )


def recalled(change: OrderChange, works: Sequence[FulfilmentState], reason: str) -> OrderChange:
    """The change, and work that no node has begun is taken back: its units wait, to be sourced again."""
    units = [(work, line_id, quantity) for work in works for line_id, quantity in listed_units(work).items()]
    given_back: list[StockEffect] = []
    for work in works:
        given_back += [
            ReleaseStock(work.id, listed_units(work), f"{work.id}:recalled", reason),
            GiveDayBack(work.id),
        ]
    return replace(
        change,
        moved=(
            *change.moved,
            *[MovedUnits(line_id, quantity, work.id, WAITING, stay_listed=True) for work, line_id, quantity in units],
        ),
        statuses=(*change.statuses, *[StatusMove(work.id, _S.RECALLED, reason) for work in works]),
        stock=(*change.stock, *given_back),
    )
