"""Messages of channels and their mappings, as callers see them."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from api.http.models import Page
from dom.channels.channel_order import ChannelOrder
from dom.channels.corrections import CorrectionStatus
from dom.channels.faults import MessageFault
from dom.channels.mapping.document import Mapping
from dom.channels.outcomes import MessageOutcome, MessageSource
from dom.documents.findings import Finding
from dom.shared.base import Utc, Value

InboxId = Annotated[int, Path(ge=1, le=10**18, description="The message's number.", examples=[1])]
MappingVersion = Annotated[int, Path(ge=1, le=999_999_999, description="The version's number.", examples=[1])]
Field_ = Annotated[
    str, Field(min_length=1, max_length=60, pattern=r"^[a-z_]+(\[\d{1,3}\])?(\.[a-z_]+(\[\d{1,3}\])?)?$")
]
"""A field of an order as mappings fill it: `ship_to.country`, `ship_to.lines[1]`, `lines[0].sku`."""
Repaired = str | int | bool | list[Annotated[str, Field(max_length=200)]] | None


class MessageReceived(BaseModel):
    """That a message is kept."""

    id: int = Field(description="The message's number; it is looked up and replayed under it.")
    repeated: bool = Field(description="Whether it was kept before: by its delivery's id, or by its content.")


class ChannelMessage(BaseModel):
    """A message of a channel, and what became of it."""

    id: int = Field(description="It is looked up and replayed under it.")
    channel: str
    source: MessageSource = Field(description="How it came.")
    delivery_id: str = Field(description="The sender's id of the delivery; a hash of the content where it has none.")
    event_id: str | None = Field(description="The sender's id of what happened, where it has one.")
    topic: str = Field(description="What it is about, in the sender's word.")
    order_number: str | None = Field(description="The channel's own number; null: it names none, or cannot be read.")
    received_at: Utc
    outcome: MessageOutcome
    detail: str = Field(description="Why, in words.")
    order_id: str | None = Field(description="The order it is about, once there is one.")
    faults: list[MessageFault] = Field(description="What is wrong with it, by field.")
    repairs: dict[str, Any] = Field(description="What a person put in place of fields.")
    repeats: int = Field(description="How often it came once more.")
    replays: int = Field(description="How often it had its turn once more.")
    mapping_version: int | None = Field(description="The version of the mapping that it was read by last.")
    settled_at: Utc | None = Field(description="When it was known what became of it, in UTC.")


class MessageCorrection(BaseModel):
    """A correction of a message: made, proposed, or decided by a person."""

    id: int = Field(description="It is accepted and rejected under it.")
    field: str = Field(description="A field of the order as mappings fill it.")
    before: Any = Field(description="What stood there.")
    after: Any = Field(description="What stands there now, or would; null: nothing.")
    rule: str = Field(description="What corrects: a name of docs/channels.md, or `learned:` and a rule's number.")
    confidence: int = Field(description="Per mille of such changes that are right.")
    why: str = Field(description="Why, in words.")
    status: CorrectionStatus
    found_at: Utc = Field(description="When it was found first, in UTC.")
    decided_by: str | None = Field(description="Who accepted or rejected it.")
    decided_at: Utc | None = Field(description="When that was, in UTC.")


class ChannelMessageDetail(ChannelMessage):
    """A message with what came."""

    reference: str | None = Field(description="The platform's own id of the order, where it has one.")
    fetched: str | None = Field(
        description="The order's state as its platform had it when the message had its turn; null: what came was read."
    )
    fetched_at: Utc | None = Field(description="When that was asked for.")
    corrections: list[MessageCorrection] = Field(description="What was corrected, and what is proposed.")
    headers: dict[str, str] = Field(description="As they came, without what is secret.")
    body: str = Field(description="As it came; bytes that are no UTF-8 are written as their escapes.")


class ChannelMessages(Page):
    """A page of messages, the newest first."""

    items: list[ChannelMessage]


class Replay(Value):
    """What is to stand in place of fields of the order; nothing: the message is read again as it is."""

    repairs: dict[Field_, Repaired] = Field(
        default={},
        max_length=100,
        description="Values by field, as mappings name them: `ship_to.country`, `lines[0].sku`. "
        "Earlier ones stay; null takes out what stands there.",
    )


class Dismissal(Value):
    """Why nothing is to be made of a message."""

    reason: str = Field(min_length=1, max_length=500, description="In words; kept with the message.")


class InboxDay(BaseModel):
    """How many messages of a channel and day became what."""

    channel: str
    day: str = Field(description="A day in UTC.")
    received: int = Field(description="Messages that came, repeats among them.")
    repeated: int = Field(description="Of them those that had come before.")
    outcomes: dict[MessageOutcome, int] = Field(description="What became of the others; together they are all of them.")


class InboxBalance(BaseModel):
    """What became of all that came, by channel and day, the newest day first."""

    items: list[InboxDay]


class MappingSummary(BaseModel):
    """A published version of a channel's mapping."""

    channel: str
    version: int
    name: str
    comment: str
    published_by: str
    published_at: Utc


class MappingVersions(Page):
    """Published versions, newest first."""

    items: list[MappingSummary]


class MappingDetail(MappingSummary):
    """A version with its document."""

    document: Mapping
    source: str = Field(description="The text it was written in, comments kept.")


class MappingChecked(BaseModel):
    """What is wrong with a mapping."""

    valid: bool = Field(description="Whether it could be published: nothing found is an error.")
    findings: list[Finding]


class MappingPreviewed(BaseModel):
    """What a mapping makes of a message that came."""

    id: int = Field(description="The message's number.")
    order: ChannelOrder | None = Field(description="The order as the channel states it; null where it cannot be read.")
    faults: list[MessageFault] = Field(description="What cannot be read of it, by field.")


class MappingPreview(BaseModel):
    """What a mapping makes of the channel's last messages."""

    readable: int = Field(description="Messages of which an order can be read.")
    messages: list[MappingPreviewed]
