"""Re-optimisation, a background job: what it looks at, when, and that it lets go of what it cannot change."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from jobs import reoptimising
from jobs.reoptimising import Reoptimising
from store.network import reference
from store.sourcing import reoptimisation as reoptimisations
from tests.worlds import small
from tests.worlds.books import check_books, one, rows
from tests.worlds.reoptimising import capture, comes, policy
from tests.worlds.running import House, relaying
from tests.worlds.sourcing import MONDAY_NOON, tariff
from tests.worlds.waiting import until_notified


class Watched(Reoptimising):
    """Remembers what it looked at."""

    seen: list[list[str]]

    async def _look_at(self, order_ids: Sequence[str]) -> None:
        self.seen.append(list(order_ids))
        await super()._look_at(order_ids)


@pytest.fixture
def job(world: AsyncEngine) -> Watched:
    watched = Watched(world, replaying=True)
    watched.seen = []
    return watched


RECALLED = "SELECT count(*) FROM fulfilments WHERE status = 'recalled'"


class TestWhatItLooksAt:
    async def test_everything_when_it_begins_and_then_what_moved(self, world: AsyncEngine, job: Watched) -> None:
        await capture(world, small.order("a", A=1))
        await capture(world, small.order("b", B=1))
        await job.run()
        await job.run()
        assert job.seen == [["web-a", "web-b"]]
        await comes(world, "dc-leeds", "B", 1)
        await job.run()
        await job.run()
        assert job.seen[1:] == [["web-b"]]

    async def test_another_order_s_reservation_moves_stock_too(self, world: AsyncEngine, job: Watched) -> None:
        await capture(world, small.order("a", A=1))
        await job.run()
        await capture(world, small.order("b", A=1))
        await job.run()
        assert job.seen[-1] == ["web-a", "web-b"]

    async def test_everything_again_when_rates_move(self, world: AsyncEngine, job: Watched) -> None:
        await capture(world, small.order("a", A=1))
        await job.run()
        async with world.begin() as connection:
            await reference.put_tariffs(connection, [tariff(factor=2)])
        await job.run()
        await job.run()
        assert job.seen == [["web-a"], ["web-a"]]

    async def test_no_more_than_so_many_at_once(
        self, world: AsyncEngine, job: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reoptimising, "ORDERS_AT_ONCE", 2)
        for number in range(5):
            await capture(world, small.order(f"{number}", A=1))
        for _ in range(4):
            await job.run()
        assert job.seen == [["web-0", "web-1"], ["web-2", "web-3"], ["web-4"]]

    async def test_a_moved_sku_with_more_orders_than_fit_is_looked_at_to_its_end(
        self, world: AsyncEngine, job: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await job.run()
        monkeypatch.setattr(reoptimising, "ORDERS_AT_ONCE", 2)
        for number in range(5):
            await capture(world, small.order(f"{number}", A=1))
        for _ in range(4):
            await job.run()
        assert job.seen == [["web-0", "web-1"], ["web-2", "web-3"], ["web-4"]]

    async def test_neither_work_that_was_begun_nor_what_is_collected(self, world: AsyncEngine, job: Watched) -> None:
        await capture(world, small.order("begun", A=1))
        await capture(world, small.order("collected", A=1, shipping_method="pickup", pickup_node="st-york"))
        async with world.begin() as connection:
            await connection.exec_driver_sql("UPDATE fulfilments SET status = 'accepted' WHERE method <> 'pickup'")
        await job.run()
        assert not job.seen

    async def test_nothing_if_the_policy_wants_none(self, world: AsyncEngine, job: Watched) -> None:
        await policy(world, enabled=False)
        await capture(world, small.order("split", RARE=5))
        await comes(world, "dc-leeds", "RARE", 3)
        await job.run()
        assert not job.seen
        assert await one(world, RECALLED) == 0
        await policy(world, enabled=True)
        await job.run()
        assert await one(world, RECALLED) == 2


class TestWhatWasTold:
    """What the customer was told for the work counts, where it is one day for all of it."""

    async def told(self, world: AsyncEngine) -> datetime | None:
        async with world.connect() as connection:
            (each,) = await reoptimisations.unbegun(connection, ["web-told"], MONDAY_NOON)
        return each.demand.promised_by

    async def test_one_day_for_all_lines_several_or_none(self, world: AsyncEngine) -> None:
        await capture(world, small.order("told", A=1, B=1))
        wednesday = MONDAY_NOON + timedelta(days=2)
        for lines, days, told in (
            (("A", "B"), 2, wednesday),
            (("A",), 3, None),
            (("B",), 3, MONDAY_NOON + timedelta(days=3)),
            (("A",), None, None),
        ):
            day = None if days is None else MONDAY_NOON + timedelta(days=days)
            async with world.begin() as connection:
                await connection.execute(_TELL, {"day": day, "skus": list(lines)})
            assert await self.told(world) == told


_TELL = text("UPDATE order_lines SET promised = :day WHERE order_id = 'web-told' AND sku = ANY(:skus)")


class TestWhatItDoes:
    async def test_a_change_that_came_too_late_is_tried_again(self, world: AsyncEngine, job: Watched) -> None:
        await capture(world, small.order("split", RARE=5))
        await comes(world, "dc-leeds", "RARE", 3)
        async with world.begin() as connection:
            await connection.exec_driver_sql("SELECT id FROM orders FOR NO KEY UPDATE")
            await job.run()
        assert await one(world, RECALLED) == 0
        await job.run()
        assert await one(world, RECALLED) == 2
        await check_books(world, reserved=5)

    async def test_an_order_without_a_process_is_put_before_a_person(
        self, world: AsyncEngine, temporal_client: Client, job: Watched
    ) -> None:
        await capture(world, small.order("no-process", RARE=5))
        await comes(world, "dc-leeds", "RARE", 3)
        await job.run()
        await job.run()
        house = House(temporal_client, world)
        async with relaying(house.database, house.senders):
            await until_notified(world)
        assert await rows(world, "SELECT kind, status FROM exceptions") == [("reoptimised_no_process", "open")]

    async def test_it_looks_only_once_at_what_it_changed(self, world: AsyncEngine, job: Watched) -> None:
        await capture(world, small.order("split", RARE=5))
        await comes(world, "dc-leeds", "RARE", 3)
        for _ in range(5):
            await job.run()
        assert await one(world, "SELECT count(*) FROM reoptimisations") == 1
