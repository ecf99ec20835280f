"""A channel's messages of one order become what the channel means by them, one after the other.

Each message is read by the live mapping, corrected, checked and carried out; then it is written down what became of it.
Done twice it does nothing twice: an order is captured once, and a state that is known changes nothing.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels import intake
from dom.channels.channel_order import ChannelOrder, ChannelState
from dom.channels.correcting.engine import Correcting
from dom.channels.faults import FaultCode, MessageFault, shown
from dom.channels.mapping.applying import apply
from dom.channels.outcomes import MessageOutcome
from dom.orders.calls import CancelCall, CancelResult, OrderAnswer
from dom.orders.cancellation import CancelMode
from dom.orders.intake import OrderRequest
from dom.shared import ids
from dom.shared.errors import DomError, InvalidInput, UnknownSku
from services import channel_corrections
from services.database import Database
from store.inbox import channel_orders, mappings, messages
from store.inbox.channel_orders import KnownOrder
from store.inbox.mappings import PublishedMapping
from store.inbox.messages import SettledMessage
from store.orders import orders

_LOG: Final = logging.getLogger(__name__)

AT_ONCE: Final = 50
"""Messages of an order that are taken in one turn."""

Capture = Callable[[OrderRequest], Awaitable[OrderAnswer]]
Cancel = Callable[[str, CancelCall, str], Awaitable[CancelResult]]


@dataclass(frozen=True, slots=True)
class OrderCalls:
    """What is asked of orders' processes: to capture an order, to cancel units under a key."""

    capture: Capture
    cancel: Cancel


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many messages were taken in, and whether others wait."""

    messages: int
    more: bool


async def take_in(database: Database, calls: OrderCalls, channel: str, number: str) -> TakenIn:
    """Take in what waits of an order. Raises what says that somebody cannot be reached; it is safe to do again."""
    async with database.statement() as connection:
        rows = await messages.waiting(connection, channel, number, AT_ONCE)
        mapping = await mappings.live(connection, channel)
    for row in rows:
        taken = await _Turn(database, calls, channel, number, mapping).take(row)
        # In one transaction: a turn that is done again after it was cut short must not find its own state known.
        async with database.transaction() as connection:
            if taken.known is not None:
                await _know(connection, channel, number, taken.known, taken.settled.order_id)
            if taken.correcting is not None:
                await channel_corrections.record(connection, database, channel, row, taken.correcting)
            await messages.settle(connection, row["id"], taken.settled, replays=row["replays"])
    return TakenIn(len(rows), len(rows) == AT_ONCE)


async def _know(
    connection: AsyncConnection, channel: str, number: str, order: ChannelOrder, order_id: str | None
) -> None:
    await channel_orders.put(
        connection,
        channel,
        number,
        version=order.version,
        state=order.state,
        order_id=order_id,
        document=order.model_dump_json(),
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of a message, and the state of the order that is known by it; None: it is none that counts.
    `correcting`: what was corrected of it.
    """

    settled: SettledMessage
    known: ChannelOrder | None = None
    correcting: Correcting | None = None


_NOT_KNOWN: Final = frozenset({MessageOutcome.QUARANTINED, MessageOutcome.STALE})
"""Outcomes of a state that was not carried out: known, it would be passed over when it is replayed."""


