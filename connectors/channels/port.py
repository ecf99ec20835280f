"""What the system asks of a connector of a sales channel.

A connector is one class for each platform. What its platform cannot do it leaves as it is here; `abilities` says what
it can. It holds connections and budgets, and nothing that must outlive the process: cursors, schedules and what a
channel was told stand in the store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import httpx

from dom.channels.connection import Connection, Platform
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity
from dom.channels.outcomes import MessageSource
from dom.channels.telling import PlatformOrder, StepKind, TellStep, Told
from dom.shared.base import Value


class Ability(StrEnum):
    """What a connector can do beside receiving messages."""

    ASK = "ask"
    """Fetch the present state of one order."""
    LIST = "list"
    """List orders that changed, page by page."""
    TELL = "tell"
    """Tell its platform what became of an order."""
    STOCK = "stock"
    """Tell its platform what may be sold, and say what it shows."""


class NoSettings(Value):
    """A platform of which nothing needs to be known."""


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order as a page lists it: its state, and how the message of it is told from others (empty: by its content)."""

    body: bytes
    delivery_id: str = ""
    topic: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of orders. `after` is where the next page begins, in the platform's terms; None: it was the last one.

    `latest` is the time of the last change in it.
    """

    orders: Sequence[ListedOrder]
    after: str | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of a feed, and the position behind it. `done`: there is nothing more for now."""

    orders: Sequence[ListedOrder]
    position: Mapping[str, Any]
    done: bool


@dataclass(frozen=True, slots=True)
class FeedSpan:
    """What is read of a feed: changes from `since` on, that moment among them; `until` is open for None.

    By `placed` the time of the order counts, not that of its last change.
    """

    since: datetime
    until: datetime | None = None
    placed: bool = False


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What a channel shows of a SKU, or is to show: as a whole, not by location."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StockPage:
    """A page of what a channel shows. `after`: where the next one begins; None: it was the last one."""

    levels: Sequence[StockLevel]
    after: str | None = None


class ChannelConnector:
    """A kind of channel. Made anew when its connection or one of its secrets changes."""

    platform: ClassVar[Platform]
    settings_model: ClassVar[type[Value]] = NoSettings
    needs: ClassVar[tuple[str, ...]] = ()
    """Names of the secrets that it cannot do without."""
    may_need: ClassVar[tuple[str, ...]] = ()
    """Names of the secrets that it reads where there are any: one of several ways to log in."""
    signs: ClassVar[str | None] = None
    """The name of the secret that its webhooks are signed with; None: they come with an API key."""
    abilities: ClassVar[frozenset[Ability]] = frozenset()
    tells: frozenset[StepKind] = frozenset()
    """What its platform can be told, as it is set up."""
    source: ClassVar[MessageSource] = MessageSource.POLL

    def __init__(
        self, connection: Connection, secrets: Mapping[str, str], *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`transport` is what carries requests; None: the network. Raises ValidationError for settings that its
        platform cannot have.
        """
        self.connection = connection
        self.secrets = secrets
        self.transport = transport

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """What tells a message from others. Headers have lower-case names. Raises nothing: what cannot be read has no
        order number.
        """
        raise NotImplementedError

    @classmethod
    def is_signed(cls, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the message was signed with the secret; compared in constant time."""
        del secret, headers, body
        return False

    @classmethod
    def is_ping(cls, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the platform only tries whether somebody is there."""
        del headers, body
        return False

    async def order(self, reference: str) -> bytes | None:
        """The present state of an order, in the form that its mapping reads; None if there is none.

        TemporaryFailureError: ask again later. OutsideFailure: refused for good.
        """
        raise NotImplementedError(reference)

    async def orders(self, span: FeedSpan, after: str | None) -> OrderPage:
        """A page of orders, in the sequence of their last change; raises as `order`."""
        raise NotImplementedError(span, after)

    async def page(self, position: Mapping[str, Any], span: FeedSpan) -> FeedPage:
        """The page of a feed behind a position: of platforms that are asked, a page of a window of time.

        Raises as `order`.
        """
        after = position.get("after")
        listed = await self.orders(span, after)
        latest = max(filter(None, (_moment(position.get("latest")), listed.latest)), default=None)
        moved = {"latest": latest.isoformat() if latest else None, "after": listed.after}
        return FeedPage(listed.orders, moved, done=listed.after is None)

    def known(self, body: bytes) -> PlatformOrder:
        """What the platform knows of fulfilments, cancellations and refunds, by the order's state as `order` has it."""
        raise NotImplementedError(body)

    async def carry_out(self, order: PlatformOrder, step: TellStep) -> Told:
        """Tell the platform one thing. Answers what it calls it. Raises as `order`."""
        raise NotImplementedError(order, step)

    async def levels(self, after: str | None) -> StockPage:
        """A page of what the platform shows of the stock. Raises as `order`."""
        raise NotImplementedError(after)

    async def set_levels(self, levels: Sequence[StockLevel]) -> Sequence[str]:
        """Have it show these; answers the SKUs that it does not know. Raises as `order`."""
        raise NotImplementedError(levels)

    async def close(self) -> None:
        """Let go of open connections."""


def window(position: Mapping[str, Any], overlap: timedelta, first: datetime) -> datetime:
    """Since when changes are read: from the last one that was seen, less the overlap. `first` where none was seen."""
    seen = _moment(position.get("since"))
    return first if seen is None else seen - overlap


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
