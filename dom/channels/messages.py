"""Messages of channels as they come in: raw, kept once, and what became of each."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from dom.channels.outcomes import MessageSource
from dom.shared.base import Value


class ChannelOrderRef(Value):
    """An order of a channel, by the channel's own number; where that is not known yet (empty), by the platform's id."""

    channel: str
    number: str
    reference: str = ""


def content_id(body: bytes) -> str:
    """What stands for the id of a delivery that has none."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass(frozen=True, slots=True)
class MessageIdentity:
    """What tells a message from others, as its connector reads it: the sender's id of this delivery, what it is about,
    and the number of the order it is about; None where it names none or cannot be read.

    `event_id` is the id of what happened, where the channel has one beside that of the delivery; `reference` the
    platform's own id of the order, where it has one beside the number. `is_hint`: it only says that something changed,
    and the order's state is asked for.
    """

    delivery_id: str
    topic: str = ""
    order_number: str | None = None
    event_id: str | None = None
    reference: str | None = None
    is_hint: bool = False


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
        """SHA-256 of the body: the same content under another delivery id is the same message.

        Not so for hints: the same words a second time say that something changed once more.
        """
        told = self.identity.delivery_id.encode() + b"\0" if self.identity.is_hint else b""
        return hashlib.sha256(told + self.body).hexdigest()
