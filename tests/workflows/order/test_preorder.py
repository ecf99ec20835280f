"""A preordered order waits for its release day, however far it is, and is sourced when it comes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import WorkflowEnvironment

from activities.wiring import wired
from dom.orders.status import OrderStatus
from services.database import Database
from store.network import reference
from tests.worlds import small
from tests.worlds.backorders import patient
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.sourcing import sku
from tests.worlds.steps import status_of, until_order, until_released

LOOKED = "SELECT count(*) FROM sourcing_decisions WHERE cause = 'retried'"


@dataclass
class Clock:
    """The house's time, moved on by hand as the server's is skipped."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class HouseWithClock(House):
    """A house whose activities read a clock of the test's."""

    clock: Clock = field(default_factory=Clock)

    @property
    def activities(self) -> list[Callable[..., Any]]:
        database = Database(engine=self.engine, now=lambda: self.clock.at)
        return wired(database, carriers={self.carrier.name: self.carrier}, senders=self.senders)

    async def skip(self, environment: WorkflowEnvironment, span: timedelta) -> None:
        self.clock.at += span
        await environment.sleep(span)


async def release_in(engine: AsyncEngine, clock: Clock, days: int) -> None:
    async with engine.begin() as connection:
        await reference.put_skus(connection, [sku("A", release_on=clock.at.date() + timedelta(days=days))])


class TestPreorder:
    async def test_is_sourced_at_its_release_and_not_given_up_before(
        self, skipping: WorkflowEnvironment, world: AsyncEngine
    ) -> None:
        # Nothing but the release wakes it: the next look by itself would be two months away.
        await patient(world, retry_minutes=86_400, cancel_after_days=3)
        async with HouseWithClock(skipping.client, world).working() as house:
            assert isinstance(house, HouseWithClock)
            await release_in(world, house.clock, 20)
            order = small.order("preordered", A=2, tags=[])
            assert (await house.send(order)).status is OrderStatus.BACKORDERED
            await house.skip(skipping, timedelta(days=18))
            assert await status_of(house, order) == "backordered"
            assert await one(world, LOOKED) == 0
            await house.skip(skipping, timedelta(days=2, hours=1))
            assert await until_released(house, order, 1) == "dc-leeds"
            assert await one(world, "SELECT sum(backordered) FROM order_lines") == 0

    async def test_waits_the_policy_s_days_from_its_release_on(
        self, skipping: WorkflowEnvironment, world: AsyncEngine
    ) -> None:
        await patient(world, retry_minutes=1440, cancel_after_days=3)
        async with HouseWithClock(skipping.client, world).working() as house:
            assert isinstance(house, HouseWithClock)
            async with world.begin() as connection:
                day = house.clock.at.date() + timedelta(days=5)
                await reference.put_skus(connection, [sku("NEVER", release_on=day)])
            order = small.order("late", NEVER=1, tags=[])
            await house.send(order)
            for _ in range(7):
                await house.skip(skipping, timedelta(days=1))
            assert await status_of(house, order) == "backordered"
            for _ in range(3):
                await house.skip(skipping, timedelta(days=1))
            await until_order(house, order, "cancelled")
        assert await rows(world, "SELECT reason FROM timeline WHERE kind = 'cancelled'") == [("no stock came in time",)]
