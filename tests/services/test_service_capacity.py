"""A node's limit for a service: orders go where there is room, and a cancelled one gives both places back."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.network import ShippingMethod
from dom.orders.order import Order
from dom.shared.errors import CannotCancel
from services.database import Database
from store.network import reference
from tests.worlds import small
from tests.worlds.advancing import all_of, do
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept

USED = "SELECT service, used FROM node_days WHERE used > 0 ORDER BY day, node_id, service"


@pytest.fixture
async def database(world: AsyncEngine) -> Database:
    """Only dc-leeds holds B; it does two express fulfilments a day."""
    leeds = small.NODES[0].model_copy(update={"service_capacity": {ShippingMethod.EXPRESS: 2}})
    async with world.begin() as connection:
        await reference.put_node(connection, leeds)
    return Database(engine=world, replaying=True)


def express(external_id: str) -> Order:
    return small.order(external_id, B=1, shipping_method="express")


class TestServiceCapacity:
    async def test_many_at_once_spread_over_the_days(self, world: AsyncEngine, database: Database) -> None:
        await asyncio.gather(*(accept(database, express(f"many-{number}")) for number in range(5)))
        assert await one(world, "SELECT max(used) FROM node_days WHERE service = 'express'") == 2
        by_day = await rows(world, "SELECT used FROM node_days WHERE service = 'express' ORDER BY day")
        assert by_day == [(2,), (2,), (1,)]
        planned = "SELECT count(*) FROM fulfilments GROUP BY ship_day ORDER BY ship_day"
        assert await rows(world, planned) == by_day
        await check_books(world, reserved=5)

    async def test_other_services_are_not_held_up(self, world: AsyncEngine, database: Database) -> None:
        for number in range(2):
            await accept(database, express(f"first-{number}"))
        await accept(database, small.order("standard", B=1))
        assert await rows(world, USED) == [("", 3), ("express", 2)]

    async def test_a_cancelled_order_gives_both_places_back(self, world: AsyncEngine, database: Database) -> None:
        order = express("off")
        await accept(database, order)
        assert await rows(world, USED) == [("", 1), ("express", 1)]
        async with world.begin() as connection:
            await do(connection, order.order_id, all_of())
            with pytest.raises(CannotCancel):
                await do(connection, order.order_id, all_of())
        assert await rows(world, USED) == []
        await check_books(world)
