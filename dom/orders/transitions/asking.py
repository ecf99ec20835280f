"""What an answer to a request for a cancellation changes, and what ends a request without one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from dom.exceptions import ExceptionKind
from dom.orders.asked import AskedOf, CancellationEnd, CancellationStatus, EndedCancellation, OpenCancellation
from dom.orders.changes import OrderChange, OrderEvent, Trouble
from dom.orders.commands import AnswerCancellation
from dom.orders.events import CancellationData, EventKind
from dom.orders.lifecycle import CancelledUnits, OrderState
from dom.orders.status import ARRIVED, BEFORE_HAND_OVER, SOURCED_ANEW, FulfilmentStatus
from dom.orders.transitions.shared import cancelled, fulfilment_of
from dom.shared.access import PROCESSES, TIMEOUT
from dom.shared.errors import NotFound, StepNotPossible

_C = CancellationStatus
_KINDS: Final = {
    _C.GRANTED: EventKind.CANCELLATION_GRANTED,
    _C.REFUSED: EventKind.CANCELLATION_REFUSED,
    _C.EXPIRED: EventKind.CANCELLATION_EXPIRED,
    _C.WITHDRAWN: EventKind.CANCELLATION_WITHDRAWN,
}
_WORDS: Final = {
    CancellationEnd.NO_ANSWER: "its node did not answer in time",
    CancellationEnd.HANDED_OVER: "the carrier had the parcel first",
    CancellationEnd.COLLECTED: "the customer collected the goods first",
    CancellationEnd.DELIVERED: "the carrier delivered the parcel",
    CancellationEnd.INTERCEPT_FAILED: "the carrier does not bring the parcel back",
}
_AT_CARRIER: Final = {
    FulfilmentStatus.RETURNED: (_C.GRANTED, CancellationEnd.CAME_BACK),
    FulfilmentStatus.DELIVERED: (_C.REFUSED, CancellationEnd.DELIVERED),
    FulfilmentStatus.READY: (_C.REFUSED, CancellationEnd.DELIVERED),
}
"""How a request to a carrier ends where its parcel comes to that status; `ready` is what it brought to a store."""


def answer_cancellation(state: OrderState, command: AnswerCancellation) -> OrderChange:
    asked = state.asked.get(command.request_id)
    if asked is None:
        raise NotFound(f"no cancellation request {command.request_id} is open")
    by_time = command.actor == TIMEOUT
    at_carrier = asked.asked_of is AskedOf.CARRIER
    if (asked.asked_of is not command.asked_of and not by_time) or (at_carrier and command.answer is _C.GRANTED):
        raise StepNotPossible(f"{asked.id} is asked of the {asked.asked_of}", data={"asked_of": asked.asked_of})
    end = CancellationEnd.NO_ANSWER if by_time else CancellationEnd.INTERCEPT_FAILED if at_carrier else None
    ended = EndedCancellation(asked.id, command.answer, end, command.reason)
    if command.answer is _C.GRANTED:
        return _granted(state, asked, ended, _in_work(state, asked), command.actor, command.at)
    return _ended(state, asked, ended, command.actor, command.at)


def settled(state: OrderState, at: datetime) -> OrderChange | None:
    """What follows for a request from where the units are that it asks for; None if all can still be answered."""
    for asked in state.asked.values():
        status = fulfilment_of(state, asked.fulfilment_id).status
        if status in SOURCED_ANEW:
            units = _waiting(state, asked)
            if units:
                why = CancellationEnd.LOST if status is FulfilmentStatus.LOST else CancellationEnd.NODE_GAVE_UP
                return _granted(state, asked, EndedCancellation(asked.id, _C.GRANTED, why), units, PROCESSES, at)
        if not _can_be_answered(state, asked, status):
            return _ended(state, asked, _overtaken(asked, status), PROCESSES, at)
    return None


def _can_be_answered(state: OrderState, asked: OpenCancellation, status: FulfilmentStatus) -> bool:
    if asked.asked_of is AskedOf.CARRIER:
        return status is FulfilmentStatus.HANDED_OVER
    return status in BEFORE_HAND_OVER and bool(_in_work(state, asked))


def _overtaken(asked: OpenCancellation, status: FulfilmentStatus) -> EndedCancellation:
    if asked.asked_of is AskedOf.CARRIER and status in _AT_CARRIER:
        return EndedCancellation(asked.id, *_AT_CARRIER[status])
    if status is FulfilmentStatus.COLLECTED:
        return EndedCancellation(asked.id, _C.REFUSED, CancellationEnd.COLLECTED)
    if status is FulfilmentStatus.HANDED_OVER or status in ARRIVED:
        return EndedCancellation(asked.id, _C.REFUSED, CancellationEnd.HANDED_OVER)
    return EndedCancellation(asked.id, _C.WITHDRAWN, CancellationEnd.CANCELLED_OTHERWISE)


def _in_work(state: OrderState, asked: OpenCancellation) -> list[CancelledUnits]:
    """The units asked for that are still in the work: some may have been cancelled otherwise."""
    lines = fulfilment_of(state, asked.fulfilment_id).lines
    units = {line_id: min(n, lines.get(line_id, 0)) for line_id, n in asked.units.items()}
    return [CancelledUnits(line_id, n, asked.fulfilment_id) for line_id, n in units.items() if n]


def _waiting(state: OrderState, asked: OpenCancellation) -> list[CancelledUnits]:
    units = {line_id: min(n, state.lines[line_id].backordered) for line_id, n in asked.units.items()}
    return [CancelledUnits(line_id, n, None) for line_id, n in units.items() if n]


def _granted(
    state: OrderState,
    asked: OpenCancellation,
    ended: EndedCancellation,
    units: Sequence[CancelledUnits],
    actor: str,
    at: datetime,
) -> OrderChange:
    change = cancelled(state, units, actor, asked.reason, at)
    data = change.event.data.model_copy(update={"cancellation_request": asked.id, "end": ended.end})
    return replace(change, event=replace(change.event, data=data), ended=(ended,))


def _ended(
    state: OrderState, asked: OpenCancellation, ended: EndedCancellation, actor: str, at: datetime
) -> OrderChange:
    data = CancellationData(
        cancellation_request=asked.id,
        fulfilment_id=asked.fulfilment_id,
        lines=dict(asked.units),
        end=ended.end,
    )
    event = OrderEvent(_KINDS[ended.status], f"{asked.id}:{ended.status}", actor, at, ended.reply, data)
    troubles = () if ended.status in {_C.WITHDRAWN, _C.GRANTED} else (_trouble(state, asked, ended),)
    return OrderChange(event=event, ended=(ended,), troubles=troubles)


def _trouble(state: OrderState, asked: OpenCancellation, ended: EndedCancellation) -> Trouble:
    node_id = fulfilment_of(state, asked.fulfilment_id).place
    why = _WORDS.get(ended.end, "") if ended.end else ended.reply or "its node does not say why"
    return Trouble(
        ExceptionKind.CANCELLATION_NOT_GRANTED,
        f"{asked.id}:not granted",
        f"{asked.id}, of {asked.fulfilment_id} at {node_id}, was not granted: {why}",
        {
            "cancellation_request": asked.id,
            "fulfilment_id": asked.fulfilment_id,
            "node_id": node_id,
            "status": ended.status,
            "lines": dict(asked.units),
        },
    )
