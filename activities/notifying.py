"""Notifying: what was written to be told is sent, by mail and webhook, each message once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from connectors.notifications.port import Medium, OutboundMessage, Sender, TemporaryFailureError
from connectors.notifications.templates import MessageContext, MessageLine, postal_address, render
from dom.exceptions import ExceptionKind
from dom.notifications.messages import MessageKind
from dom.orders.order import Promise
from dom.shared.base import Value
from dom.shared.errors import OutsideFailure
from dom.shared.money import Money
from store import exceptions
from store.database.engine import is_unavailable
from store.enums import MessageStatus
from store.notifications import messages

_PAUSES_FOR_THE_DATABASE: Final = (0.2, 0.5, 1, 2, 4, 8, 8)
"""Seconds; together well below the time an attempt of the activity has."""


class SendMessages(Value):
    """Send what was written for an occasion of an order."""

    order_id: str
    occasion: str


@dataclass(frozen=True, slots=True)
class Notifying:
    """Messages on their way out; `senders` by medium, `webhook_url` where webhooks go."""

    database: Database
    senders: Mapping[Medium, Sender]
    webhook_url: str = ""

    @activity.defn(name="send_messages")
    async def send_messages(self, request: SendMessages) -> int:
        """Send the occasion's unsent messages; answers how many went out.

        A message is claimed when it is ready to leave. Put off by its receiver, it is free again and the activity is
        retried; refused for good, or lost in a crash, it stands in the exception queue.
        """
        async with self.database.statement() as connection:
            unsent = await messages.unsent(connection, request.order_id, request.occasion)
            ready = {row["id"]: await self._compose(connection, request.order_id, row) for row in unsent}
            claimed = await messages.claim(connection, request.order_id, request.occasion)
        sent, put_off = 0, None
        for row in claimed:
            if row["status"] != MessageStatus.SENDING:
                continue
            try:
                sent += await self._send(request, row, ready[row["id"]])
            except TemporaryFailureError as error:
                put_off = error
        if put_off is not None:
            raise put_off
        return sent

    @activity.defn(name="give_up_messages")
    async def give_up_messages(self, request: SendMessages) -> None:
        """What could not be told in all this time is put before a person; safe to repeat."""
        async with self.database.statement() as connection:
            await messages.give_up(connection, request.order_id, request.occasion)

    async def _send(self, request: SendMessages, row: RowMapping, message: OutboundMessage) -> int:
        try:
            await self.senders[message.medium].send(message)
        except TemporaryFailureError as error:
            await self._settle(row, MessageStatus.PENDING, str(error))
            raise
        except OutsideFailure as error:
            await self._settle(row, MessageStatus.FAILED, error.detail)
            async with self.database.transaction() as connection:
                await exceptions.open_(
                    connection, request.order_id, ExceptionKind.MESSAGE_REFUSED, row["business_key"], error.detail
                )
            return 0
        await self._settle(row, MessageStatus.SENT)
        return 1

    async def _settle(self, row: RowMapping, status: MessageStatus, error: str = "") -> None:
        """Write what became of a message: only we know it, so a database that is away for a moment is waited for."""
        for pause in _PAUSES_FOR_THE_DATABASE:
            try:
                await self._write(row, status, error)
            except DBAPIError as lost:
                if not is_unavailable(lost):
                    raise
                await asyncio.sleep(pause)
            else:
                return
        await self._write(row, status, error)

    async def _write(self, row: RowMapping, status: MessageStatus, error: str) -> None:
        async with self.database.statement() as connection:
            await messages.settle(connection, row["id"], status, error)

    async def _compose(self, connection: AsyncConnection, order_id: str, row: RowMapping) -> OutboundMessage:
        about: dict[str, Any] = row["context"]
        known = await messages.details(
            connection, order_id, fulfilment_id=about.get("fulfilment_id"), node_id=about.get("node_id")
        )
        context = _context(known, about)
        kind = MessageKind(row["kind"])
        if row["medium"] == Medium.WEBHOOK:
            payload = {"type": f"order.{kind}", "data": context.model_dump(mode="json")}
            return OutboundMessage(
                key=row["business_key"], medium=Medium.WEBHOOK, recipient=self.webhook_url, payload=payload
            )
        letter = render(kind, context)
        return OutboundMessage(
            key=row["business_key"],
            medium=Medium.MAIL,
            recipient=row["recipient"],
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
        )


def _context(known: RowMapping, about: dict[str, Any]) -> MessageContext:
    units: dict[str, int] | None = about["lines"] if "lines" in about else known["f_lines"]
    earliest = known["f_earliest"] or known["promise_earliest"]
    latest = known["f_latest"] or known["promise_latest"]
    refund = about.get("refund")
    return MessageContext(
        order_id=known["id"],
        external_id=known["external_id"],
        channel=known["channel"],
        customer_name=known["customer_name"],
        lines=_lines(known, units),
        ships=_lines(known, about.get("ships", {})),
        cannot_be_sent=_lines(known, about.get("cannot_be_sent", {})),
        promise=Promise(earliest=earliest, latest=latest) if earliest and latest else None,
        tracking_number=known["tracking_number"] or "",
        carrier=known["carrier"] or "",
        node_name=known["node_name"] or "",
        refund=Money.model_validate(refund) if refund else None,
        node_address=postal_address(known["node_address"]),
        reason=about.get("reason", ""),
        gave_up=about.get("gave_up", False),
    )


def _lines(known: RowMapping, units: Mapping[str, int] | None) -> tuple[MessageLine, ...]:
    """The order's lines with so many units each; all of them as ordered for None."""
    return tuple(
        MessageLine(description=description or sku, sku=sku, quantity=quantity if units is None else units[line_id])
        for line_id, sku, description, quantity in known["lines"] or ()
        if units is None or units.get(line_id)
    )
