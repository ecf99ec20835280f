"""A channel's messages of one order become what the channel means by them, one after the other.

A webhook is a hint: where its platform can be asked, the order's present state is fetched and read in its place. Each
state is read by the live mapping, corrected, checked and carried out; then it is written down what became of it. Done
twice it does nothing twice: an order is captured once, and a state that is known changes nothing.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.channels.port import Ability
from dom.channels import intake
from dom.channels.channel_order import ChannelOrder, ChannelState
from dom.channels.correcting.engine import Correcting
from dom.channels.faults import FaultCode, MessageFault, shown
from dom.channels.mapping.applying import Mapped, apply, order_number
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.outcomes import MessageOutcome, MessageSource
from dom.orders.calls import CancelCall, CancelResult, OrderAnswer
from dom.orders.cancellation import CancelMode
from dom.orders.intake import OrderRequest
from dom.shared import ids
from dom.shared.errors import DomError, InvalidInput, OutsideFailure, UnknownSku
from services import channel_corrections, channel_inbox
from services.channel_connections import Connected, Connections, understood
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


Stated = ChannelOrder | intake.CancelledOrder
"""What a message can say of an order."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many messages were taken in, and whether others wait."""

    messages: int
    more: bool


async def take_in(
    database: Database, connections: Connections, calls: OrderCalls, channel: str, number: str
) -> TakenIn:
    """Take in what waits of an order. Raises what says that somebody cannot be reached (TemporaryFailureError of a
    platform); it is safe to do again.
    """
    async with database.statement() as connection:
        rows = await messages.waiting(connection, channel, number, AT_ONCE)
        mapping = await mappings.live(connection, channel)
    fetched = await _present_state(database, connections, channel, number, rows)
    for row in rows:
        state = fetched if row["source"] == MessageSource.WEBHOOK else None
        taken = await _Turn(database, calls, channel, number, mapping).take(row, state)
        # In one transaction: a turn that is done again after it was cut short must not find its own state known.
        async with database.transaction() as connection:
            if taken.known is not None:
                await _know(connection, channel, number, taken.known, taken.settled.order_id, taken.repairs)
            if taken.correcting is not None:
                await channel_corrections.record(connection, database, channel, row, taken.correcting)
            body = None if state is None else state.body
            await messages.settle(connection, row["id"], taken.settled, replays=row["replays"], fetched=body)
    return TakenIn(len(rows), len(rows) == AT_ONCE)


async def find_number(database: Database, connections: Connections, channel: str, reference: str) -> TakenIn:
    """Ask the platform which order it knows by this id, and let what waits of it have its turn there."""
    async with database.statement() as connection:
        rows = await messages.without_number(connection, channel, reference, AT_ONCE)
        mapping = await mappings.live(connection, channel)
        number = await channel_orders.number_of(connection, channel, reference)
    if number is None and mapping is not None:
        state = await _fetch(await connections.of(channel), reference)
        number = None if state is None or state.body is None else _number_in(mapping, state.body)
    for row in rows:
        if number is not None:
            await channel_inbox.number_found(database, row["id"], channel, number)
            continue
        fault = MessageFault(code=FaultCode.UNREADABLE, message=f"its platform names no order by the id {reference}")
        async with database.transaction() as connection:
            await messages.settle(connection, row["id"], _quarantined([fault], None), replays=row["replays"])
    return TakenIn(len(rows), len(rows) == AT_ONCE)


