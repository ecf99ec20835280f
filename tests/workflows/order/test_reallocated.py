"""Units go from one order to another: both processes go on, and who waits gets the goods it stands first for."""

from datetime import timedelta

from dom.orders.status import OrderStatus
from services.database import Database
from tests.worlds import small
from tests.worlds.backorders import LEEDS
from tests.worlds.books import one, rows
from tests.worlds.reallocating import TUESDAY, VIP, comes_on, policy, run, tell
from tests.worlds.running import House
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.steps import comes, deliver, ended, status_of, until_released


async def test_both_orders_are_delivered(house: House) -> None:
    await policy(house.engine)
    giver = small.order("gives", RARE=5)
    taker = small.order("takes", RARE=2, customer=VIP, requested_by=MONDAY_NOON + timedelta(days=3))
    await house.send(giver)
    assert (await house.send(taker)).status is OrderStatus.BACKORDERED
    await tell(house.engine, giver.order_id, 8)
    await comes_on(house.engine, TUESDAY, RARE=2)
    (made,) = (await run(Database(engine=house.engine, replaying=True, now=lambda: MONDAY_NOON))).made
    assert made.order_ids == (taker.order_id, giver.order_id)
    await house.told()
    await deliver(house, taker)
    assert (await ended(house, taker, reserved=3)).status is OrderStatus.DELIVERED
    assert await status_of(house, giver) == "accepted"
    await comes(house.engine, "RARE", 2, LEEDS[0])
    assert await until_released(house, giver, 3) == LEEDS[0]
    for number in (2, 3):
        await deliver(house, giver, number)
    assert (await ended(house, giver)).status is OrderStatus.DELIVERED
    assert await one(house.engine, "SELECT count(*) FROM first_claims") == 0
    assert not await rows(house.engine, "SELECT kind FROM exceptions")
