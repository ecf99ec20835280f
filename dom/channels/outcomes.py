"""How messages of channels come, and what becomes of them."""

from enum import StrEnum
from typing import Final


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


ASKED_FOR: Final = frozenset({MessageSource.POLL, MessageSource.RECONCILE})
"""What we asked for: looks overlap, and what is seen twice is nothing that the channel sent twice."""


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
    DISMISSED = "dismissed"
    """A person looked at it in quarantine, and nothing is to be made of it."""


REPLAYED: Final = frozenset(MessageOutcome) - {MessageOutcome.RECEIVED, MessageOutcome.CAPTURED, MessageOutcome.CHANGED}
"""What may be replayed: messages that changed nothing yet."""
