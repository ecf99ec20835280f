"""Reference data is remembered, and every change of it is seen by the very next order."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.errors import InvalidInput, NotFound
from services.database import Database
from store.network import reference
from store.network.reference import ReferenceCache
from store.policy import policies
from tests.worlds import small
from tests.worlds.books import one
from tests.worlds.captured import accept
from tests.worlds.policies import changed
from tests.worlds.sourcing import LEEDS, node, sku, tariff


async def remembered(engine: AsyncEngine, cache: ReferenceCache) -> reference.Reference:
    async with engine.connect() as connection:
        version = (await reference.load(connection)).version
        return await cache.at(connection, version)


class TestCache:
    async def test_reads_once_a_version(self, world: AsyncEngine) -> None:
        cache = ReferenceCache()
        assert await remembered(world, cache) is await remembered(world, cache)

    async def test_every_change_makes_a_new_version(self, world: AsyncEngine) -> None:
        cache = ReferenceCache()
        seen = [await remembered(world, cache)]
        async with world.begin() as connection:
            await policies.publish_policy(connection, small.POLICY, "test")
        seen.append(await remembered(world, cache))
        async with world.begin() as connection:
            assert not await reference.put_node(connection, node("dc-leeds", LEEDS, daily_capacity=3))
        seen.append(await remembered(world, cache))
        async with world.begin() as connection:
            await reference.put_tariffs(connection, [tariff(factor=2)])
        seen.append(await remembered(world, cache))
        async with world.begin() as connection:
            assert await reference.put_skus(connection, [sku("A"), sku("NEW")]) == 1
        seen.append(await remembered(world, cache))
        versions = [each.version for each in seen]
        assert versions == sorted(set(versions))
        assert (seen[0].policy_version, seen[1].policy_version) == (1, 2)
        assert seen[1].node("dc-leeds").daily_capacity == 100
        assert seen[2].node("dc-leeds").daily_capacity == 3

    async def test_a_change_that_was_taken_back_is_not_seen(self, world: AsyncEngine) -> None:
        cache = ReferenceCache()
        before = await remembered(world, cache)
        async with world.connect() as connection:
            await reference.put_node(connection, node("dc-leeds", LEEDS, daily_capacity=3))
            await connection.rollback()
        assert await remembered(world, cache) is before


class TestTheNextOrder:
    async def test_goes_by_the_change(self, world: AsyncEngine) -> None:
        database = Database(engine=world, replaying=True)

        async def where(external_id: str) -> str:
            sourced = await accept(database, small.order(external_id, RARE=1))
            return sourced.fulfilments[f"web-{external_id}-F1"]

        assert await where("before") == "dc-leeds"
        async with world.begin() as connection:
            await reference.put_node(connection, node("dc-leeds", LEEDS, active=False))
        assert await where("after") == "wh-london"
        async with world.begin() as connection:
            await policies.publish_policy(connection, changed(small.POLICY, name="next", after_minutes=7), "test")
        sourced = await accept(database, small.order("policy", RARE=1))
        assert sourced.retry_minutes == 7
        version = "SELECT policy_version FROM sourcing_decisions WHERE order_id = :id"
        assert await one(world, version, id="web-policy") == 2
        assert await one(world, version, id="web-before") == 1


class TestMissing:
    async def test_says_what_to_do_without_a_policy(self, schema: AsyncEngine) -> None:
        async with schema.connect() as connection:
            with pytest.raises(NotFound, match="dom seed"):
                await reference.load(connection)

    async def test_unknown_node_and_sku(self, world: AsyncEngine) -> None:
        async with world.connect() as connection:
            with pytest.raises(NotFound):
                await reference.get_node(connection, "nowhere")
            with pytest.raises(NotFound):
                await reference.get_sku(connection, "NONE")
            with pytest.raises(NotFound):
                (await reference.load(connection)).node("nowhere")


async def test_a_tariff_in_what_is_no_money_is_refused(world: AsyncEngine) -> None:
    async with world.begin() as connection:
        with pytest.raises(InvalidInput, match="XAU is no currency"):
            await reference.put_tariffs(connection, [tariff().model_copy(update={"currency": "XAU"})])
