"""Any sender of JSON that comes with an API key, or signs: a shop's plug-in, an integration platform, a script.

A delivery is told by its `webhook-id` (Standard Webhooks) or `idempotency-key`, else by its content. What it is about
says the channel's mapping: the field `number`. Signatures are those of the Standard Webhooks specification
(standardwebhooks.com, version 1).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import ClassVar, Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.channels.port import ChannelConnector
from dom.channels.connection import Platform
from dom.channels.mapping.applying import order_number
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity, content_id
from dom.shared.texts import keepable

_ID_HEADERS: Final = ("webhook-id", "idempotency-key")
_TOPIC_HEADERS: Final = ("webhook-topic", "x-topic")
_LONGEST: Final = 200


class GenericConnector(ChannelConnector):
    """Reads what any sender posts. Nobody can be asked: each message is a state of its order."""

    platform: ClassVar[Platform] = Platform.WEBHOOK
    signs: ClassVar[str | None] = "webhook_secret"

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """By headers, and by the mapping; a message without an id of its own is told by its content."""
        given = next((headers[name] for name in _ID_HEADERS if headers.get(name)), "")
        topic = next((headers[name] for name in _TOPIC_HEADERS if headers.get(name)), "")
        return MessageIdentity(
            delivery_id=_delivery(given) or content_id(body),
            topic=keepable(topic)[:_LONGEST],
            order_number=number_in(body, mapping),
        )

    @classmethod
    def is_signed(cls, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the message is signed with the secret (whsec_ + base64), and not older than five minutes."""
        try:
            Webhook(secret).verify(body, dict(headers))
        except json.JSONDecodeError:
            return True  # the signature was compared first; what it says is the inbox's matter
        except (WebhookVerificationError, ValueError, RecursionError):
            return False
        return True


def _delivery(given: str) -> str:
    """The sender's id. One that is too long is told by its hash: cut off, two could be the same, and one be lost."""
    told = keepable(given)
    return told if len(told) <= _LONGEST else f"long:{hashlib.sha256(told.encode()).hexdigest()}"


def number_in(body: bytes, mapping: ChannelMapping | None) -> str | None:
    """The number of the order that a message is about, by the channel's mapping; None where it cannot be told."""
    if mapping is None:
        return None
    try:
        return order_number(mapping, json.loads(body))
    except (ValueError, RecursionError):
        return None
