"""A partner who drops files into a folder, and whoever reads them."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from connectors.channels.port import ChannelConnector, FeedSpan, ListedOrder
from dom.channels.connection import Connection, Platform

EVER: Final = FeedSpan(since=datetime(1970, 1, 1, tzinfo=UTC))
"""Files are read whole: the span says nothing of them."""


def connection(folder: Path | str, platform: Platform = Platform.FILES, **settings: Any) -> Connection:
    """A connection to a folder whose files are read as soon as they are there."""
    return Connection(platform=platform, settings={"folder": str(folder), "settle_seconds": 0, **settings})


class Inbox:
    """What was kept: of each delivery the first message, and how many came at all. The position is kept with it."""

    def __init__(self) -> None:
        self.kept: dict[str, ListedOrder] = {}
        self.came = 0
        self.pages = 0
        self.position: dict[str, Any] = {}

    async def pull(self, connector: ChannelConnector, most_pages: int = 10_000) -> "Inbox":
        """Read until there is nothing more, or for so many pages."""
        for _ in range(most_pages):
            page = await connector.page(self.position, EVER)
            for each in page.orders:
                self.kept.setdefault(each.delivery_id, each)
            self.came += len(page.orders)
            # Through JSON, as it is kept.
            self.position = json.loads(json.dumps(page.position))
            self.pages += 1
            if page.done:
                break
        return self

    @property
    def bodies(self) -> list[bytes]:
        """What was kept, in the sequence in which it came."""
        return [each.body for each in self.kept.values()]

    def orders(self, what: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
        """Something of each message that is JSON."""
        readable = [each for each in self.kept.values() if not each.delivery_id.startswith("raw:")]
        return [what(json.loads(each.body)) for each in readable]

    @property
    def raw(self) -> list[bytes]:
        """What could not be read."""
        return [each.body for each in self.kept.values() if each.delivery_id.startswith("raw:")]
