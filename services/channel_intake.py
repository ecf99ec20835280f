"""A channel's messages of one order become what the channel means by them, one after the other.

Each message is read by the live mapping, corrected, checked and carried out; then it is written down what became of it.
Done twice it does nothing twice: an order is captured once, and a state that is known changes nothing.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from sqlalchemy import RowMapping

from dom.channels import intake
from dom.channels.channel_order import ChannelOrder, ChannelState
from dom.channels.faults import FaultCode, MessageFault
from dom.channels.mapping.applying import apply
from dom.channels.outcomes import MessageOutcome
from dom.orders.calls import CancelCall, CancelResult, OrderAnswer
from dom.orders.cancellation import CancelMode
from dom.orders.intake import OrderRequest
from dom.shared.errors import Conflict, DomError, InvalidInput, UnknownSku
from services.database import Database
from store.inbox import channel_orders, mappings, messages
from store.inbox.channel_orders import KnownOrder
from store.inbox.mappings import PublishedMapping
from store.inbox.messages import SettledMessage

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
        settled = await _Turn(database, calls, channel, number, mapping).take(row)
        async with database.transaction() as connection:
            await messages.settle(connection, row["id"], settled)
    return TakenIn(len(rows), len(rows) == AT_ONCE)


@dataclass(frozen=True, slots=True)
class _Turn:
    database: Database
    calls: OrderCalls
    channel: str
    number: str
    mapping: PublishedMapping | None

    async def take(self, row: RowMapping) -> SettledMessage:
        """What became of a message."""
        if self.mapping is None:
            return self._held([MessageFault(code=FaultCode.NO_MAPPING, message="the channel has no published mapping")])
        try:
            message = json.loads(row["body"])
        except (ValueError, RecursionError) as error:
            return self._held([MessageFault(code=FaultCode.UNREADABLE, message=f"it is no JSON: {error}")])
        mapped = apply(self.mapping.mapping, message)
        order, faults = intake.checked(mapped, row["repairs"])
        if order is None:
            return self._held(faults)
        return await self._carry_out(order)

    async def _carry_out(self, order: ChannelOrder) -> SettledMessage:
        async with self.database.statement() as connection:
            known = await channel_orders.find(connection, self.channel, self.number)
        why = intake.needs_nothing(order, known.version if known else None)
        if why is not None:
            return self._done(why.outcome, why.detail, known.order_id if known else None)
        try:
            settled = await self._change(order, known)
        except UnknownSku as error:
            return self._refused(order, error, FaultCode.UNKNOWN_SKU)
        except InvalidInput as error:
            return self._refused(order, error, FaultCode.WRONG_VALUE)
        except Conflict as error:
            return self._refused(order, error, FaultCode.REFUSED)
        await self._know(order, settled.order_id)
        return settled

    async def _change(self, order: ChannelOrder, known: KnownOrder | None) -> SettledMessage:
        captured = known.order_id if known else None
        if order.state is ChannelState.CANCELLED:
            return await self._cancel(order, captured)
        if captured is None:
            return await self._first(order, known)
        before = ChannelOrder.model_validate(known.document) if known and known.document else None
        if before is None or intake.same_wishes(before, order):
            return self._done(MessageOutcome.UNCHANGED, "the order is as it says", captured)
        return await self._cancel_units(before, order, captured)

    async def _first(self, order: ChannelOrder, known: KnownOrder | None) -> SettledMessage:
        """The first state of an order that is to be sent, unless the channel told before that it is cancelled."""
        if known is not None and known.state is ChannelState.CANCELLED and not (order.version and known.version):
            return self._done(MessageOutcome.STALE, "it was cancelled before it came", None)
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

    async def _know(self, order: ChannelOrder, order_id: str | None) -> None:
        async with self.database.transaction() as connection:
            await channel_orders.put(
                connection,
                self.channel,
                self.number,
                version=order.version,
                state=order.state,
                order_id=order_id,
                document=order.model_dump_json(),
            )

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


def _quarantined(faults: Sequence[MessageFault], version: int | None) -> SettledMessage:
    said = "; ".join(f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in faults[:3])
    return SettledMessage(MessageOutcome.QUARANTINED, said, faults=tuple(faults), mapping_version=version)