def _number_in(mapping: PublishedMapping, body: bytes) -> str | None:
    try:
        return order_number(mapping.mapping, json.loads(body))
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The present state of an order; None if its platform has none of it, or does not say it (`why`)."""

    body: bytes | None
    why: str = "its platform has no such order, or does not show it"


async def _present_state(
    database: Database, connections: Connections, channel: str, number: str, rows: Sequence[RowMapping]
) -> _Fetched | None:
    """The order as its platform has it now; None where nothing that waits is a hint, or the platform cannot be asked.

    One request serves all: it is later than each of them.
    """
    hints = [row for row in rows if row["source"] == MessageSource.WEBHOOK]
    connected = await connections.of(channel) if hints else None
    if connected is None or Ability.ASK not in connected.connector.abilities:
        return None
    reference = hints[-1]["reference"]
    if reference is None:
        async with database.statement() as connection:
            reference = await channel_orders.reference_of(connection, channel, number)
    return await _fetch(connected, reference or number)


async def _fetch(connected: Connected | None, reference: str) -> _Fetched | None:
    if connected is None or Ability.ASK not in connected.connector.abilities:
        return None
    try:
        with understood(connected.channel):
            return _Fetched(await connected.connector.order(reference))
    except OutsideFailure as error:
        return _Fetched(None, error.detail)


async def _know(
    connection: AsyncConnection,
    channel: str,
    number: str,
    order: Stated,
    order_id: str | None,
    repairs: Mapping[str, Sequence[Any]],
) -> None:
    await channel_orders.put(
        connection,
        channel,
        number,
        version=order.version,
        state=order.state,
        order_id=order_id,
        document=order.model_dump_json() if isinstance(order, ChannelOrder) else None,
        reference=order.channel_id or None,
        sent_before={line.line_id: line.shipped for line in order.lines if line.shipped}
        if isinstance(order, ChannelOrder)
        else {},
        repairs=repairs,
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of a message, and the state of the order that is known by it; None: it is none that counts.
    `correcting`: what was corrected of it.
    """

    settled: SettledMessage
    known: Stated | None = None
    correcting: Correcting | None = None
    repairs: Mapping[str, Sequence[Any]] = field(default_factory=dict)


_NOT_KNOWN: Final = frozenset({MessageOutcome.QUARANTINED, MessageOutcome.STALE})
"""Outcomes of a state that was not carried out: known, it would be passed over when it is replayed."""


