"""Messages of channels as they come in: raw, kept once, and what became of each."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from dom.shared.base import Value

MOST_BYTES: Final = 2_000_000
"""Of a message; larger ones come as files."""


class MessageSource(StrEnum):
    """How a message came."""

    WEBHOOK = "webhook"
    """The channel sent it."""
    POLL = "poll"
    """It was asked for, page by page."""
    RECONCILE = "reconcile"
    """It was asked for when the channel's orders were compared with ours."""
    FILE = "file"
    """A row or record of a file."""
    EDI = "edi"
    """An interchange of a trading partner."""


class MessageOutcome(StrEnum):
    """What became of a message. Each is in one of these at any time, so that they add up to all that came in."""

    RECEIVED = "received"
    """It waits for its turn."""
    CAPTURED = "captured"
    """It became an order."""
    CHANGED = "changed"
    """It changed an order."""
    UNCHANGED = "unchanged"
    """The order is known, and as the message says."""
    STALE = "stale"
    """A later state of the order was known already."""
    DUPLICATE = "duplicate"
    """The same content came before, under another delivery id."""
    IGNORED = "ignored"
    """It is none that an order is made of: a draft, a test, a payment that was never made, a ping."""
    QUARANTINED = "quarantined"
    """A person must look at it; it is replayed once it is repaired."""
    REFUSED = "refused"
    """It cannot become an order, and the channel was told why."""


FINAL: Final = frozenset(MessageOutcome) - {MessageOutcome.RECEIVED, MessageOutcome.QUARANTINED}
"""Outcomes after which nothing more happens to a message unless it is replayed."""


class ChannelOrderRef(Value):
    """An order of a channel, by the channel's own number."""

    channel: str
    number: str


@dataclass(frozen=True, slots=True)
class MessageIdentity:
    """What tells a message from others, as its connector reads it: the sender's id of this delivery, what it is about,
    and the number of the order it is about; None where it names none or cannot be read.

    `event_id` is the id of what happened, where the channel has one beside that of the delivery.
    """

    delivery_id: str
    topic: str = ""
    order_number: str | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message as it came: bytes and headers are kept as they are."""

    channel: str
    source: MessageSource
    identity: MessageIdentity
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: datetime

    @property
    def content_hash(self) -> str:
        """SHA-256 of the body: the same content under another delivery id is the same message."""
        return hashlib.sha256(self.body).hexdigest()
