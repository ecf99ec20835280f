"""Corrections, rules made of repairs and rates, as callers see them."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from api.http.models import Page
from dom.channels.channel_order import ChannelOrder
from dom.channels.correction_rules import RuleRehearsal, RuleStatus
from dom.channels.corrections import FieldCorrection
from dom.channels.faults import FaultCode, MessageFault
from dom.channels.outcomes import MessageOutcome
from dom.shared.base import ChannelId, Utc, Value

CorrectionId = Annotated[int, Path(ge=1, le=10**18, description="The correction's number.", examples=[5])]
RuleId = Annotated[int, Path(ge=1, le=10**18, description="The rule's number.", examples=[3])]
FieldPattern = Annotated[
    str, Field(min_length=1, max_length=60, pattern=r"^[a-z_]+(\[(\d{1,3}|\*)\])?(\.[a-z_]+(\[(\d{1,3}|\*)\])?)?$")
]
"""A field, or the same field of every line: `ship_to.country`, `lines[*].sku`."""
Meant = Annotated[str, Field(max_length=2000)] | list[Annotated[str, Field(max_length=200)]] | None
"""A value as a person writes it; numbers as their digits, lines of an address as a list."""


class ReplayAlike(Value):
    """Which messages are alike, and what is to stand in place of what they have in common."""

    channel: ChannelId
    code: FaultCode = Field(description="The fault that they have.")
    field: FieldPattern = Field(description="The field at fault; `lines[*].sku` is that of any line.")
    value: Annotated[str, Field(max_length=200)] = Field(description="What stands there, as the fault has it.")
    repair: Meant = Field(
        default=None,
        description="What is to stand there; left out: they are read again as they are. Null takes it out.",
    )
    after: int = Field(default=0, ge=0, le=10**18, description="Only messages with a higher number: the last one's.")
    limit: int = Field(default=100, ge=1, le=500, description="So many at most, the oldest first.")


class MessageTried(BaseModel):
    """What a message would be read as now."""

    order: ChannelOrder | None = Field(description="The order as the channel states it; null: it would be held.")
    faults: list[MessageFault] = Field(description="What would be wrong with it, by field, with proposals.")
    applied: list[FieldCorrection] = Field(description="What would be corrected by itself.")
    proposed: list[FieldCorrection] = Field(description="What would be proposed.")


class ReplayedMessage(BaseModel):
    """What became of one of them."""

    id: int = Field(description="The message's number.")
    outcome: MessageOutcome | None = Field(description="`received`: it waits for its turn; null: see `problem`.")
    problem: str | None = Field(description="Why it could not be replayed.")


class ReplayedMessages(BaseModel):
    """What became of each."""

    items: list[ReplayedMessage]
    more: bool = Field(description="Whether others are left; call again with `after`.")


class RuleRate(BaseModel):
    """How many corrections of a rule stand where."""

    rule: str = Field(description="A name of docs/channels.md, or `learned:` and a rule's number.")
    applied: int = Field(description="Made by themselves.")
    proposed: int = Field(description="Waiting for a person.")
    accepted: int = Field(description="Taken by a person.")
    rejected: int = Field(description="Wrong, as a person says.")


class CorrectionDay(BaseModel):
    """What was corrected of a channel's messages on a day."""

    channel: str
    day: str = Field(description="A day in UTC.")
    messages: int = Field(description="Messages that came.")
    quarantined: int = Field(description="Of them those that wait in quarantine now.")
    quarantine_share: int = Field(description="The same, per mille.")
    rules: list[RuleRate]


class CorrectionRates(BaseModel):
    """Rates of corrections, by channel and day, the newest day first."""

    items: list[CorrectionDay]


class MakeCorrectionRule(Value):
    """A rule: what stands in a field of a channel's messages, and what is meant by it."""

    field: FieldPattern = Field(description="The field; that of one line stands for that of every line.")
    before: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="What stands there; left out: what stood in the message."
    )
    after: Meant = Field(default=None, description="What is meant; left out: the message's repair. Null: nothing.")
    message_id: int | None = Field(
        default=None, ge=1, le=10**18, description="A message in which the field was repaired."
    )
    comment: str = Field(default="", max_length=1000, description="Why; kept with the rule.")


class ChannelCorrectionRule(BaseModel):
    """A rule of a channel. It acts while it is live."""

    id: int = Field(description="It is rehearsed, published and retired under it.")
    channel: str
    field: str = Field(description="The field that it is about; `lines[*].sku` is that of every line.")
    before: str = Field(description="What stands there.")
    after: Any = Field(description="What is meant; null: nothing.")
    status: RuleStatus
    message_id: int | None = Field(description="The repaired message that it was made of.")
    comment: str
    rehearsal: RuleRehearsal | None = Field(description="What it would have done to the messages of the last 30 days.")
    rehearsed_at: Utc | None = Field(description="When that was tried last, in UTC.")
    created_by: str
    created_at: Utc
    changed_by: str = Field(description="Who changed last where it stands.")
    changed_at: Utc = Field(description="When that was, in UTC.")


class ChannelCorrectionRules(Page):
    """Rules, the newest first."""

    items: list[ChannelCorrectionRule]
