"""Messages that were or are to be sent."""

from typing import Literal

from pydantic import BaseModel, Field

from api.http.models import Page
from dom.notifications.messages import MessageKind
from dom.orders.calls import Reason, Request
from dom.shared.base import Utc
from store.enums import MessageStatus

Medium = Literal["mail", "webhook"]


class MessageSummary(BaseModel):
    """A message that was or is to be sent; whom it goes to stands with its order."""

    id: int = Field(description="Counts up with every message written.")
    order_id: str
    message_key: str
    kind: MessageKind
    medium: Medium
    status: MessageStatus
    created_at: Utc
    sent_at: Utc | None


class MessageList(Page):
    """A page of messages, newest first."""

    items: list[MessageSummary]


class ResendRequest(Request):
    """Why a message is sent once more."""

    reason: Reason = ""


class MessageResent(BaseModel):
    """The message that was written now, and the one that it says again."""

    message: MessageSummary = Field(description="As it stands now; it goes out by itself.")
    resent: int = Field(description="The number of the message that was sent once more.")
