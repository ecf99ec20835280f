"""The inbox: a channel's message is kept as it came before anything is made of it, and whoever takes it in is told.

Receiving is one short transaction, so that the sender is answered at once. Nothing is dropped: what cannot be read, or
names no order, waits in quarantine for a person.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.channels.generic import GenericConnector
from connectors.channels.port import ChannelConnector
from dom.channels import intake
from dom.channels.faults import FaultCode, MessageFault
from dom.channels.mapping.applying import can_be_number
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import InboundMessage
from dom.channels.outcomes import REPLAYED, MessageOutcome, MessageSource
from dom.shared.errors import Conflict
from services.database import Database
from store.inbox import mappings, messages
from store.inbox.messages import KeptMessage, SettledMessage
from store.notifications import outbox

_CONNECTOR: Final[ChannelConnector] = GenericConnector()
_NO_NUMBER: Final = "it names no order: the mapping's `number` finds nothing in it"
_NO_MAPPING: Final = "the channel has no published mapping"
_NOT_KEPT: Final = re.compile(r"auth|cookie|secret|token|passw|api-?key|credential")
"""In the names of headers that are secrets of the sender, or of a proxy between us."""


async def receive(
    database: Database, channel: str, source: MessageSource, headers: Mapping[str, str], body: bytes
) -> KeptMessage:
    """Keep a message, and have it taken in. One that came before is counted, and nothing more is done."""
    async with database.transaction() as connection:
        mapping = await mappings.live(connection, channel)
        read_by = None if mapping is None else mapping.mapping
        identity = _CONNECTOR.identify(headers, body, read_by)
        kept_headers = tuple((name, value) for name, value in headers.items() if not _NOT_KEPT.search(name))
        message = InboundMessage(channel, source, identity, kept_headers, body, database.now())
        kept = await messages.keep(connection, message)
        if kept.is_new:
            await _hand_on(connection, kept.id, channel, identity.order_number, read_by, key="received")
    return kept


async def _hand_on(
    connection: AsyncConnection,
    message_id: int,
    channel: str,
    number: str | None,
    mapping: ChannelMapping | None,
    *,
    key: str,
) -> None:
    if number is not None:
        await outbox.write(connection, outbox.to_channel_order(channel, number, key=f"inbox/{message_id}/{key}"))
        return
    code, said = (FaultCode.NO_MAPPING, _NO_MAPPING) if mapping is None else (FaultCode.UNREADABLE, _NO_NUMBER)
    fault = MessageFault(code=code, message=said)
    await messages.settle(connection, message_id, SettledMessage(MessageOutcome.QUARANTINED, said, faults=(fault,)))


@dataclass(frozen=True, slots=True)
class Replayed:
    """A message that has its turn once more."""

    id: int
    outcome: MessageOutcome


async def replay(database: Database, message_id: int, repairs: Mapping[str, Any]) -> Replayed:
    """Let a message have its turn once more, with values that a person put in place of fields.

    Raises NotFound, Conflict for one that did something already or waits for its turn.
    """
    async with database.transaction() as connection:
        return await replay_within(connection, message_id, repairs)


async def replay_within(connection: AsyncConnection, message_id: int, repairs: Mapping[str, Any]) -> Replayed:
    """The same as a part of a transaction."""
    row = await messages.locked(connection, message_id)
    if MessageOutcome(row["outcome"]) not in REPLAYED:
        raise Conflict(f"the message is {row['outcome']}", data={"outcome": row["outcome"]})
    number = row["order_number"]
    mapping = await mappings.live(connection, row["channel"])
    read_by = None if mapping is None else mapping.mapping
    number = _repaired_number({**row["repairs"], **repairs}) or _read_number(row, read_by) or number
    if number is not None and await messages.stands_twice(connection, message_id, number):
        await messages.settle_as_duplicate(connection, message_id)
        return Replayed(message_id, MessageOutcome.DUPLICATE)
    times = await messages.reopen(connection, message_id, number, repairs)
    await _hand_on(connection, message_id, row["channel"], number, read_by, key=f"replay-{times}")
    return Replayed(message_id, MessageOutcome((await messages.locked(connection, message_id))["outcome"]))


def _repaired_number(repairs: Mapping[str, Any]) -> str | None:
    """The number that a person says the order has."""
    given = intake.as_field("number", repairs.get("number"))
    return given if isinstance(given, str) and can_be_number(given) else None


def _read_number(row: RowMapping, mapping: ChannelMapping | None) -> str | None:
    """The number that the mapping of today finds: that of the day it came may have found another."""
    return _CONNECTOR.identify({}, row["body"], mapping).order_number
