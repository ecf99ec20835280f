"""What the system asks of whatever carries its messages."""

from typing import Any, Protocol

from pydantic import Field

from dom.notifications.messages import Medium
from dom.shared.base import Value


class OutboundMessage(Value):
    """A message, ready to go.

    `key` is the business key: a repeat carries the same one, as the mail's Message-ID or as `webhook-id`, so that the
    receiver can tell. `recipient` is a mail address or a URL. A mail is made of `subject`, `text` and `html`, a webhook
    of `payload`, a JSON object.
    """

    key: str = Field(min_length=1, max_length=400, examples=["web-536365-order_confirmed"])
    medium: Medium
    recipient: str = Field(min_length=1, max_length=2000)
    subject: str = ""
    text: str = ""
    html: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)


class TemporaryFailureError(Exception):
    """The message did not go out now; the same message may go out later."""


class ReceiverNotFoundError(Exception):
    """There is nobody any more who could be told."""


class Sender(Protocol):
    """Carries messages of one medium."""

    async def send(self, message: OutboundMessage) -> None:
        """Hand the message over; returns once the other side took it.

        TemporaryFailureError: try again later. OutsideFailure: refused for good.
        ReceiverNotFoundError: nobody is there.
        """

    async def close(self) -> None:
        """Let go of open connections."""
