"""A return is requested and goes on: each command is decided on what the store holds and written in one transaction.

The order is locked first, so that of two commands the second is decided on what the first left behind. A command that
was carried out before, under the same request, is not carried out again and gets the same answer.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.exceptions import ExceptionKind
from dom.notifications.messages import MessageKind
from dom.orders.events import AnsweredReturn, EventKind, ProcessRevivedData, ReturnData, of_return
from dom.orders.holds import BlockedStep, must_not_block
from dom.orders.status import Disposition, FulfilmentStatus, ReturnStatus, ReturnStep
from dom.orders.transitions.shared import message_key as step_key
from dom.returns import (
    EXPIRES_AFTER,
    OTHER_REQUEST,
    UNEXPECTED,
    Announce,
    ReturnChange,
    ReturnState,
    Step,
    apply,
    content_hash,
    decide,
    message_key,
    requested,
)
from dom.shared.errors import Conflict, NotFound, NothingToReturn, StepNotPossible, UnknownNode
from services.clock import utc_now
from store import exceptions, inbound, returns, stock
from store.enums import LedgerKind
from store.network import reference
from store.notifications import messages
from store.orders import processes, timeline
from store.orders import state as order_state

_AWAITS_DECISION: Final = frozenset({Disposition.QUARANTINE, Disposition.REFURBISH})
"""Dispositions whose units are in the node and cannot be sold yet."""
_TELLS: Final[Mapping[ReturnStep, MessageKind]] = {
    ReturnStep.REQUESTED: MessageKind.RETURN_REQUESTED,
    ReturnStep.RECEIVED: MessageKind.RETURN_RECEIVED,
    ReturnStep.REFUNDED: MessageKind.REFUNDED,
    ReturnStep.CANCELLED: MessageKind.RETURN_CANCELLED,
    ReturnStep.EXPIRED: MessageKind.RETURN_EXPIRED,
}
"""Steps the customer is told of."""
_ASK_AGAIN: Final = "ask for a new return of what arrived, and receive it there"
_BOOK_IN: Final = (
    "nobody had them, so that no other return takes them: book them in (`POST /v1/inventory/adjustments`), and refund "
    "them outside the system unless the parcel was sent once more, or was lost and its units sourced again"
)


@dataclass(frozen=True, slots=True)
class ReturnTerms:
    """How returns are dealt with: how long goods are waited for, what time it is, whether a webhook is told too."""

    lasts: timedelta = EXPIRES_AFTER
    now: Callable[[], datetime] = utc_now
    webhooks: bool = False


@dataclass(frozen=True, slots=True)
class ReturnCall:
    """Who asks for a command to a return, and when. `request` is the caller's id of it, by which it counts once, and
    `request_hash` its content; `occurred_at` None is now.
    """

    return_id: str
    order_id: str
    actor: str
    occurred_at: datetime | None = None
    reason: str = ""
    request: str = ""
    request_hash: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a return is opened: to which node the goods go (None: the one that shipped them), under which id of the
    caller. `revived_by`: it was allowed before, and its process begins anew; `continued`: it goes on in a new run.
    """

    node_id: str | None = None
    key: str | None = None
    revived_by: str | None = None
    continued: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether it was allowed before, whatever it was asked with."""
        return self.revived_by is not None or self.continued


@dataclass(frozen=True, slots=True)
class CommandedReturn:
    """A return after a command. `status` and `refund` are what the command's caller hears, the same again for a
    repeat; `state` is how the return stands now. `message_key` is what the command's messages stand under, empty if it
    changed nothing.
    """

    order: returns.OfOrder
    state: ReturnState
    node_id: str
    status: ReturnStatus
    refund: int
    message_key: str = ""


async def open_(
    engine: AsyncEngine, asked: ReturnCall, command: Announce, terms: ReturnTerms, opening: Opening
) -> tuple[CommandedReturn, bool]:
    """Allow a return, for the process of `asked.run_id`; answers it, and whether an earlier one had it allowed.

    Raises NotFound, NothingToReturn, InvalidInput, UnknownNode; Conflict where the key stands for another request.
    """
    async with engine.begin() as connection:
        standing, known = await _request(connection, asked, command, terms, opening)
        if not known:
            return standing, False
        if opening.revived_by is not None:
            await _note_revival(connection, asked, opening.revived_by, terms.now())
        first = await timeline.data_of(connection, asked.order_id, requested(asked.return_id))
        return standing, first.get("run_id") != asked.run_id


async def _note_revival(connection: AsyncConnection, asked: ReturnCall, revived_by: str, at: datetime) -> None:
    """The return has a process again."""
    await processes.process_runs_again(connection, asked.order_id, asked.return_id)
    event = timeline.Event(
        order_id=asked.order_id,
        kind=EventKind.PROCESS_REVIVED,
        business_key=f"process_revived:{asked.run_id}",
        actor=revived_by,
        occurred_at=at,
        reason="the return's process was gone",
        data=ProcessRevivedData(return_id=asked.return_id),
    )
    await timeline.append(connection, event)


async def _request(
    connection: AsyncConnection, asked: ReturnCall, command: Announce, terms: ReturnTerms, opening: Opening
) -> tuple[CommandedReturn, bool]:
    """Allow a return; answers it, and whether it was allowed before."""
    key, node_id = opening.key, opening.node_id
    content = content_hash(command.lines, asked.reason, node_id)
    order = await _lock(connection, asked)
    under_key = key and await returns.under_key(connection, asked.order_id, key)
    if under_key and under_key != asked.return_id:
        raise Conflict(OTHER_REQUEST, field="Idempotency-Key")
    if order.row is not None:
        if order.row["content_hash"] != content and not opening.goes_on:
            raise Conflict(OTHER_REQUEST, field="Idempotency-Key", data={"return_id": asked.return_id})
        return await _standing(connection, asked, order), True
    change = decide(order.state, command, now=terms.now(), lasts=terms.lasts)
    if change is None:
        raise NothingToReturn("nothing is asked for", field="lines")
    goes_to = await _goes_to(connection, order, command, node_id)
    at = asked.occurred_at or terms.now()
    await returns.open_(
        connection,
        order.state,
        change,
        order_id=asked.order_id,
        node_id=goes_to,
        reason=asked.reason,
        content_hash=content,
        key=key,
        at=at,
    )
    units = order.state.by_sku(change.announced)
    await inbound.follow_return(connection, asked.return_id, goes_to, units, allowed_on=at.date(), actor=asked.actor)
    return await _written(connection, asked, order, change, goes_to, at, terms), False


async def commit(engine: AsyncEngine, asked: ReturnCall, command: Step, terms: ReturnTerms) -> CommandedReturn:
    """Carry a command out, once for a request. Raises NotFound, InvalidInput, StepNotPossible, OnHold for an
    inspection while a hold blocks refunds; Conflict where the request's id stands for another one. Nothing is written
    then, but that a person hears of goods that came although the return had let them go.
    """
    try:
        async with engine.begin() as connection:
            return await _commit(connection, asked, command, terms)
    except StepNotPossible as error:
        if units := error.data.get(UNEXPECTED):
            async with engine.begin() as connection:
                await _arrived_too_late(connection, asked, error, units)
        raise


async def _commit(connection: AsyncConnection, asked: ReturnCall, command: Step, terms: ReturnTerms) -> CommandedReturn:
    order = await _lock(connection, asked)
    if order.row is None:
        raise NotFound(f"there is no return {asked.return_id}")
    before = asked.request and await returns.step_under(connection, asked.order_id, asked.return_id, asked.request)
    if before:
        if before["data"]["request_hash"] != asked.request_hash:
            raise Conflict(OTHER_REQUEST, field="Idempotency-Key")
        standing = await _standing(connection, asked, order, before["data"]["answer"])
        return replace(standing, message_key=before["business_key"])
    change = decide(order.state, command, now=terms.now(), lasts=terms.lasts)
    if change is None:
        return await _standing(connection, asked, order)
    if change.step is ReturnStep.REFUNDED:
        held = (await order_state.read(connection, asked.order_id)).holds
        must_not_block(held.values(), BlockedStep.REFUND, f"the refund of {asked.return_id}")
    at, node_id = asked.occurred_at or terms.now(), order.row["node_id"]
    await returns.write(connection, asked.return_id, asked.order_id, change, at=at)
    await _move_goods(connection, asked, order, change, at)
    if change.neglected:
        words = f"return {asked.return_id} at {node_id}: goods arrived and were not inspected in time"
        await exceptions.open_(
            connection, asked.order_id, ExceptionKind.RETURN_NOT_INSPECTED, _uninspected(asked.return_id), words
        )
    return await _written(connection, asked, order, change, node_id, at, terms)


async def _arrived_too_late(
    connection: AsyncConnection, asked: ReturnCall, error: StepNotPossible, units: object
) -> None:
    """Goods came that the return had let go: put them before a person, once a return."""
    known = await returns.get(connection, asked.return_id)
    parcel = None if known is None else known["fulfilment_id"]
    of_parcel = {} if parcel is None else {"fulfilment_id": parcel}
    await exceptions.open_(
        connection,
        asked.order_id,
        ExceptionKind.RETURN_ARRIVED_LATE,
        f"{asked.return_id}:arrived_late",
        f"{error.detail}; {_ASK_AGAIN if parcel is None else _BOOK_IN}",
        {"return_id": asked.return_id, "lines": units, **of_parcel},
    )


async def _lock(connection: AsyncConnection, asked: ReturnCall) -> returns.OfOrder:
    order = await returns.lock(connection, asked.order_id, asked.return_id)
    if order is None:
        raise NotFound(f"there is no order {asked.order_id}")
    return order


async def _standing(
    connection: AsyncConnection, asked: ReturnCall, order: returns.OfOrder, answer: Mapping[str, object] | None = None
) -> CommandedReturn:
    """The return as it stands, and what was answered to the same request before."""
    status = order.state.status or ReturnStatus.REQUESTED
    refund = await returns.refunded(connection, asked.return_id)
    if answer is not None:
        status, refund = ReturnStatus(str(answer["status"])), int(str(answer["refund"]))
    node_id = order.row["node_id"] if order.row is not None else ""
    return CommandedReturn(order=order, state=order.state, node_id=node_id, status=status, refund=refund)


async def _written(
    connection: AsyncConnection,
    asked: ReturnCall,
    order: returns.OfOrder,
    change: ReturnChange,
    node_id: str,
    at: datetime,
    terms: ReturnTerms,
) -> CommandedReturn:
    """Note the change in the timeline, and write what the customer is told; of a parcel that its carrier brought back
    only what is refunded.
    """
    about, refund = message_key(asked.return_id, change), await returns.refunded(connection, asked.return_id)
    data = ReturnData(
        return_id=asked.return_id,
        number=change.number,
        lines=dict(change.units),
        answer=AnsweredReturn(status=change.status, refund=refund),
        request=asked.request or None,
        request_hash=asked.request_hash if asked.request else None,
        run_id=asked.run_id or None,
    )
    event = timeline.Event(asked.order_id, of_return(change.step), about, asked.actor, at, data, asked.reason)
    await timeline.append(connection, event)
    kind = _TELLS.get(change.step)
    if order.state.parcel and change.step is not ReturnStep.REFUNDED:
        kind = None
    if kind is not None:
        context: dict[str, object] = {"lines": change.units}
        context |= {"node_id": node_id} if change.step is ReturnStep.REQUESTED else {}
        if change.step is ReturnStep.REFUNDED:
            context["refund"] = {"amount": change.refund, "currency": order.currency}
        await messages.write(connection, asked.order_id, about, kind, context=context, webhook=terms.webhooks)
    state = apply(order.state, change)
    return CommandedReturn(order, state, node_id, change.status, refund, about)


async def _move_goods(
    connection: AsyncConnection, asked: ReturnCall, order: returns.OfOrder, change: ReturnChange, at: datetime
) -> None:
    """What a change means for the node: what it still expects, what it can sell, what waits there for a decision."""
    after = apply(order.state, change)
    if change.received:
        await inbound.return_arrived(connection, asked.return_id, order.state.by_sku(change.received))
    if not after.outstanding:
        await inbound.follow_no_more(connection, asked.return_id, actor=asked.actor)
    if change.found:
        await _put_away(connection, asked, order, change, at)
    if not after.uninspected:
        await exceptions.close_by_keys(connection, _uninspected(asked.return_id))
    if after.parcel and after.ended and after.released_by is None:
        await exceptions.close_by_keys(connection, step_key(after.parcel, FulfilmentStatus.RETURNED))


async def _put_away(
    connection: AsyncConnection, asked: ReturnCall, order: returns.OfOrder, change: ReturnChange, at: datetime
) -> None:
    """Restocked units can be sold again. Those to be refurbished wait for their decision beside the quarantined ones;
    scrapped ones come into no balance.
    """
    sellable: defaultdict[str, int] = defaultdict(int)
    waiting: defaultdict[str, int] = defaultdict(int)
    for line_id, disposition, quantity in change.found:
        sku = order.state.lines[line_id].sku
        if disposition is Disposition.RESTOCK:
            sellable[sku] += quantity
        elif disposition in _AWAITS_DECISION:
            waiting[sku] += quantity
    for sku in sorted({*sellable, *waiting}):
        back = stock.Movement(
            order.row["node_id"] if order.row is not None else "",
            sku,
            sellable[sku],
            LedgerKind.RESTOCK,
            "return",
            f"{asked.return_id}:{change.number}:restock",
            quarantine=waiting[sku],
        )
        await stock.move(connection, back, actor=asked.actor, at=at, order_id=asked.order_id)


async def _goes_to(connection: AsyncConnection, order: returns.OfOrder, command: Announce, node_id: str | None) -> str:
    """The node that was asked for, or the one that shipped the first line."""
    if node_id is None:
        return order.node_ids[command.lines[0][0]]
    try:
        return (await reference.get_node(connection, node_id)).id
    except NotFound as error:
        raise UnknownNode(error.detail, field="node_id") from error


def _uninspected(return_id: str) -> str:
    return f"{return_id}:not_inspected"
