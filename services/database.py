"""What use cases work on: the database, what is remembered of it, the clock, and what this installation does."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.orders.order import REPLAY_TAG, Order
from dom.returns import EXPIRES_AFTER
from services.change_orders import Writing
from services.clock import utc_now
from store.database.engine import reading
from store.network.reference import ReferenceCache


@dataclass(frozen=True, slots=True)
class Database:
    """What use cases work on.

    `replaying` allows orders that carry REPLAY_TAG to be planned as of the time they were placed; all others are
    planned as of now, however old they are. `webhooks` says that a webhook is configured and is to be told what the
    customer is told. `returns_last`: how long the goods of a parcel that comes back are waited for.
    """

    engine: AsyncEngine
    reference: ReferenceCache = field(default_factory=ReferenceCache)
    now: Callable[[], datetime] = utc_now
    replaying: bool = False
    webhooks: bool = False
    returns_last: timedelta = EXPIRES_AFTER
    _reads: AsyncEngine = field(init=False)

    def __post_init__(self) -> None:
        """Derive the engine for single statements once: deriving it costs more than a statement."""
        object.__setattr__(self, "_reads", reading(self.engine))

    @property
    def writing(self) -> Writing:
        """How an order's own process has a change written: it hears of it by the answer."""
        return Writing(webhook=self.webhooks, returns_last=self.returns_last)

    def as_of(self, order: Order, business_time: datetime) -> datetime:
        """The moment a plan for the order counts from: now or, for one that is replayed, its own business time."""
        return business_time if self.replaying and REPLAY_TAG in order.tags else self.now()

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction; an error rolls it back."""
        return self.engine.begin()

    def statement(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """For a single statement, or reads that need not agree: each stands for itself, and spares two round trips."""
        return self._reads.connect()
