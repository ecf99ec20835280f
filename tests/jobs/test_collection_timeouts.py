"""The job ends what nobody collected, at the moment until which it is kept, and says so in the log."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from jobs.collection_timeouts import CollectionTimeouts
from services.database import Database
from tests.worlds import small
from tests.worlds.advancing import S, comes_to
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept


async def test_it_reminds_and_then_cancels(world: AsyncEngine) -> None:
    order = small.order("waits", A=1, tags=[], shipping_method="pickup", pickup_node="st-york")
    await accept(Database(world), order)
    await comes_to(world, f"{order.order_id}-F1", S.READY)
    end = await one(world, "SELECT collect_by FROM collections")
    assert isinstance(end, datetime)
    for at, mails in ((end - timedelta(days=3), 0), (end - timedelta(days=1), 1), (end, 2), (end, 2)):
        with capture_logs() as said:
            assert not await CollectionTimeouts(world, now=lambda at=at: at).run()  # type: ignore[misc]
        told = "SELECT kind FROM outbox WHERE medium = 'mail' ORDER BY id OFFSET 2"
        assert [kind for (kind,) in await rows(world, told)] == ["collection_reminder", "cancelled"][:mails]
    assert said == []
    assert await one(world, "SELECT status FROM orders") == "cancelled"
    await check_books(world)