@dataclass(frozen=True, slots=True)
class _Turn:
    database: Database
    calls: OrderCalls
    channel: str
    number: str
    mapping: PublishedMapping | None

    async def take(self, row: RowMapping, fetched: _Fetched | None = None) -> _Taken:
        """What became of a message; `fetched` is the order's present state, which is read in its place."""
        if self.mapping is None:
            fault = MessageFault(code=FaultCode.NO_MAPPING, message="the channel has no published mapping")
            return _Taken(self._held([fault]))
        body = row["body"] if fetched is None else fetched.body
        if body is None:
            said = "" if fetched is None else fetched.why
            return _Taken(self._held([MessageFault(code=FaultCode.UNREADABLE, message=said)]))
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            return _Taken(self._held([MessageFault(code=FaultCode.UNREADABLE, message=f"it is no JSON: {error}")]))
        try:
            mapped = apply(self.mapping.mapping, message)
        except Exception as error:
            return self._mistaken(row, error)
        none_yet = intake.is_none_yet(mapped)
        if none_yet is not None:
            return _Taken(self._done(none_yet.outcome, none_yet.detail, None))
        return await self._take_mapped(row, mapped, self.mapping.mapping)

    async def _take_mapped(self, row: RowMapping, mapped: Mapped, mapping: ChannelMapping) -> _Taken:
        """What became of a message of an order: it is corrected, checked and carried out."""
        async with self.database.statement() as connection:
            known = await channel_orders.find(connection, self.channel, self.number)
        repairs = {**intake.still_needed(known.repairs if known else {}, mapped), **row["repairs"]}
        about = {"id": row["id"], "replays": row["replays"], "repairs": repairs}
        corrected = await channel_corrections.correct(self.database, self.channel, about, mapping, mapped)
        try:
            order, faults = intake.checked(corrected.mapped(), repairs)
        except Exception as error:
            return self._mistaken(row, error)
        stated = order or intake.cancelled(corrected.mapped())
        taken = _Taken(self._held(faults)) if stated is None else await self._take_order(stated)
        settled = channel_corrections.explained(taken.settled, corrected, order)
        return _Taken(settled, taken.known, corrected, intake.repaired(row["repairs"], mapped))

    def _mistaken(self, row: RowMapping, error: Exception) -> _Taken:
        """A mistake of ours: tried again for ever, the message would hold up every later one of the order."""
        _LOG.error("message %s of %s cannot be read", row["id"], self.channel, exc_info=error)
        said = f"it cannot be read: {type(error).__name__}"
        return _Taken(self._held([MessageFault(code=FaultCode.UNREADABLE, message=said)]))

    async def _take_order(self, order: Stated) -> _Taken:
        if order.number != self.number:
            return _Taken(self._held([_of_another(order.number)]))
        return await self._carry_out(order)

    async def _carry_out(self, order: Stated) -> _Taken:
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

    async def _change(self, order: Stated, known: KnownOrder | None) -> SettledMessage:
        captured = known.order_id if known else None
        if known is not None and known.state is ChannelState.CANCELLED:
            over = self._once_cancelled(order, known)
            if over is not None:
                return over
        if isinstance(order, intake.CancelledOrder) or order.state is ChannelState.CANCELLED:
            return await self._cancel(order, captured or await self._captured_otherwise())
        if captured is None:
            return await self._first(order)
        try:
            before = ChannelOrder.model_validate(known.document) if known and known.document else None
        except ValidationError:  # kept by an earlier version of ours; tried again for ever, it would be the same
            said = "what was known of it cannot be read any more; change the order by hand, and dismiss this"
            return self._held([MessageFault(field="state", code=FaultCode.REFUSED, message=said)])
        if before is None or (intake.same_wishes(before, order) and intake.same_sent(before, order)):
            return self._done(MessageOutcome.UNCHANGED, "the order is as it says", captured)
        return await self._cancel_units(before, order, captured, known.sent_before if known else {})

    def _once_cancelled(self, order: Stated, known: KnownOrder) -> SettledMessage | None:
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
        """The first state of an order that is to be sent. What its channel sent before is its own matter."""
        if not intake.unsent_lines(order):
            return self._done(MessageOutcome.IGNORED, "nothing of it is to be sent", None)
        if order.channel_id:
            async with self.database.statement() as connection:
                other = await channel_orders.captured_as(connection, self.channel, order.channel_id)
            if other not in {None, self.number}:
                said = f"the platform's order {order.channel_id} was captured under the number {other}"
                return self._held([MessageFault(field="number", code=FaultCode.REFUSED, message=said)])
        try:
            request = intake.request(self.channel, order)
        except ValidationError as refused:
            return self._held(intake.faults_of(refused, order))
        answer = await self.calls.capture(request)
        return self._done(MessageOutcome.CAPTURED, "", answer.order_id)

    async def _cancel(self, order: Stated, captured: str | None) -> SettledMessage:
        """The whole order. One that was never captured never will be: what is known of it says so."""
        if captured is None:
            return self._done(MessageOutcome.CHANGED, "it was cancelled before it came", None)
        if not any((await self._wanted_here(captured)).values()):
            return self._done(MessageOutcome.UNCHANGED, "it is cancelled here already", captured)
        call = CancelCall(mode=CancelMode.ASK, reason="cancelled in the channel", actor=f"channel:{self.channel}")
        return await self._cancelled(order, call, captured)

    async def _cancelled(self, order: Stated, call: CancelCall, captured: str) -> SettledMessage:
        units = sum((await self.calls.cancel(captured, call, f"channel:{order.digest}")).cancelled.values())
        return self._done(MessageOutcome.CHANGED, f"cancelled: {units} units", captured)

    async def _cancel_units(
        self, before: ChannelOrder, order: ChannelOrder, captured: str, sent_before: Mapping[str, int]
    ) -> SettledMessage:
        here = await self._here(captured, sent_before)
        faults = intake.beyond_units(self.channel, before, order, here)
        if faults:
            return self._held(faults)
        lines = intake.not_needed(intake.touched(before, order), order, here)
        if not lines:
            return self._done(MessageOutcome.UNCHANGED, "the order is as it says", captured)
        call = CancelCall(
            mode=CancelMode.ASK, reason="fewer in the channel", actor=f"channel:{self.channel}", lines=lines
        )
        return await self._cancelled(order, call, captured)

    async def _here(self, order_id: str, sent_before: Mapping[str, int]) -> intake.OrderHere:
        async with self.database.statement() as connection:
            left = await orders.left_units(connection, order_id)
            document = await orders.document(connection, order_id)
        return intake.OrderHere(document, await self._wanted_here(order_id), left, sent_before)

    async def _wanted_here(self, order_id: str) -> Mapping[str, int]:
        async with self.database.statement() as connection:
            return await orders.wanted_units(connection, order_id)

    async def _captured_otherwise(self) -> str | None:
        """The order of this number that came by `POST /v1/orders`; None if there is none."""
        async with self.database.statement() as connection:
            found = await orders.find(connection, ids.order_id(self.channel, self.number))
        return None if found is None else found.order_id

    def _done(self, outcome: MessageOutcome, detail: str, order_id: str | None) -> SettledMessage:
        return SettledMessage(outcome, detail, order_id, mapping_version=self._version)

    def _held(self, faults: Sequence[MessageFault]) -> SettledMessage:
        return _quarantined(faults, self._version)

    def _refused(self, order: Stated, error: DomError, code: FaultCode) -> SettledMessage:
        field = intake.own_field(error.field or "", order if isinstance(order, ChannelOrder) else None)
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
