"""What is cancelled of goods that wait for their customer is put back on the shelf while the rest waits."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.pickup_commands import PutBack
from store.fulfilment.work_list import WorkFilter, work_list
from tests.worlds.advancing import all_of, do
from tests.worlds.books import check_books, one
from tests.worlds.collecting import code_of, collect, kept, look, ready, say, to_put_back, work


async def test_what_is_cancelled_of_it_is_put_back_while_the_rest_waits(world: AsyncEngine) -> None:
    """Each time the units since then; what is collected in the end leaves what was not put back on the list."""
    order = await ready(world, units=5)
    for cancelled, put in ((1, 1), (2, None), (1, 3)):
        async with world.begin() as connection:
            await do(connection, order.order_id, all_of({"1": cancelled}))
        assert await one(world, "SELECT status FROM fulfilments") == "ready_for_collection"
        assert await to_put_back(world) == [work(order)]
        if put is not None:
            async with world.connect() as connection:
                (row,) = await work_list(connection, WorkFilter(node_id="st-york", put_back=True))
            assert row["units_to_put_back"] == [{"sku": "A", "quantity": put}]
            for number in range(2):
                done = await say(world, PutBack(fulfilment_id=work(order), actor="york", at=datetime.now(UTC)))
                assert done.repeated == bool(number)
            assert await to_put_back(world) == []
    assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'put_back'") == 2
    await collect(world, order, code=await code_of(world, order))
    assert await to_put_back(world) == []
    await check_books(world)


async def test_and_of_what_is_put_back_in_part_the_rest(world: AsyncEngine) -> None:
    order = await ready(world, units=3)
    async with world.begin() as connection:
        await do(connection, order.order_id, all_of({"1": 1}))
    await say(world, PutBack(fulfilment_id=work(order), actor="york", at=datetime.now(UTC)))
    await look(world, await kept(world, order))
    async with world.connect() as connection:
        (row,) = await work_list(connection, WorkFilter(put_back=True))
    assert (row["status"], row["units_to_put_back"]) == ("cancelled", [{"sku": "A", "quantity": 2}])
    await check_books(world)
