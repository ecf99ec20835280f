"""The inbox: a channel's message is kept as it came before anything is made of it, and whoever takes it in is told.

Receiving is one short transaction, so that the sender is answered at once. Nothing is dropped: what cannot be read, or
names no order, waits in quarantine for a person.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.channels.registry import CONNECTORS, serving
from connectors.secrets.port import SecretStore, SecretUnsafeError
from dom.channels import intake
from dom.channels.connection import Platform
from dom.channels.faults import FaultCode, MessageFault
from dom.channels.mapping.applying import can_be_number
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import InboundMessage, MessageIdentity
from dom.channels.outcomes import REPLAYED, MessageOutcome, MessageSource
from dom.shared.errors import BadSignature, Conflict
from services.database import Database
from store.connections import connections
from store.inbox import channel_orders, mappings, messages
from store.inbox.mappings import PublishedMapping
from store.inbox.messages import KeptMessage, SettledMessage
from store.notifications import outbox

_NO_NUMBER: Final = "it names no order: the mapping's `number` finds nothing in it"
_NO_MAPPING: Final = "the channel has no published mapping"
_NOT_KEPT: Final = re.compile(r"auth|cookie|secret|token|passw|api-?key|credential")
"""In the names of headers that are secrets of the sender, or of a proxy between us."""


async def deliver(
    database: Database, secrets: SecretStore, channel: str, headers: Mapping[str, str], body: bytes
) -> KeptMessage | None:
    """Keep what a platform's webhook brings, if it is signed with the channel's secret; None for one that only tries
    whether somebody is there.

    Raises BadSignature, also for a channel that is not connected or has no secret: who may not send learns nothing.
    """
    async with database.statement() as connection:
        kept = await connections.find(connection, channel)
    kind = serving(None if kept is None else kept.connection.platform)
    try:
        secret = secrets.get(channel, kind.signs) if kept is not None and kind.signs else None
    except (SecretUnsafeError, UnicodeError, OSError):
        secret = None
    if not secret or not kind.is_signed(secret, headers, body):
        if any(each.is_ping(headers, body) for each in CONNECTORS.values()):
            return None  # of any channel, also of one that is none: nobody learns which there are
        raise BadSignature(f"the message is not signed as channel {channel} signs")
    if kind.is_ping(headers, body):
        return None
    return await receive(database, channel, MessageSource.WEBHOOK, headers, body)


async def receive(
    database: Database, channel: str, source: MessageSource, headers: Mapping[str, str], body: bytes
) -> KeptMessage:
    """Keep a message, and have it taken in. One that came before is counted, and nothing more is done."""
    async with database.transaction() as connection:
        mapping = await mappings.live(connection, channel)
        kept = await connections.find(connection, channel)
        kind = serving(None if kept is None else kept.connection.platform)
        identity = kind.identify(headers, body, None if mapping is None else mapping.mapping)
        return await keep(connection, message(channel, source, identity, headers, body, database.now()), mapping)


def message(
    channel: str,
    source: MessageSource,
    identity: MessageIdentity,
    headers: Mapping[str, str],
    body: bytes,
    received_at: datetime,
) -> InboundMessage:
    """A message as it came, without what is secret in its headers."""
    kept_headers = tuple((name, value) for name, value in headers.items() if not _NOT_KEPT.search(name))
    return InboundMessage(channel, source, identity, kept_headers, body, received_at)


async def keep(connection: AsyncConnection, message: InboundMessage, mapping: PublishedMapping | None) -> KeptMessage:
    """Keep a message, and have it taken in, in this transaction."""
    kept = await messages.keep(connection, message)
    if kept.is_new:
        about = _About(message.channel, message.identity.order_number, message.identity.reference)
        await _hand_on(connection, kept.id, about, has_mapping=mapping is not None, key="received")
    return kept


@dataclass(frozen=True, slots=True)
class _About:
    """The order that a message is about: by its number, or by the platform's own id of it."""

    channel: str
    number: str | None
    reference: str | None


