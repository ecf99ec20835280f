"""Any sender of JSON that comes with an API key: a shop's plug-in, an integration platform, a script.

A delivery is told by its `webhook-id` (Standard Webhooks) or `idempotency-key`, else by its content. What it is about
says the channel's mapping: the field `number`.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from dom.channels.mapping.applying import order_number
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity
from dom.shared.texts import keepable

_ID_HEADERS: Final = ("webhook-id", "idempotency-key")
_TOPIC_HEADERS: Final = ("webhook-topic", "x-topic")
_LONGEST: Final = 200


class GenericConnector:
    """Reads what any sender posts."""

    def identify(self, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """By headers, and by the mapping; a message without an id of its own is told by its content."""
        given = next((headers[name] for name in _ID_HEADERS if headers.get(name)), "")
        topic = next((headers[name] for name in _TOPIC_HEADERS if headers.get(name)), "")
        return MessageIdentity(
            delivery_id=_delivery(given) or f"sha256:{hashlib.sha256(body).hexdigest()}",
            topic=keepable(topic)[:_LONGEST],
            order_number=_number(body, mapping),
        )


def _delivery(given: str) -> str:
    """The sender's id. One that is too long is told by its hash: cut off, two could be the same, and one be lost."""
    told = keepable(given)
    return told if len(told) <= _LONGEST else f"long:{hashlib.sha256(told.encode()).hexdigest()}"


def _number(body: bytes, mapping: ChannelMapping | None) -> str | None:
    if mapping is None:
        return None
    try:
        return order_number(mapping, json.loads(body))
    except (ValueError, RecursionError):
        return None
