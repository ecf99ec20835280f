"""What a node's answer to a request for a cancellation changes, and what ends a request without one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from dom.exceptions import ExceptionKind
from dom.orders.asked import CancellationEnd, CancellationStatus, EndedCancellation, OpenCancellation
from dom.orders.changes import OrderChange, OrderEvent, Trouble
from dom.orders.commands import AnswerCancellation
from dom.orders.events import CancellationData, EventKind
from dom.orders.lifecycle import CancelledUnits, OrderState
from dom.orders.status import ARRIVED, BEFORE_HAND_OVER, SOURCED_ANEW, FulfilmentStatus
from dom.orders.transitions.shared import cancelled, fulfilment_of
from dom.shared.access import PROCESSES, TIMEOUT
from dom.shared.errors import NotFound

_C = CancellationStatus
_KINDS: Final = {
    _C.REFUSED: EventKind.CANCELLATION_REFUSED,
    _C.EXPIRED: EventKind.CANCELLATION_EXPIRED,
    _C.WITHDRAWN: EventKind.CANCELLATION_WITHDRAWN,
}
_WORDS: Final = {
    CancellationEnd.NO_ANSWER: "its node did not answer in time",
    CancellationEnd.HANDED_OVER: "the carrier had the parcel first",
    CancellationEnd.COLLECTED: "the customer collected the goods first",
}


def answer_cancellation(state: OrderState, command: AnswerCancellation) -> OrderChange:
    asked = state.asked.get(command.request_id)
    if asked is None:
        raise NotFound(f"no cancellation request {command.request_id} is open")
    end = CancellationEnd.NO_ANSWER if command.actor == TIMEOUT else None
    ended = EndedCancellation(asked.id, command.answer, end, command.reason)
    if command.answer is _C.GRANTED:
        return _granted(state, asked, ended, _in_work(state, asked), command.actor, command.at)
    return _not_granted(state, asked, ended, command.actor, command.at)


def settled(state: OrderState, at: datetime) -> OrderChange | None:
    """What follows for a request from where the units are that it asks for; None if all can still be answered."""
    for asked in state.asked.values():
        status = fulfilment_of(state, asked.fulfilment_id).status
        if status in SOURCED_ANEW:
            units = _waiting(state, asked)
            if units:
                ended = EndedCancellation(asked.id, _C.GRANTED, CancellationEnd.NODE_GAVE_UP)
                return _granted(state, asked, ended, units, PROCESSES, at)
        if status in BEFORE_HAND_OVER and _in_work(state, asked):
            continue
        return _not_granted(state, asked, _overtaken(asked, status), PROCESSES, at)
    return None


def _overtaken(asked: OpenCancellation, status: FulfilmentStatus) -> EndedCancellation:
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


def _not_granted(
    state: OrderState, asked: OpenCancellation, ended: EndedCancellation, actor: str, at: datetime
) -> OrderChange:
    data = CancellationData(
        cancellation_request=asked.id,
        fulfilment_id=asked.fulfilment_id,
        lines=dict(asked.units),
        end=ended.end,
    )
    event = OrderEvent(_KINDS[ended.status], f"{asked.id}:{ended.status}", actor, at, ended.reply, data)
    troubles = () if ended.status is _C.WITHDRAWN else (_trouble(state, asked, ended),)
    return OrderChange(event=event, ended=(ended,), troubles=troubles)


def _trouble(state: OrderState, asked: OpenCancellation, ended: EndedCancellation) -> Trouble:
    node_id = fulfilment_of(state, asked.fulfilment_id).node_id
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