async def _hand_on(connection: AsyncConnection, message_id: int, about: _About, *, has_mapping: bool, key: str) -> None:
    number = about.number
    if number is None and about.reference is not None:
        number = await channel_orders.number_of(connection, about.channel, about.reference)
        if number is not None:
            await messages.put_number(connection, message_id, number)
    if number is not None:
        await outbox.write(connection, outbox.to_channel_order(about.channel, number, key=f"inbox/{message_id}/{key}"))
    elif about.reference is not None:
        entry = outbox.to_channel_order(about.channel, "", about.reference, key=f"inbox/{message_id}/{key}")
        await outbox.write(connection, entry)
    else:
        code, said = (FaultCode.UNREADABLE, _NO_NUMBER) if has_mapping else (FaultCode.NO_MAPPING, _NO_MAPPING)
        fault = MessageFault(code=code, message=said)
        await messages.settle(connection, message_id, SettledMessage(MessageOutcome.QUARANTINED, said, faults=(fault,)))


async def number_found(database: Database, message_id: int, channel: str, number: str) -> None:
    """It is known now which order a message is about: it has its turn among that order's messages."""
    async with database.transaction() as connection:
        await messages.locked(connection, message_id)
        if await messages.stands_twice(connection, message_id, number):
            await messages.settle_as_duplicate(connection, message_id)
            return
        await messages.put_number(connection, message_id, number)
        await outbox.write(connection, outbox.to_channel_order(channel, number, key=f"inbox/{message_id}/found"))


async def wake(connection: AsyncConnection, now: datetime, waited: timedelta) -> None:
    """Write anew the notice of each order of which a message has waited so long; once an hour for the same message."""
    for row in await messages.forgotten(connection, now - waited):
        key = f"inbox/{row['id']}/woken-{now:%Y-%m-%dT%H}"
        entry = outbox.to_channel_order(row["channel"], row["order_number"] or "", row["reference"] or "", key=key)
        await outbox.write(connection, entry)


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
    mapping = await mappings.live(connection, row["channel"])
    read_by = None if mapping is None else mapping.mapping
    kept = await connections.find(connection, row["channel"])
    read = _read_number(row, read_by, None if kept is None else kept.connection.platform)
    number = _repaired_number({**row["repairs"], **repairs}) or read or row["order_number"]
    if number is not None and await messages.stands_twice(connection, message_id, number):
        await messages.settle_as_duplicate(connection, message_id)
        return Replayed(message_id, MessageOutcome.DUPLICATE)
    times = await messages.reopen(connection, message_id, number, repairs)
    about = _About(row["channel"], number, row["reference"])
    await _hand_on(connection, message_id, about, has_mapping=mapping is not None, key=f"replay-{times}")
    return Replayed(message_id, MessageOutcome((await messages.locked(connection, message_id))["outcome"]))


async def dismiss(database: Database, message_id: int, reason: str, by: str) -> None:
    """Say that nothing is to be made of a message in quarantine. It may still be replayed. A repeat does nothing more.

    Raises NotFound, Conflict for one that is not in quarantine.
    """
    async with database.transaction() as connection:
        outcome = MessageOutcome((await messages.locked(connection, message_id))["outcome"])
        if outcome is MessageOutcome.DISMISSED:
            return
        if outcome is not MessageOutcome.QUARANTINED:
            raise Conflict(f"the message is {outcome}", data={"outcome": outcome})
        await messages.dismiss(connection, message_id, f"dismissed by {by}: {reason}")


def _repaired_number(repairs: Mapping[str, Any]) -> str | None:
    """The number that a person says the order has."""
    given = intake.as_field("number", repairs.get("number"))
    return given if isinstance(given, str) and can_be_number(given) else None


def _read_number(row: RowMapping, mapping: ChannelMapping | None, platform: Platform | None) -> str | None:
    """The number that the mapping of today finds: that of the day it came may have found another."""
    return serving(platform).identify(row["headers"], row["body"], mapping).order_number