@dataclass(frozen=True, slots=True)
class _Turn:
    database: Database
    calls: OrderCalls
    channel: str
    number: str
    mapping: PublishedMapping | None

    async def take(self, row: RowMapping) -> _Taken:
        """What became of a message."""
        if self.mapping is None:
            fault = MessageFault(code=FaultCode.NO_MAPPING, message="the channel has no published mapping")
            return _Taken(self._held([fault]))
        try:
            message = json.loads(row["body"])
        except (ValueError, RecursionError) as error:
            return _Taken(self._held([MessageFault(code=FaultCode.UNREADABLE, message=f"it is no JSON: {error}")]))
        try:
            mapped = apply(self.mapping.mapping, message)
        except Exception as error:
            return self._mistaken(row, error)
        corrected = await channel_corrections.correct(self.database, self.channel, row, self.mapping.mapping, mapped)
        try:
            order, faults = intake.checked(corrected.mapped(), row["repairs"])
        except Exception as error:
            return self._mistaken(row, error)
        taken = _Taken(self._held(faults)) if order is None else await self._take_order(order)
        settled = channel_corrections.explained(taken.settled, corrected, order)
        return _Taken(settled, taken.known, corrected)

    def _mistaken(self, row: RowMapping, error: Exception) -> _Taken:
        """A mistake of ours: tried again for ever, the message would hold up every later one of the order."""
        _LOG.error("message %s of %s cannot be read", row["id"], self.channel, exc_info=error)
        said = f"it cannot be read: {type(error).__name__}"
        return _Taken(self._held([MessageFault(code=FaultCode.UNREADABLE, message=said)]))

    async def _take_order(self, order: ChannelOrder) -> _Taken:
        if order.number != self.number:
            return _Taken(self._held([_of_another(order.number)]))
        return await self._carry_out(order)

    async def _carry_out(self, order: ChannelOrder) -> _Taken:
        async with self.database.statement() as connection:
            known = await channel_orders.find(connection, self.channel, self.number)
        why = intake.needs_nothing(order, known.version if known else None)
        if why is not None:
            return _Taken(self._done(why.outcome, why.detail, known.order_id if known else None))
        try:
            settled = await self._change(order, known)
        except UnknownSku as error:
            return _Taken(self._refused(order, error, FaultCode.UNKNOWN_SKU))
        except InvalidInput as error:
            return _Taken(self._refused(order, error, FaultCode.WRONG_VALUE))
        except DomError as error:
            # Also what no order answers for (NoProcess): the workflow would end, and the message wait for ever.
            return _Taken(self._refused(order, error, FaultCode.REFUSED))
        return _Taken(settled, None if settled.outcome in _NOT_KNOWN else order)

    async def _change(self, order: ChannelOrder, known: KnownOrder | None) -> SettledMessage:
        captured = known.order_id if known else None
        if known is not None and known.state is ChannelState.CANCELLED:
            over = self._once_cancelled(order, known)
            if over is not None:
                return over
        elif order.state is ChannelState.CANCELLED:
            return await self._cancel(order, captured or await self._captured_otherwise())
        if captured is None:
            return await self._first(order)
        before = ChannelOrder.model_validate(known.document) if known and known.document else None
        if before is None or intake.same_wishes(before, order):
            return self._done(MessageOutcome.UNCHANGED, "the order is as it says", captured)
        return await self._cancel_units(before, order, captured)

    def _once_cancelled(self, order: ChannelOrder, known: KnownOrder) -> SettledMessage | None:
        """What becomes of a state of an order that was cancelled; None: it is open again, and was never captured."""
        if order.state is ChannelState.CANCELLED:
            return self._done(MessageOutcome.UNCHANGED, "it is cancelled already", known.order_id)
        if not intake.is_later(order.version, known.version):
            return self._done(MessageOutcome.STALE, "it was cancelled before it came", known.order_id)
        if known.order_id is None:
            return None
        said = "it was cancelled, and is open again in the channel; a person must order it anew"
        return self._held([MessageFault(field="state", code=FaultCode.REFUSED, message=said)])

    async def _first(self, order: ChannelOrder) -> SettledMessage:
        """The first state of an order that is to be sent."""
        if not intake.sent_lines(order):
            return self._done(MessageOutcome.IGNORED, "nothing of it is sent", None)
        try:
            request = intake.request(self.channel, order)
        except ValidationError as refused:
            return self._held(intake.faults_of(refused, order))
        answer = await self.calls.capture(request)
        return self._done(MessageOutcome.CAPTURED, "", answer.order_id)

    async def _cancel(self, order: ChannelOrder, captured: str | None) -> SettledMessage:
        """The whole order. One that was never captured never will be: what is known of it says so."""
        if captured is None:
            return self._done(MessageOutcome.CHANGED, "it was cancelled before it came", None)
        call = CancelCall(mode=CancelMode.ASK, reason="cancelled in the channel", actor=f"channel:{self.channel}")
        result = await self.calls.cancel(captured, call, f"channel:{order.digest}")
        return self._done(MessageOutcome.CHANGED, f"cancelled: {sum(result.cancelled.values())} units", captured)

    async def _cancel_units(self, before: ChannelOrder, order: ChannelOrder, captured: str) -> SettledMessage:
        fewer = intake.fewer(before, order)
        if fewer is None:
            said = "the channel changed more of the order than quantities; a person must change it here"
            return self._held([MessageFault(code=FaultCode.REFUSED, message=said)])
        call = CancelCall(
            mode=CancelMode.ASK, reason="fewer in the channel", actor=f"channel:{self.channel}", lines=fewer
        )
        result = await self.calls.cancel(captured, call, f"channel:{order.digest}")
        return self._done(MessageOutcome.CHANGED, f"cancelled: {sum(result.cancelled.values())} units", captured)

    async def _captured_otherwise(self) -> str | None:
        """The order of this number that came by `POST /v1/orders`; None if there is none."""
        async with self.database.statement() as connection:
            found = await orders.find(connection, ids.order_id(self.channel, self.number))
        return None if found is None else found.order_id

    def _done(self, outcome: MessageOutcome, detail: str, order_id: str | None) -> SettledMessage:
        return SettledMessage(outcome, detail, order_id, mapping_version=self._version)

    def _held(self, faults: Sequence[MessageFault]) -> SettledMessage:
        return _quarantined(faults, self._version)

    def _refused(self, order: ChannelOrder, error: DomError, code: FaultCode) -> SettledMessage:
        field = intake.own_field(error.field or "", order)
        return self._held([MessageFault(field=field, code=code, message=error.detail)])

    @property
    def _version(self) -> int | None:
        return None if self.mapping is None else self.mapping.version


def _of_another(number: str) -> MessageFault:
    """The mapping of today finds another number than that of the day it came: messages of both would overtake."""
    said = "by the mapping of today it is about another order; replay it, and it has its turn there"
    return MessageFault(field="number", code=FaultCode.REFUSED, message=said, value=shown(number))


def _quarantined(faults: Sequence[MessageFault], version: int | None) -> SettledMessage:
    said = "; ".join(f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in faults[:3])
    return SettledMessage(MessageOutcome.QUARANTINED, said, faults=tuple(faults), mapping_version=version)
