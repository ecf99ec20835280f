"""Mappings of channels: published if they have no mistakes, and tried on messages that came."""

import json
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels import intake
from dom.channels.channel_order import ChannelOrder
from dom.channels.correcting import engine
from dom.channels.faults import FaultCode, MessageFault
from dom.channels.mapping.applying import apply
from dom.channels.mapping.document import Mapping
from dom.channels.mapping.reading import CheckedMapping
from store.inbox import mappings, messages
from store.inbox.mappings import PublishedMapping


@dataclass(frozen=True, slots=True)
class LiveMapping:
    """The live version, and whether it is a new one."""

    mapping: PublishedMapping
    is_new: bool


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a mapping makes of a message."""

    message_id: int
    order: ChannelOrder | None
    faults: tuple[MessageFault, ...]


async def publish(
    connection: AsyncConnection, channel: str, checked: CheckedMapping, by: str, comment: str
) -> LiveMapping:
    """Publish a mapping as the channel's next version. What is live already makes none. Raises MappingInvalid."""
    mapping = checked.publishable()
    await mappings.one_at_a_time(connection, channel)
    live = await mappings.live(connection, channel)
    if live is not None and live.mapping == mapping:
        return LiveMapping(live, is_new=False)
    version = await mappings.publish(connection, channel, mapping, source=checked.text, comment=comment, by=by)
    return LiveMapping(await mappings.get(connection, channel, version), is_new=True)


async def preview(connection: AsyncConnection, channel: str, mapping: Mapping, most: int) -> list[Previewed]:
    """What a mapping makes of the channel's last messages, the newest first: corrected, but for SKUs, of which the
    catalogue is not asked.
    """
    return [_read(mapping, row["id"], row["body"]) for row in await messages.latest(connection, channel, most)]


def _read(mapping: Mapping, message_id: int, body: bytes) -> Previewed:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Previewed(
            message_id, None, (MessageFault(code=FaultCode.UNREADABLE, message=f"it is no JSON: {error}"),)
        )
    correcting = engine.begin(apply(mapping, message), mapping=mapping)
    correcting.tidy()
    order, faults = intake.checked(correcting.mapped(), {})
    return Previewed(message_id, order, engine.explained(faults, correcting.proposed, correcting.doubts))
