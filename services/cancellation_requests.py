"""Cancellations that nodes and carriers are asked for: until when, their answers, and what silence comes to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.delivery.promise import open_for
from dom.network import Node
from dom.orders.asked import AskedOf, CancellationStatus
from dom.orders.cancellation import is_picked
from dom.orders.commands import AnswerCancellation, CancelUnits
from dom.orders.status import FulfilmentStatus
from dom.shared.access import TIMEOUT
from dom.shared.errors import DomError, NotFound, StepNotPossible
from dom.sourcing.policy.answers import Cancellations, Silence
from dom.sourcing.policy.kinds import by_kind
from services.change_orders import Writing, carry_out, locked
from store.fulfilment import cancellation_requests
from store.network.reference import Reference

_SILENCE: Final[Mapping[Silence, CancellationStatus]] = {
    Silence.REFUSED: CancellationStatus.EXPIRED,
    Silence.GRANTED: CancellationStatus.GRANTED,
}


INTERCEPTED_WITHIN: Final = timedelta(days=3)
"""So long a carrier has to bring a parcel back, or to say that it does not."""


async def timed(
    connection: AsyncConnection, order_id: str, command: CancelUnits, reference: Reference, now: datetime
) -> CancelUnits:
    """The command with the times until which the nodes that may be asked are to answer. It locks the order. Raises
    NotFound.
    """
    state = await locked(connection, order_id)
    picked = [each for each in state.fulfilments.values() if is_picked(each)]
    sent = [each for each in state.fulfilments.values() if each.status is FulfilmentStatus.HANDED_OVER]
    within = reference.policy.cancellations
    times = {each.id: answer_by(within, reference.node(each.place), now) for each in picked}
    times |= {each.id: now + INTERCEPTED_WITHIN for each in sent}
    return command.model_copy(update={"answer_by": times})


def answer_by(within: Cancellations, node: Node, now: datetime) -> datetime:
    """Until when a node has time to answer: minutes in which it is open, or by the clock if it does not open in the
    days that are looked ahead.
    """
    named = by_kind(within.within_minutes, node.kind)
    minutes = within.otherwise_minutes if named is None else named
    return open_for(node, now, minutes) or now + timedelta(minutes=minutes)


async def answer(engine: AsyncEngine, command: AnswerCancellation, writing: Writing) -> Mapping[str, Any]:
    """Write a node's answer down, and answer the request after it; said again it changes nothing. Raises NotFound,
    Conflict, and StepNotPossible where the request ended otherwise; `data` says how.
    """
    request_id = command.request_id
    async with engine.begin() as connection:
        asked = await _get(connection, request_id)
        state = await locked(connection, asked["order_id"])
        try:
            await carry_out(connection, state, command, writing)
        except NotFound:
            _must_be_so(await _get(connection, request_id), command)
        return await _get(connection, request_id)


async def _get(connection: AsyncConnection, request_id: str) -> Mapping[str, Any]:
    found = await cancellation_requests.get(connection, request_id)
    if found is None:
        raise NotFound(f"there is no cancellation request {request_id}")
    return dict(found)


def _must_be_so(request: Mapping[str, Any], command: AnswerCancellation) -> None:
    """Whether the request ended as the command says, by the node's own answer."""
    if request["status"] == command.answer and request["ended_by"] is None:
        return
    why = f" ({request['ended_by']})" if request["ended_by"] else ""
    raise StepNotPossible(
        f"{request['request_id']} is {request['status']}{why}",
        data={"status": request["status"], "ended_by": request["ended_by"]},
    )


async def look(engine: AsyncEngine, policy: Cancellations, now: datetime, writing: Writing) -> int:
    """End all requests whose time is over as the policy says, each in a transaction of its own; answers how many."""
    ended, after = 0, ""
    while found := await _due(engine, now, after):
        after = found[-1][0]
        for request_id, order_id, asked_of in found:
            command = AnswerCancellation(
                request_id=request_id,
                answer=_SILENCE[policy.silence] if asked_of is AskedOf.NODE else CancellationStatus.EXPIRED,
                asked_of=asked_of,
                actor=TIMEOUT,
                at=now,
                reason="not answered in time",
            )
            try:
                async with engine.begin() as connection:
                    await carry_out(connection, await locked(connection, order_id), command, writing)
            except DomError:  # somebody answered it
                continue
            ended += 1
    return ended


async def _due(engine: AsyncEngine, now: datetime, after: str) -> list[tuple[str, str, AskedOf]]:
    async with engine.connect() as connection:
        return await cancellation_requests.due(connection, now, after)
