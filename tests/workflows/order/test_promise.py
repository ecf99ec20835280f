"""The promise is that of the goods that are on their way: what is cancelled has no part in it."""

from datetime import timedelta

from sqlalchemy import text

from dom.orders.order import Order
from tests.worlds import small
from tests.worlds.books import rows
from tests.worlds.running import House
from tests.worlds.steps import cancel, comes, ended, stock_comes, until_released

PROMISE = "SELECT promise_earliest, promise_latest FROM orders WHERE id = :id"
WORK = "SELECT promise_earliest, promise_latest FROM fulfilments WHERE id = :id"


async def late(house: House, order: Order) -> None:
    """The order's second parcel is due ten days after the first."""
    async with house.engine.begin() as connection:
        for query in (
            "UPDATE fulfilments SET promise_latest = promise_latest + :more WHERE id = :second",
            "UPDATE orders SET promise_latest = promise_latest + :more WHERE id = :id",
        ):
            names = {"more": timedelta(days=10), "second": f"{order.order_id}-F2", "id": order.order_id}
            await connection.execute(text(query), names)


async def promised(house: House, order: Order) -> object:
    return (await rows(house.engine, PROMISE, id=order.order_id))[0]


async def work(house: House, order: Order, number: int) -> tuple[object, ...]:
    return (await rows(house.engine, WORK, id=f"{order.order_id}-F{number}"))[0]


class TestCancelling:
    async def test_the_late_part_makes_the_promise_that_of_the_rest(self, house: House) -> None:
        order = small.order("late-part", RARE=5)
        await house.send(order)
        await late(house, order)
        second = "SELECT quantity FROM fulfilment_lines WHERE fulfilment_id = :id"
        ((units,),) = await rows(house.engine, second, id=f"{order.order_id}-F2")
        await house.node(order, "accept", number=1)
        await cancel(house, order, l1=int(str(units)))
        assert await promised(house, order) == await work(house, order, 1)
        await cancel(house, order)
        await ended(house, order)

    async def test_all_that_was_sourced_leaves_no_promise(self, house: House) -> None:
        order = small.order("nothing-promised", A=1, NEVER=1)
        await house.send(order)
        assert await promised(house, order) != (None, None)
        await cancel(house, order, l1=1)
        assert await promised(house, order) == (None, None)
        await cancel(house, order)
        await ended(house, order)


async def test_what_is_sourced_later_does_not_move_the_beginning(house: House) -> None:
    order = small.order("later-part", A=1, NEVER=1)
    await house.send(order)
    first = await work(house, order, 1)
    async with house.engine.begin() as connection:
        earlier = "UPDATE fulfilments SET promise_earliest = promise_earliest - interval '1 day' WHERE id = :id"
        await connection.execute(text(earlier), {"id": f"{order.order_id}-F1"})
    await comes(house.engine, "NEVER", 1, "dc-leeds")
    await stock_comes(house, order, "NEVER")
    await until_released(house, order, 2)
    earliest, _ = (await rows(house.engine, PROMISE, id=order.order_id))[0]
    assert earliest == first[0] - timedelta(days=1)  # type: ignore[operator]
    await cancel(house, order)
    await ended(house, order)
