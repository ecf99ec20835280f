"""What the system asks of a connector of a sales channel."""

from collections.abc import Mapping
from typing import Protocol

from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity


class ChannelConnector(Protocol):
    """A kind of channel: how its messages come and are told apart. It holds no state of its own."""

    def identify(self, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """What tells a message from others. Headers have lower-case names. Raises nothing: what cannot be read has no
        order number.
        """
