"""What every activity shares: the database it works on, and that its errors leave as Temporal's."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.errors import as_application_error
from dom.orders.order import REPLAY_TAG, Order
from dom.shared.errors import DomError
from services.clock import utc_now
from store.database.engine import reading
from store.network.reference import ReferenceCache


@dataclass(frozen=True, slots=True)
class Database:
    """What activities work on.

    `replaying` allows orders that carry REPLAY_TAG to be planned as of the time they were placed; all others are
    planned as of now, however old they are. `webhooks` says that a webhook is configured and is to be told what the
    customer is told.
    """

    engine: AsyncEngine
    reference: ReferenceCache = field(default_factory=ReferenceCache)
    now: Callable[[], datetime] = utc_now
    replaying: bool = False
    webhooks: bool = False
    _reads: AsyncEngine = field(init=False)

    def __post_init__(self) -> None:
        """Derive the engine for single statements once: deriving it costs more than a statement."""
        object.__setattr__(self, "_reads", reading(self.engine))

    def as_of(self, order: Order, business_time: datetime) -> datetime:
        """The moment a plan for the order counts from: now or, for one that is replayed, its own business time."""
        return business_time if self.replaying and REPLAY_TAG in order.tags else self.now()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction; a domain error rolls it back and leaves as a Temporal error that is not retried.

        What the database refuses stays retryable: it is a bug, and the order waits for its fix instead of failing.
        """
        async with _leaving_temporal_errors(), self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """For a single statement, or reads that need not agree: each stands for itself, and spares two round trips."""
        async with _leaving_temporal_errors(), self._reads.connect() as connection:
            yield connection


@asynccontextmanager
async def _leaving_temporal_errors() -> AsyncIterator[None]:
    try:
        yield
    except DomError as error:
        raise as_application_error(error) from error
